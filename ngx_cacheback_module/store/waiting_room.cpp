#include "waiting_room.hpp"

namespace cacheback::store {

namespace {

// How soon the death of an owner is noticed; wakes never wait for this.
constexpr ngx_msec_t backstop_interval = 250;

}  // namespace

bool Waiter::enter(ControlZone& control, const Key& key) noexcept {
    if (!control.await(key)) { return false; }
    control_ = &control;
    key_ = key;
    WaitingRoom& room = WaitingRoom::instance();
    ngx_queue_insert_tail(&room.waiting_, &link_);
    inside_ = true;
    room.watch();
    return true;
}

void Waiter::leave() noexcept {
    if (!inside_) { return; }
    ngx_queue_remove(&link_);
    inside_ = false;
}

WaitingRoom& WaitingRoom::instance() noexcept {
    static WaitingRoom room;
    return room;
}

WaitingRoom::WaitingRoom() noexcept
    : turn_([](void* self) { static_cast<WaitingRoom*>(self)->look_around(); },
            this),
      // Clients have deadlines of their own, which keep a leaving worker.
      backstop_(
          ngx::Timer::Exit::goes,
          [](void* self) {
              auto& room = *static_cast<WaitingRoom*>(self);
              ngx_queue_t* first = ngx_queue_head(&room.waiting_);
              for (ngx_queue_t* q = first;
                   q != ngx_queue_sentinel(&room.waiting_);
                   q = ngx_queue_next(q)) {
                  auto* waiter = reinterpret_cast<Waiter*>(q);
                  waiter->control_->check_owner(waiter->key_);
              }
              room.look_around();
          },
          this) {
    ngx_queue_init(&waiting_);
}

void WaitingRoom::watch() noexcept {
    if (!backstop_.running()) { backstop_.start(backstop_interval); }
}

void WaitingRoom::wake() noexcept {
    if (!ngx_queue_empty(&waiting_)) { turn_.post(); }
}

void WaitingRoom::look_around() noexcept {
    // Those who come back while we are at it are not looked at again.
    ngx_queue_t all;
    if (ngx_queue_empty(&waiting_)) { return; }
    ngx_queue_init(&all);
    ngx_queue_add(&all, &waiting_);
    ngx_queue_init(&waiting_);

    while (!ngx_queue_empty(&all)) {
        auto* waiter = reinterpret_cast<Waiter*>(ngx_queue_head(&all));
        waiter->leave();
        // The first to find its item free may take it up: the next ones for
        // the same item then find it at work again, and stay.
        if (!waiter->enter(*waiter->control_, waiter->key_)) {
            waiter->look_again_(*waiter);
        }
    }
    if (!ngx_queue_empty(&waiting_)) { watch(); }
}

void WaitingRoom::close() noexcept {
    turn_.cancel();
    backstop_.stop();
}

}  // namespace cacheback::store
