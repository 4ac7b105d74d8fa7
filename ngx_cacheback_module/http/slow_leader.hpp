// http/slow_leader.hpp: a client whose answer others wait for, while it takes
// it so slowly that it holds up the origin (proxy_buffering off, no temporary
// file). Then a background fetch gets the item for the others, and this answer
// passes unstored.
#pragma once

#include "../ngx/timer.hpp"

namespace cacheback::http {

struct RequestContext;

class SlowLeader {
  public:
    explicit SlowLeader(RequestContext& context) noexcept;

    // A part of the answer waits for the client.
    void held() noexcept;

  private:
    void look() noexcept;

    RequestContext& context_;
    ngx::Timer timer_;  // the client's own timers keep a leaving worker
    off_t seen_ = 0;    // of the body, when it was started
};

}  // namespace cacheback::http
