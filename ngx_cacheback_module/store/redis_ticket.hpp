// store/redis_ticket.hpp: a question to Redis under way, in the hands of who
// asked it.
#pragma once

#include <utility>

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
        if (lane_ != nullptr) {
            std::exchange(lane_, nullptr)->cancel(question_);
        }
        asker_.leave();
    }
    // In place of what it held before.
    void hold(RedisLane& lane, redis::QuestionId question) noexcept {
        cancel();
        lane_ = &lane;
        question_ = question;
    }
    // For a question that others may share; likewise.
    [[nodiscard]] SharedGets::Asker& asker() noexcept {
        cancel();
        return asker_;
    }

  private:
    RedisLane* lane_ = nullptr;
    redis::QuestionId question_ = 0;
    SharedGets::Asker asker_;
};

}  // namespace cacheback::store
