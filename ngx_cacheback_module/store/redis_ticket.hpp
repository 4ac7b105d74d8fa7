// store/redis_ticket.hpp: a question to Redis under way, in the hands of who
// asked it.
#pragma once

#include <utility>

#include "redis_lane.hpp"

namespace cacheback::store {

// Destroying or resetting it cancels: the callback is then never called. The
// callback is called once, from an event of the link (its socket, a timer, a
// posted event), never from within the call that asked.
class RedisTicket {
  public:
    RedisTicket() = default;
    RedisTicket(RedisTicket&& other) noexcept
        : lane_(std::exchange(other.lane_, nullptr)),
          question_(other.question_) {}
    RedisTicket& operator=(RedisTicket&& other) noexcept {
        if (this != &other) {
            cancel();
            lane_ = std::exchange(other.lane_, nullptr);
            question_ = other.question_;
        }
        return *this;
    }
    ~RedisTicket() { cancel(); }

    void cancel() noexcept {
        if (lane_ != nullptr) {
            std::exchange(lane_, nullptr)->cancel(question_);
        }
    }
    // In place of what it held before.
    void hold(RedisLane& lane, redis::QuestionId question) noexcept {
        cancel();
        lane_ = &lane;
        question_ = question;
    }

  private:
    RedisLane* lane_ = nullptr;
    redis::QuestionId question_ = 0;
};

}  // namespace cacheback::store
