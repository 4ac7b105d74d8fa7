#include "body_buffer.hpp"

namespace cacheback::ngx {

namespace {

constexpr std::size_t smallest_block = 4 * 1024;
constexpr std::size_t largest_block = 256 * 1024;

}  // namespace

std::size_t BodyBuffer::worker_total = 0;

void BodyBuffer::expect(std::size_t limit, std::size_t expected) noexcept {
    limit_ = limit;
    expected_ = expected;
}

void BodyBuffer::clear() noexcept {
    while (first_ != nullptr) {
        Block* next = first_->next;
        worker_total -= first_->size;
        ngx_free(first_);
        first_ = next;
    }
    last_ = nullptr;
    size_ = 0;
}

BodyBuffer::Block* BodyBuffer::room(std::size_t wanted) noexcept {
    if (last_ != nullptr && last_->used < last_->size) { return last_; }

    // The whole body at once when its length is known, else doubling.
    std::size_t size = std::max({smallest_block, std::min(size_, largest_block),
                                 std::min(wanted, largest_block)});
    if (expected_ > size_) { size = expected_ - size_; }

    auto* block =
        static_cast<Block*>(ngx_alloc(sizeof(Block) + size, ngx_cycle->log));
    if (block == nullptr) { return nullptr; }
    block->next = nullptr;
    block->size = size;
    block->used = 0;
    worker_total += size;
    (last_ == nullptr ? first_ : last_->next) = block;
    last_ = block;
    return block;
}

BodyBuffer::Added BodyBuffer::check(std::size_t count) const noexcept {
    if (count > limit_ || size_ > limit_ - count) { return Added::too_large; }
    if (worker_total + count > worker_limit) { return Added::busy; }
    return Added::yes;
}

BodyBuffer::Added BodyBuffer::add(const ngx_buf_t& buf) noexcept {
    if (ngx_buf_in_memory(&buf)) {
        return add_memory(buf.pos,
                          static_cast<std::size_t>(buf.last - buf.pos));
    }
    return buf.in_file ? add_file(buf) : Added::yes;
}

BodyBuffer::Added BodyBuffer::add_memory(const u_char* from,
                                         std::size_t count) noexcept {
    Added verdict = check(count);
    if (verdict != Added::yes) { return verdict; }

    while (count > 0) {
        Block* block = room(count);
        if (block == nullptr) { return Added::busy; }
        std::size_t part = std::min(count, block->size - block->used);
        ngx_memcpy(block->data() + block->used, from, part);
        block->used += part;
        size_ += part;
        from += part;
        count -= part;
    }
    return Added::yes;
}

BodyBuffer::Added BodyBuffer::add_file(const ngx_buf_t& buf) noexcept {
    auto count = static_cast<std::size_t>(buf.file_last - buf.file_pos);
    Added verdict = check(count);
    if (verdict != Added::yes) { return verdict; }
    // Reads of such files must be aligned, ours are not.
    if (buf.file->directio) { return Added::unreadable; }

    off_t offset = buf.file_pos;
    while (count > 0) {
        Block* block = room(count);
        if (block == nullptr) { return Added::busy; }
        std::size_t part = std::min(count, block->size - block->used);
        ssize_t n =
            ngx_read_file(buf.file, block->data() + block->used, part, offset);
        if (n <= 0) { return Added::unreadable; }  // nginx has logged it
        auto got = static_cast<std::size_t>(n);
        block->used += got;
        size_ += got;
        offset += n;
        count -= got;
    }
    return Added::yes;
}

void BodyBuffer::append_to(std::vector<std::string_view>& pieces) const {
    for (const Block* block = first_; block != nullptr; block = block->next) {
        pieces.emplace_back(block->text(), block->used);
    }
}

}  // namespace cacheback::ngx
