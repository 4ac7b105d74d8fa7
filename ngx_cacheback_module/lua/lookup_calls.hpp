// lua/lookup_calls.hpp: what was found, for those who go on with it.
#pragma once

#include "../core/decision.hpp"
#include "handle.hpp"
#include "keys.hpp"

namespace cacheback::lua {

// The item as the memory tier holds it, until the next one is looked for;
// nothing when that is in doubt.
[[nodiscard]] std::optional<core::EntryView> in_memory(store::Store& store,
                                                       const store::Key& key);

// A question to Redis.
class RedisLookup : public Handle {
  public:
    enum Outcome : unsigned char { pending, absent, unavailable, found };

    // `newer`: what is found takes the place of what memory holds.
    RedisLookup(store::Store& store, std::string text, bool newer,
                Signal signal)
        : Handle(store),
          key_(store, std::move(text)),
          newer_(newer),
          signal_(signal) {}

    // False: it cannot be asked now, and memory holds nothing.
    [[nodiscard]] bool ask(core::Millis spent);
    [[nodiscard]] Outcome outcome() const noexcept { return outcome_; }
    // What was found.
    [[nodiscard]] const core::EntryView& entry() const noexcept {
        return *entry_;
    }
    [[nodiscard]] bool from_redis() const noexcept { return from_redis_; }
    // There is an item of responses that has variants; none was asked for.
    [[nodiscard]] bool varies() const noexcept { return varies_; }

  private:
    static void on_reply(void* data, const store::RedisReply& reply) noexcept;
    void take(const store::RedisReply& reply);

    OwnedKey key_;
    bool newer_;
    Signal signal_;
    std::uint32_t fence_ = 0;
    Outcome outcome_ = pending;
    bool in_doubt_ = false;  // entry_ is what memory held
    bool from_redis_ = false;
    bool varies_ = false;
    std::string bytes_;
    std::optional<core::EntryView> entry_;
    store::RedisTicket ticket_;
};

}  // namespace cacheback::lua
