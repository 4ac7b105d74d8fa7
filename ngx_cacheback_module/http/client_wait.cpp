#include "client_wait.hpp"

#include "request_context.hpp"

namespace cacheback::http {

ClientWait::ClientWait(RequestContext& context, ngx_msec_t limit) noexcept
    : context_(context),
      seat_(*this),
      deadline_(
          ngx::Timer::Exit::waits,
          [](void* self) {
              auto& wait = *static_cast<ClientWait*>(self);
              wait.over_ = true;
              wait.seat_.leave();
              wait.look_again();
          },
          this) {
    deadline_.start(limit);
}

bool ClientWait::begin() noexcept {
    return !over_ && seat_.enter(context_.store.control(), context_.key);
}

void ClientWait::on_look_again(store::Waiter& waiter) noexcept {
    static_cast<Seat&>(waiter).owner.look_again();
}

// The request may be gone when this returns.
void ClientWait::look_again() noexcept {
    if (context_.stage != RequestContext::Stage::waiting) { return; }
    context_.stage = RequestContext::Stage::again;
    resume(context_);
}

}  // namespace cacheback::http
