// ngx/pool.hpp: C++ objects and texts in nginx's memory pools.
#pragma once

#include "ngx.hpp"

namespace cacheback::ngx {

// An object that the pool destroys. Throws bad_alloc, as C++ expects it.
template <class T, class... Args>
T& make_in_pool(ngx_pool_t& pool, Args&&... args) {
    static_assert(alignof(T) <= NGX_ALIGNMENT);
    ngx_pool_cleanup_t* slot = ngx_pool_cleanup_add(&pool, sizeof(T));
    if (slot == nullptr) { throw std::bad_alloc{}; }
    auto* object = new (slot->data) T(std::forward<Args>(args)...);
    slot->handler = [](void* data) { static_cast<T*>(data)->~T(); };
    return *object;
}

// An object without a destructor; null when there is no memory.
template <class T>
T* make_trivial(ngx_pool_t& pool) noexcept {
    static_assert(std::is_trivially_destructible_v<T>);
    void* memory = ngx_palloc(&pool, sizeof(T));
    return memory == nullptr ? nullptr : new (memory) T();
}

inline std::string_view view(const ngx_str_t& text) noexcept {
    return {reinterpret_cast<const char*>(text.data), text.len};
}

// An ngx_str_t that shows somebody else's bytes; nginx's types lack const.
inline ngx_str_t str(std::string_view text) noexcept {
    return {text.size(),
            const_cast<u_char*>(reinterpret_cast<const u_char*>(text.data()))};
}

// A copy in the pool, followed by a NUL as nginx's parsers like it. An empty
// text keeps a valid pointer. False when there is no memory.
inline bool copy(ngx_pool_t& pool, ngx_str_t& to,
                 std::string_view from) noexcept {
    auto* data = static_cast<u_char*>(ngx_pnalloc(&pool, from.size() + 1));
    if (data == nullptr) { return false; }
    if (!from.empty()) { ngx_memcpy(data, from.data(), from.size()); }
    data[from.size()] = '\0';
    to.len = from.size();
    to.data = data;
    return true;
}

}  // namespace cacheback::ngx
