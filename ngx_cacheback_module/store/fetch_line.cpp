#include "fetch_line.hpp"

namespace cacheback::store {

namespace {

// How soon a worker whose fetches wait looks by itself: when the one whose turn
// it was has died, or when its own connections are too few. Places that become
// free are told of.
constexpr ngx_msec_t backstop_interval = 250;

}  // namespace

FetchLine::FetchLine(ControlZone& control, std::uint32_t limit,
                     std::uint32_t queue) noexcept
    : control_(control),
      limit_(limit),
      queue_(queue),
      turn_([](void* self) { static_cast<FetchLine*>(self)->advance(); }, this),
      backstop_(
          ngx::Timer::Exit::goes,
          [](void* self) { static_cast<FetchLine*>(self)->advance(); }, this) {
    ngx_queue_init(&refreshes_);
    ngx_queue_init(&fills_);
    ngx_queue_init(&asking_);
}

FetchLine::~FetchLine() {
    while (!ngx_queue_empty(&asking_)) {
        auto* fetch =
            ngx_queue_data(ngx_queue_head(&asking_), WaitingFetch, link);
        answered(*fetch);
        fetch->drop(*fetch);
    }
}

void FetchLine::asking(WaitingFetch& fetch) noexcept {
    ngx_queue_insert_tail(&asking_, &fetch.link);
}

void FetchLine::answered(WaitingFetch& fetch) noexcept {
    ngx_queue_remove(&fetch.link);
}

std::uint32_t FetchLine::share(WaitingFetch::Kind kind,
                               std::uint32_t whole) noexcept {
    return kind == WaitingFetch::Kind::fill ? (whole + 1) / 2 : whole;
}

bool FetchLine::empty() const noexcept {
    return ngx_queue_empty(&refreshes_) && ngx_queue_empty(&fills_);
}

bool FetchLine::try_start(WaitingFetch& fetch) noexcept {
    if (!control_.start_fetch(share(fetch.kind, limit_), fetch.kind)) {
        return false;
    }
    if (fetch.start(fetch)) {
        control_.count(Counter::refreshes_started);
        return true;
    }
    // What is missing is here: the place is for others.
    if (control_.end_fetch(share(FetchKind::fill, limit_))) { pass_turn(true); }
    return false;
}

void FetchLine::enter(WaitingFetch& fetch) noexcept {
    bool refresh = fetch.kind == WaitingFetch::Kind::refresh;
    ngx_queue_t& waiting = refresh ? refreshes_ : fills_;
    // Nobody overtakes his like, and no fill a refresh.
    bool first = refresh ? ngx_queue_empty(&refreshes_) : empty();
    if (!closed_ && first && try_start(fetch)) { return; }

    if (closed_ || ngx_exiting ||
        !control_.enter_line(share(fetch.kind, queue_))) {
        control_.count(Counter::refreshes_dropped);
        fetch.drop(fetch);
        return;
    }
    ngx_queue_insert_tail(&waiting, &fetch.link);
    watch();
}

void FetchLine::watch() noexcept {
    if (!backstop_.running()) { backstop_.start(backstop_interval); }
}

void FetchLine::finished() noexcept {
    if (control_.end_fetch(share(FetchKind::fill, limit_))) { turn_.post(); }
}

void FetchLine::wake() noexcept {
    if (!empty() || control_.turn_wanted()) { turn_.post(); }
}

void FetchLine::pass_turn(bool done) noexcept {
    if (control_.pass_turn(limit_, share(FetchKind::fill, limit_), done)) {
        turn_.post();
    }
}

void FetchLine::advance() noexcept {
    if (ngx_exiting) {
        close();
        return;
    }
    // A place that is too much for our fills may do for others' refreshes.
    if (advance(refreshes_)) { pass_turn(advance(fills_)); }
    if (!empty()) { watch(); }
}

// True when nobody waits there any more.
bool FetchLine::advance(ngx_queue_t& waiting) noexcept {
    while (!ngx_queue_empty(&waiting)) {
        ngx_queue_t* first = ngx_queue_head(&waiting);
        auto* fetch = ngx_queue_data(first, WaitingFetch, link);
        // Out of the line first: a fetch that ends within its start comes
        // back here through finished().
        ngx_queue_remove(first);
        if (!try_start(*fetch)) {
            ngx_queue_insert_head(&waiting, first);
            return false;
        }
        control_.leave_line();
    }
    return true;
}

void FetchLine::close() noexcept {
    closed_ = true;
    turn_.cancel();
    backstop_.stop();
    drop_all(refreshes_);
    drop_all(fills_);
    pass_turn(true);
}

void FetchLine::drop_all(ngx_queue_t& waiting) noexcept {
    while (!ngx_queue_empty(&waiting)) {
        ngx_queue_t* first = ngx_queue_head(&waiting);
        auto* fetch = ngx_queue_data(first, WaitingFetch, link);
        ngx_queue_remove(first);
        control_.leave_line();
        control_.count(Counter::refreshes_dropped);
        fetch->drop(*fetch);
    }
}

}  // namespace cacheback::store
