// ngx/timer.hpp: nginx's timers and posted events, tied to their owner's life.
#pragma once

#include "guard.hpp"
#include "ngx.hpp"

namespace cacheback::ngx {

// Debug builds take every event's data for a connection and print its fd.
inline ngx_connection_t* no_connection() noexcept {
    static ngx_connection_t none = [] {
        ngx_connection_t connection{};
        connection.fd = static_cast<ngx_socket_t>(-1);
        return connection;
    }();
    return &none;
}

// An event without a socket. Neither copied nor moved: nginx links it.
class OwnEvent {
  public:
    using Handler = void (*)(void* owner);

    OwnEvent(Handler handler, void* owner) noexcept
        : handler_(handler), owner_(owner) {
        event_.data = no_connection();
        event_.handler = [](ngx_event_t* event) {
            auto& self = *reinterpret_cast<OwnEvent*>(event);
            guard(
                ngx_cycle->log, [&] { self.handler_(self.owner_); }, [] {});
        };
    }
    OwnEvent(const OwnEvent&) = delete;
    OwnEvent& operator=(const OwnEvent&) = delete;

  protected:
    ~OwnEvent() = default;
    ngx_event_t event_{};  // first: found again from the event

  private:
    Handler handler_;
    void* owner_;
};

class Timer : public OwnEvent {
  public:
    // A worker that leaves waits for all timers but the cancelable ones.
    enum class Exit : unsigned char { waits, goes };

    Timer(Exit exit, Handler handler, void* owner) noexcept
        : OwnEvent(handler, owner) {
        event_.cancelable = exit == Exit::goes;
    }
    ~Timer() { stop(); }

    void start(ngx_msec_t delay) noexcept {
        event_.log = ngx_cycle->log;
        ngx_add_timer(&event_, delay);
    }
    void stop() noexcept {
        if (event_.timer_set) { ngx_del_timer(&event_); }
    }
    [[nodiscard]] bool running() const noexcept { return event_.timer_set; }
    // When it fires, on nginx's clock; only while running.
    [[nodiscard]] ngx_msec_t due() const noexcept { return event_.timer.key; }
};

// Runs once, at the end of this turn of the event loop.
class PostedEvent : public OwnEvent {
  public:
    using OwnEvent::OwnEvent;
    ~PostedEvent() { cancel(); }

    void post() noexcept {
        event_.log = ngx_cycle->log;
        ngx_post_event(&event_, &ngx_posted_events);
    }
    void cancel() noexcept {
        // Braces: the macro is several statements.
        if (event_.posted) { ngx_delete_posted_event(&event_); }
    }
};

}  // namespace cacheback::ngx
