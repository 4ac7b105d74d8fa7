#include "fetch_line.hpp"

namespace cacheback::store {

namespace {

// How soon a worker whose fetches wait for places that other workers hold
// looks again. Its own ends start the next one at once.
constexpr ngx_msec_t retry_interval = 25;

}  // namespace

FetchLine::FetchLine(ControlZone& control, std::uint32_t limit,
                     std::uint32_t queue) noexcept
    : control_(control),
      limit_(limit),
      queue_(queue),
      turn_([](void* self) { static_cast<FetchLine*>(self)->advance(); }, this),
      retry_(
          ngx::Timer::Exit::goes,
          [](void* self) { static_cast<FetchLine*>(self)->advance(); }, this) {
    ngx_queue_init(&waiting_);
}

bool FetchLine::try_start(WaitingFetch& fetch) noexcept {
    if (!control_.start_fetch(limit_)) { return false; }
    if (fetch.start(fetch)) {
        control_.count(Counter::refreshes_started);
        return true;
    }
    control_.end_fetch();
    return false;
}

void FetchLine::enter(WaitingFetch& fetch) noexcept {
    // Nobody overtakes: behind others we wait even when a place is free.
    if (!closed_ && ngx_queue_empty(&waiting_) && try_start(fetch)) { return; }

    if (closed_ || ngx_exiting || !control_.enter_line(queue_)) {
        control_.count(Counter::refreshes_dropped);
        fetch.drop(fetch);
        return;
    }
    ngx_queue_insert_tail(&waiting_, &fetch.link);
    if (!retry_.running()) { retry_.start(retry_interval); }
}

void FetchLine::finished() noexcept {
    control_.end_fetch();
    if (!ngx_queue_empty(&waiting_)) { turn_.post(); }
}

void FetchLine::advance() noexcept {
    if (ngx_exiting) {
        close();
        return;
    }
    while (!ngx_queue_empty(&waiting_)) {
        ngx_queue_t* first = ngx_queue_head(&waiting_);
        auto* fetch = ngx_queue_data(first, WaitingFetch, link);
        // Out of the line first: a fetch that ends within its start comes
        // back here through finished().
        ngx_queue_remove(first);
        if (!try_start(*fetch)) {
            ngx_queue_insert_head(&waiting_, first);
            if (!retry_.running()) { retry_.start(retry_interval); }
            return;
        }
        control_.leave_line();
    }
}

void FetchLine::close() noexcept {
    closed_ = true;
    turn_.cancel();
    retry_.stop();
    while (!ngx_queue_empty(&waiting_)) {
        ngx_queue_t* first = ngx_queue_head(&waiting_);
        auto* fetch = ngx_queue_data(first, WaitingFetch, link);
        ngx_queue_remove(first);
        control_.leave_line();
        control_.count(Counter::refreshes_dropped);
        fetch->drop(*fetch);
    }
}

}  // namespace cacheback::store
