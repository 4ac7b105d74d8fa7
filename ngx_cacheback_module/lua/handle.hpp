// lua/handle.hpp: what Lua holds while something is under way, by number.
//
// Lua may forget a handle, its coroutine may be killed, its request may end:
// each of these ends the handle, in any order, and a number that is used later
// names nothing.
#pragma once

#include <memory>

#include "../ngx/guard.hpp"
#include "../ngx/ngx.hpp"
#include "../store/store.hpp"
#include "api.hpp"

namespace cacheback::lua {

// Resumes the coroutine that waits for a handle.
class Signal {
  public:
    explicit Signal(void* semaphore) noexcept : semaphore_(semaphore) {}
    void send() const noexcept;

    static ngx_http_cacheback_lua_post_pt post;

  private:
    void* semaphore_;
};

class Handle {
  public:
    explicit Handle(store::Store& store) noexcept : store_(store) {}
    virtual ~Handle();
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    [[nodiscard]] store::Store& store() noexcept { return store_; }

  private:
    friend class Handles;

    struct Tie {
        ngx_queue_t queue;  // first: found again from it
        Handle* owner;
    };

    store::Store& store_;
    Tie tie_{};  // to its request, if any
    int number_ = 0;
};

// Those of this worker.
class Handles {
  public:
    // Its number. `request` may be null.
    static int add(std::unique_ptr<Handle> handle, void* request);
    static void bind(int number, void* request);
    static void drop(int number) noexcept;

    // Null when it has ended, or is something else.
    template <class T>
    [[nodiscard]] static T* get(int number) noexcept {
        return dynamic_cast<T*>(find(number));
    }

  private:
    [[nodiscard]] static Handle* find(int number) noexcept;
    static void tie(Handle& handle, void* request);
    static void on_request_end(void* data) noexcept;
};

// What all functions of api.hpp do first and last.
template <class Action>
auto guarded(Action&& action, decltype(action()) otherwise) noexcept {
    return ngx::guard(ngx_cycle->log, action, [&] { return otherwise; });
}

[[nodiscard]] inline store::Store& as_store(void* store) noexcept {
    return *static_cast<store::Store*>(store);
}

}  // namespace cacheback::lua
