#include "slow_leader.hpp"

#include "request_context.hpp"

namespace cacheback::http {

namespace {

constexpr ngx_msec_t patience = 1000;
// Who lets less than this pass in that time holds the others up, also when a
// little moves each time.
constexpr off_t least = 64 * 1024;

}  // namespace

SlowLeader::SlowLeader(RequestContext& context) noexcept
    : context_(context),
      timer_(
          ngx::Timer::Exit::goes,
          [](void* self) { static_cast<SlowLeader*>(self)->look(); }, this) {}

void SlowLeader::held() noexcept {
    if (timer_.running()) { return; }
    seen_ = context_.capture->seen();
    timer_.start(patience);
}

void SlowLeader::look() noexcept {
    // With nothing held it is the origin that is slow: asking twice is no help.
    if (context_.capture == nullptr ||
        context_.request.connection->buffered == 0) {
        return;
    }
    store::ControlZone& control = context_.store.control();
    if (context_.capture->seen() - seen_ >= least ||
        !control.is_awaited(context_.key)) {
        held();
        return;
    }
    // Who gets the lease of those that wait has all that a background fetch is
    // made of.
    context_.capture.reset();
    context_.reason = core::Reason::slow_client;
    control.ask_for_background(context_.key);
    context_.store.release(context_.key, std::exchange(context_.lease, {}));
}

}  // namespace cacheback::http
