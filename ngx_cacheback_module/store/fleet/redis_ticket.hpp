// store/fleet/redis_ticket.hpp: a question to Redis under way, in the hands of
// who asked it.
#pragma once

#include "redis_lane.hpp"
#include "shared_gets.hpp"

namespace cacheback::store {

// Destroying or resetting it cancels: the callback is then never called. The
// callback is called once, from an event of the link (its socket, a timer, a
// posted event), never from within the call that asked.
class RedisTicket {
  public:
    RedisTicket() = default;
    RedisTicket(const RedisTicket&) = delete;
    RedisTicket& operator=(const RedisTicket&) = delete;
    ~RedisTicket() { cancel(); }

    void cancel() noexcept {
        if (sent_.lane != nullptr) {
            sent_.lane->cancel(sent_.id);
            sent_.lane->let_go();
            sent_ = {};
        }
        asker_.leave();
    }
    // In place of what it held before. The question says `sent = &place()`.
    void hold(RedisLane& lane, redis::QuestionId question) noexcept {
        cancel();
        sent_ = {&lane, question};
        lane.hold();
    }
    [[nodiscard]] SentQuestion& place() noexcept { return sent_; }
    // For a question that others may share; likewise.
    [[nodiscard]] SharedGets::Asker& asker() noexcept {
        cancel();
        return asker_;
    }

  private:
    SentQuestion sent_;
    SharedGets::Asker asker_;
};

}  // namespace cacheback::store
