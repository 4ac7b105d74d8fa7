// store/fleet/redis_health.hpp: whether one Redis server is to be asked at all,
// and what the log says about it.
//
// The state is shared by all workers of the box (ControlZone): the first to
// see a failure opens the breaker and writes the line; while it is open nobody
// asks, and one worker at a time probes. Writes have a breaker of their own.
// A state is logged when it changes, never per request, and what else a server
// says within a budget.
#pragma once

#include "../../ngx/ngx.hpp"
#include "../../redis/session.hpp"
#include "../control/control_zone.hpp"
#include "log_budget.hpp"
#include "redis_conf.hpp"

namespace cacheback::store {

class RedisHealth {
  public:
    // `name`: where it is, for logs, and what tells it from others. `without`:
    // what is done while it is away.
    RedisHealth(const RedisConf& conf, ControlZone& control, std::string name,
                std::string_view without = "serving without it");

    // Of whoever was asked, see RedisLane::ask().
    [[nodiscard]] static RedisHealth& of(
        const redis::Question& question) noexcept {
        return *static_cast<RedisHealth*>(question.server);
    }

    // -- reads, and the server as a whole

    [[nodiscard]] bool well() const noexcept {
        return breakers_->reads.opened() == 0 || !current();
    }
    // No link, or one that ended in vain: `why` in the words of the system.
    void unreachable(std::string_view why);
    // Time-outs without any answer in between; the second opens the breaker.
    void timed_out(std::size_t questions);
    void silent();  // a link was given up for dead
    void answered() noexcept { timeouts_ = 0; }
    void garbage(std::string_view what);
    void refused(const redis::GreetingFailure& greeting);
    // An error in reply to a read, or to a write that failed as a read would.
    void error_reply(redis::ErrorKind kind, std::string_view text);
    void reachable();  // a greeting was answered in full

    // While the breaker is open: whether this worker is to probe now.
    [[nodiscard]] bool my_turn() noexcept;

    // -- writes

    // False: refused lately. may_write() lets a write through now and then, as
    // a probe.
    [[nodiscard]] bool writes() const noexcept {
        return breakers_->writes.opened() == 0 || !current();
    }
    [[nodiscard]] bool may_write() noexcept;
    // What has become of a write.
    void judge_write(const redis::Answer& answer);
    // The same for what boxes tell each other: leases, commits, the feed. Who
    // may not do that works on its own, and that for a while.
    void judge_fleet(const redis::Answer& answer);
    [[nodiscard]] bool fleet() const noexcept;
    // An error in reply to a read of the feed of changes.
    void feed_error(std::string_view text);
    // The same for the map of a cluster's slots.
    void map_error(std::string_view text);
    // The feed is not heard of for so long, and then again.
    void feed_silent(core::Millis length);
    void feed_heard(core::Millis length);
    void write_refused(redis::ErrorKind kind, std::string_view text);
    void written() {
        if (writes_off_) { writes_again(); }
    }

  private:
    // The breakers are about this server still.
    [[nodiscard]] bool current() const noexcept {
        return breakers_->server == server_;
    }
    void log(ngx_uint_t level, const std::string& text) const;
    // What is no change of state, in the server's words, which may change with
    // each answer. False: not this time.
    bool complain(const std::string& text);
    // The same in other words than the `last`.
    void complain_anew(std::string& last, std::string_view words,
                       const std::string& text);
    [[nodiscard]] core::Millis write_pause() const noexcept;
    // Opens the breaker: what went wrong, and what would be right.
    void open(std::string_view what, std::string_view advice);
    bool explained(redis::ErrorKind kind, std::string_view text);
    void writes_again();

    const RedisConf& conf_;
    ControlZone& control_;
    std::string name_;
    std::string_view without_;
    std::uint64_t server_;
    ServerBreakers* breakers_;
    std::size_t timeouts_ = 0;
    bool writes_off_ = false;      // as far as this worker knows
    std::string fleet_failure_;    // likewise
    ngx_msec_t fleet_off_at_ = 0;  // 0: not lately
    std::string feed_failure_;     // likewise
    std::string map_failure_;      // likewise
    std::string last_failure_;     // logged again only when it differs
    LogBudget budget_{8, 10 * core::second};
    redis::ErrorKind last_error_ = redis::ErrorKind::other;
    ngx_msec_t last_error_at_ = 0;
};

}  // namespace cacheback::store
