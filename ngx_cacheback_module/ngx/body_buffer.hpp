// ngx/body_buffer.hpp: the body of a response, collected while it passes by.
#pragma once

#include "ngx.hpp"

namespace cacheback::ngx {

// Taken, though it goes nowhere: whoever produced it gets its buffers back and
// goes on.
inline void consume(ngx_chain_t* in) noexcept {
    for (; in != nullptr; in = in->next) {
        in->buf->pos = in->buf->last;
        in->buf->file_pos = in->buf->file_last;
    }
}

// Copies what buffers show, from memory or from a file. Bounded by itself and,
// together with all others of this worker, by `worker_limit`.
class BodyBuffer {
  public:
    static constexpr std::size_t worker_limit = 32 * 1024 * 1024;

    enum class Added : unsigned char {
        yes,
        too_large,   // more than `limit`
        busy,        // this worker collects too much already
        unreadable,  // a file that cannot be read this way (directio, error)
    };

    BodyBuffer() = default;
    BodyBuffer(const BodyBuffer&) = delete;
    BodyBuffer& operator=(const BodyBuffer&) = delete;
    ~BodyBuffer() { clear(); }

    // `expected` sizes the first block: the Content-Length, or 0.
    void expect(std::size_t limit, std::size_t expected) noexcept;
    Added add(const ngx_buf_t& buf) noexcept;
    void clear() noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    // The bytes in order; they stay where they are until clear().
    void append_to(std::vector<std::string_view>& pieces) const;

  private:
    struct Block {
        Block* next;
        std::size_t size;
        std::size_t used;
        u_char* data() noexcept { return reinterpret_cast<u_char*>(this + 1); }
        [[nodiscard]] const char* text() const noexcept {
            return reinterpret_cast<const char*>(this + 1);
        }
    };

    // Room for more; at least one byte, at most `wanted`. Null: no memory.
    Block* room(std::size_t wanted) noexcept;
    Added add_memory(const u_char* from, std::size_t count) noexcept;
    Added add_file(const ngx_buf_t& buf) noexcept;
    Added check(std::size_t count) const noexcept;

    Block* first_ = nullptr;
    Block* last_ = nullptr;
    std::size_t size_ = 0;
    std::size_t limit_ = 0;
    std::size_t expected_ = 0;

    static std::size_t worker_total;
};

}  // namespace cacheback::ngx
