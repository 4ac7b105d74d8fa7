#include "hmac.hpp"

#include <memory>
#include <new>

namespace cacheback::ngx {

#if (NGX_SSL)

// EVP_MD_CTX under a name that needs no header of OpenSSL. Failures are a lack
// of memory: nothing else can go wrong with SHA-256.
struct Hmac::Digest {
    EVP_MD_CTX* context = EVP_MD_CTX_create();

    Digest() {
        if (context == nullptr ||
            EVP_DigestInit_ex(context, EVP_sha256(), nullptr) != 1) {
            EVP_MD_CTX_destroy(context);
            throw std::bad_alloc{};
        }
    }
    ~Digest() { EVP_MD_CTX_destroy(context); }
    Digest(const Digest&) = delete;
    Digest& operator=(const Digest&) = delete;

    void begin_as(const Digest& other) {
        if (EVP_MD_CTX_copy_ex(context, other.context) != 1) {
            throw std::bad_alloc{};
        }
    }
    void add(const void* bytes, std::size_t size) {
        if (EVP_DigestUpdate(context, bytes, size) != 1) {
            throw std::bad_alloc{};
        }
    }
    Mac end() {
        Mac mac;
        if (EVP_DigestFinal_ex(context, mac.data(), nullptr) != 1) {
            throw std::bad_alloc{};
        }
        return mac;
    }
};

Hmac::Hmac(std::string_view key) {
    constexpr std::size_t block = 64;
    std::array<unsigned char, block> pad{};
    auto inner = std::make_unique<Digest>();
    auto outer = std::make_unique<Digest>();
    auto work = std::make_unique<Digest>();
    if (key.size() <= block) {
        ngx_memcpy(pad.data(), key.data(), key.size());
    } else {
        work->add(key.data(), key.size());
        const Mac hash = work->end();
        ngx_memcpy(pad.data(), hash.data(), hash.size());
    }
    constexpr unsigned char of_inner = 0x36;
    constexpr unsigned char of_outer = 0x5c;
    for (unsigned char& byte : pad) { byte ^= of_inner; }
    inner->add(pad.data(), pad.size());
    for (unsigned char& byte : pad) { byte ^= of_inner ^ of_outer; }
    outer->add(pad.data(), pad.size());
    inner_ = inner.release();
    outer_ = outer.release();
    work_ = work.release();
}

Hmac::~Hmac() {
    delete inner_;
    delete outer_;
    delete work_;
}

Hmac::Mac Hmac::of(const std::vector<std::string_view>& pieces) {
    work_->begin_as(*inner_);
    for (const std::string_view piece : pieces) {
        work_->add(piece.data(), piece.size());
    }
    const Mac hash = work_->end();
    work_->begin_as(*outer_);
    work_->add(hash.data(), hash.size());
    return work_->end();
}

bool Hmac::same(const Mac& mac, std::string_view other) noexcept {
    return other.size() == mac.size() &&
           CRYPTO_memcmp(mac.data(), other.data(), mac.size()) == 0;
}

#else

struct Hmac::Digest {};

Hmac::Hmac(std::string_view) { throw std::bad_alloc{}; }
Hmac::~Hmac() = default;
Hmac::Mac Hmac::of(const std::vector<std::string_view>&) { return {}; }
bool Hmac::same(const Mac&, std::string_view) noexcept { return false; }

#endif

}  // namespace cacheback::ngx
