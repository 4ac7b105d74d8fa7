#include "entry_seal.hpp"

#include "../../core/entry.hpp"

namespace cacheback::store {

namespace {

std::unique_ptr<ngx::Hmac> hmac(const ngx_str_t& key) {
    if (key.len == 0) { return nullptr; }
    return std::make_unique<ngx::Hmac>(
        std::string_view(reinterpret_cast<const char*>(key.data), key.len));
}

// The name ends where the NUL is: it has none.
constexpr std::string_view end_of_name("\0", 1);

}  // namespace

EntrySeal::EntrySeal(const RedisConf& conf)
    : sign_(hmac(conf.sign)), previous_(hmac(conf.sign_previous)) {}

Pieces EntrySeal::seal(std::string_view name, const Pieces& entry) {
    if (!is_on()) { return entry; }
    Pieces pieces{name, end_of_name};
    pieces.insert(pieces.end(), entry.begin(), entry.end());
    mac_ = sign_->of(pieces);
    pieces.erase(pieces.begin(), pieces.begin() + 2);
    pieces.emplace_back(reinterpret_cast<const char*>(mac_.data()),
                        mac_.size());
    return pieces;
}

std::optional<std::string_view> EntrySeal::open(std::string_view name,
                                                std::string_view value) {
    if (!is_on()) { return value; }
    if (value.size() < size) { return std::nullopt; }
    const std::string_view entry = value.substr(0, value.size() - size);
    const std::string_view mac = value.substr(entry.size());
    Pieces pieces{name, end_of_name, entry};
    // An invalidation comes when nobody has the entry at hand to sign it.
    constexpr std::string_view zeros("\0\0\0\0\0\0\0\0",
                                     sizeof(core::Invalidation));
    if (entry.size() >= core::entry_prologue_size) {
        pieces.back() = entry.substr(0, core::offset::invalidated);
        pieces.push_back(zeros);
        pieces.push_back(
            entry.substr(core::offset::invalidated + zeros.size()));
    }
    for (ngx::Hmac* key : {sign_.get(), previous_.get()}) {
        if (key != nullptr && ngx::Hmac::same(key->of(pieces), mac)) {
            return entry;
        }
    }
    return std::nullopt;
}

}  // namespace cacheback::store
