// store/redis_health.hpp: whether one Redis server is to be asked at all, and
// what the log says about it.
//
// The state is shared by all workers of the box (ControlZone): the first to
// see a failure opens the breaker and writes the line; while it is open nobody
// asks, and one worker at a time probes. Writes have a breaker of their own.
// A state is logged when it changes, never per request.
#pragma once

#include "../ngx/ngx.hpp"
#include "../redis/session.hpp"
#include "control_zone.hpp"

namespace cacheback::store {

struct RedisConf {           // lives in the configuration pool, trivial
    ngx_str_t address_text;  // as the operator may see it, secrets masked
    // Resolved at configuration time; tried one after another.
    const ngx_addr_t* addresses = nullptr;
    ngx_uint_t address_count = 0;
    ngx_str_t user, password;
    ngx_uint_t db = 0;
    ngx_str_t prefix;
    ngx_msec_t timeout = 250;
    std::size_t max_entry = 1024 * 1024;
};

class RedisHealth {
  public:
    RedisHealth(const RedisConf& conf, ControlZone& control);

    // -- reads, and the server as a whole

    [[nodiscard]] bool well() const noexcept {
        return control_.breaker_opened() == 0 || !current();
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
        return control_.writes_stopped() == 0 || !current();
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
    void write_refused(redis::ErrorKind kind, std::string_view text);
    void written() {
        if (writes_off_) { writes_again(); }
    }

  private:
    // The breakers are about this server.
    [[nodiscard]] bool current() const noexcept {
        return control_.server() == server_;
    }
    // Opens the breaker: what went wrong, and what would be right.
    void open(std::string_view what, std::string_view advice);
    bool explained(redis::ErrorKind kind, std::string_view text);
    void writes_again();

    const RedisConf& conf_;
    ControlZone& control_;
    std::uint64_t server_;
    std::size_t timeouts_ = 0;
    unsigned flaps_ = 0;           // failures in a row soon after a greeting
    ngx_msec_t greeted_at_ = 0;    // 0: not since the last failure
    bool writes_off_ = false;      // as far as this worker knows
    std::string fleet_failure_;    // likewise
    ngx_msec_t fleet_off_at_ = 0;  // 0: not lately
    std::string feed_failure_;     // likewise
    std::string last_failure_;     // logged again only when it differs
    redis::ErrorKind last_error_ = redis::ErrorKind::other;
    ngx_msec_t last_error_at_ = 0;
};

}  // namespace cacheback::store
