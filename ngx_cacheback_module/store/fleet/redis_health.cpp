#include "redis_health.hpp"

namespace cacheback::store {

namespace {

using redis::ErrorKind;

constexpr core::Millis longest_pause = 5000;  // between probes
constexpr core::Millis shortest_write_pause = 1000;
constexpr ngx_msec_t quiet = 60 * 1000;  // between lines of one kind

core::Millis wall_now() noexcept {
    const ngx_time_t* now = ngx_timeofday();
    return static_cast<core::Millis>(now->sec) * 1000 +
           static_cast<core::Millis>(now->msec);
}

// Words of a server, fit for a log.
std::string printable(std::string_view text) {
    constexpr std::size_t longest = 160;
    std::string clean(text.substr(0, longest));
    for (char& c : clean) {
        if (c < ' ' || c > '~') { c = '?'; }
    }
    return clean;
}

std::string in_brackets(std::string_view text) {
    return " (" + printable(text) + ")";
}

}  // namespace

// -- reads, and the server as a whole

RedisHealth::RedisHealth(const RedisConf& conf, ControlZone& control,
                         std::string name, std::string_view without)
    : conf_(conf),
      control_(control),
      name_(std::move(name)),
      without_(without),
      server_(seeded_hash(conf.db, name_) | 1),
      breakers_(&control.breakers(server_)) {}

void RedisHealth::log(ngx_uint_t level, const std::string& text) const {
    ngx_log_error(level, ngx_cycle->log, 0, "cacheback: redis %*s %*s",
                  name_.size(), name_.data(), text.size(), text.data());
}

bool RedisHealth::complain(const std::string& text) {
    if (!budget_.take(wall_now())) { return false; }
    const std::uint64_t more = budget_.take_left_out();
    log(NGX_LOG_ERR, more == 0 ? text
                               : text + ", " + std::to_string(more) +
                                     " complaints before that are left out");
    return true;
}

void RedisHealth::complain_anew(std::string& last, std::string_view words,
                                const std::string& text) {
    if (last != words && complain(text)) { last = words; }
}

void RedisHealth::open(std::string_view what, std::string_view advice) {
    // Its place may have gone to another server.
    if (!current()) { breakers_ = &control_.breakers(server_); }
    const bool opened = breakers_->reads.open(
        control_.value(Counter::redis_skipped), wall_now());
    if (opened) { control_.come_back_everywhere(); }
    std::string line(what);
    line.append(", ").append(advice);
    // Open already: only news is worth a line, and only to who knew the old.
    // The system's words for the same, in brackets, are none.
    std::string kind(what.substr(0, what.find(" (")));
    const bool news =
        opened || (!last_failure_.empty() && kind != last_failure_);
    if (opened) {
        log(NGX_LOG_ERR, line);
    } else if (news && !complain(line)) {
        return;
    }
    last_failure_ = std::move(kind);
}

void RedisHealth::unreachable(std::string_view why) {
    open("unreachable" + in_brackets(why), without_);
}

void RedisHealth::timed_out(std::size_t questions) {
    timeouts_ += questions;
    constexpr std::size_t repeated = 2;
    if (timeouts_ >= repeated) { silent(); }
}

void RedisHealth::silent() {
    open("does not answer within " + std::to_string(conf_.timeout) + "ms",
         without_);
}

void RedisHealth::garbage(std::string_view what) {
    open("does not speak Redis' protocol" + in_brackets(what), without_);
}

void RedisHealth::refused(const redis::GreetingFailure& greeting) {
    using Step = redis::GreetingFailure::Step;
    switch (greeting.step) {
    case Step::none: return;
    case Step::timeout: silent(); return;
    case Step::auth:
        if (greeting.kind != ErrorKind::loading) {
            open("refused the password" + in_brackets(greeting.text),
                 "check user and password of the \"redis\" URL");
            return;
        }
        break;
    case Step::select:
        if (greeting.kind == ErrorKind::other) {
            open("refused database " + std::to_string(conf_.db) +
                     in_brackets(greeting.text),
                 "check the database of the \"redis\" URL");
            return;
        }
        break;
    case Step::role:
        if (greeting.kind == ErrorKind::other) {
            open("is no master" + in_brackets(greeting.text),
                 "the Sentinels are asked for the one that is");
            return;
        }
        break;
    case Step::probe:
    case Step::ping: break;
    }
    if (!explained(greeting.kind, greeting.text)) {
        open("refused a read" + in_brackets(greeting.text), without_);
    }
}

// True when `kind` is a state of the server, which is now on record.
bool RedisHealth::explained(ErrorKind kind, std::string_view text) {
    const std::string words = in_brackets(text);
    switch (kind) {
    case ErrorKind::loading:
        open("is loading its data" + words, without_);
        return true;
    case ErrorKind::master_down:
        open("is a replica without its master" + words, without_);
        return true;
    case ErrorKind::cluster_down:
        if (conf_.topology == RedisConf::Topology::cluster) {
            open("says that its cluster is down" + words, without_);
            return true;
        }
        [[fallthrough]];
    case ErrorKind::moved:
    case ErrorKind::ask:
        // In a cluster it passes: the map is being read.
        if (conf_.topology == RedisConf::Topology::cluster) { return true; }
        open("is a node of a Redis Cluster" + words,
             "name it by \"redis_cluster\"");
        return true;
    case ErrorKind::try_again:
        return conf_.topology == RedisConf::Topology::cluster;
    case ErrorKind::no_auth:
        open("wants a password" + words,
             "give one in the \"redis\" URL or by \"redis_password_file\"");
        return true;
    case ErrorKind::no_perm:
        open("forbids reading" + words,
             "allow the user the commands that README lists on keys \"~" +
                 std::string(reinterpret_cast<char*>(conf_.prefix.data),
                             conf_.prefix.len) +
                 "*\"");
        return true;
    case ErrorKind::busy:
        open("is busy with a script" + words, without_);
        return true;
    default: return false;
    }
}

void RedisHealth::error_reply(ErrorKind kind, std::string_view text) {
    if (explained(kind, text)) { return; }
    const ngx_msec_t now = ngx_current_msec;
    if (last_error_at_ != 0 && kind == last_error_ &&
        now - last_error_at_ < quiet) {
        return;
    }
    if (!complain("answered with an error" + in_brackets(text))) { return; }
    last_error_ = kind;
    last_error_at_ = now;
}

void RedisHealth::reachable() {
    timeouts_ = 0;
    last_failure_.clear();
    if (!current()) { return; }
    Breaker& reads = breakers_->reads;
    const core::Millis opened = reads.opened();
    if (opened == 0) { return; }
    const std::uint64_t skipped =
        reads.skipped_of(control_.value(Counter::redis_skipped));
    if (!reads.close(wall_now())) { return; }
    const core::Millis away = std::max<core::Millis>(wall_now() - opened, 0);
    log(NGX_LOG_WARN, "reachable again after " +
                          std::to_string((away + 500) / 1000) + "s, " +
                          std::to_string(skipped) + " look-ups skipped");
}

bool RedisHealth::my_turn() noexcept {
    const core::Millis now = wall_now();
    const core::Millis opened = breakers_->reads.opened();
    const auto shortest =
        static_cast<core::Millis>(conf_.timeout << breakers_->reads.flaps());
    // As long again as half of what it has been away: exponential, without a
    // state of its own; the jitter keeps boxes apart.
    core::Millis pause = std::max((now - opened) / 2, shortest);
    pause = std::min(pause, longest_pause);
    pause += pause * (static_cast<core::Millis>(ngx_random() % 41) - 20) / 100;
    return breakers_->reads.take_probe(now, pause);
}

// -- writes

core::Millis RedisHealth::write_pause() const noexcept {
    return std::min(shortest_write_pause << breakers_->writes.flaps(),
                    longest_pause);
}

bool RedisHealth::may_write() noexcept {
    const core::Millis stopped = breakers_->writes.opened();
    writes_off_ = stopped != 0 && current();
    if (!writes_off_) { return true; }
    const core::Millis now = wall_now();
    const core::Millis pause =
        std::clamp((now - stopped) / 2, write_pause(), longest_pause);
    return breakers_->writes.take_probe(now, pause);
}

void RedisHealth::judge_write(const redis::Answer& answer) {
    if (answer.end == redis::Answer::End::timeout) {
        // Written or not: only the server knows. Reads judge its health.
        control_.count(Counter::redis_timeouts);
        return;
    }
    if (answer.end == redis::Answer::End::lost) {
        control_.count(Counter::redis_writes_dropped);
        return;
    }
    const redis::Reply& reply = *answer.reply;
    if (reply.kind != redis::Reply::Kind::error) {
        written();
        return;
    }
    control_.count(Counter::redis_writes_dropped);
    const redis::ErrorKind kind = redis::error_kind(reply.text);
    if (redis::concerns_writes(kind)) {
        write_refused(kind, reply.text);
    } else {
        error_reply(kind, reply.text);
    }
}

bool RedisHealth::fleet() const noexcept {
    constexpr ngx_msec_t pause = 10 * 1000;
    return fleet_off_at_ == 0 || ngx_current_msec - fleet_off_at_ >= pause;
}

void RedisHealth::judge_fleet(const redis::Answer& answer) {
    if (answer.end != redis::Answer::End::reply ||
        answer.reply->kind != redis::Reply::Kind::error ||
        redis::error_kind(answer.reply->text) != ErrorKind::no_perm) {
        judge_write(answer);
        return;
    }
    fleet_off_at_ = ngx_current_msec;
    const std::string_view text = answer.reply->text;
    complain_anew(
        fleet_failure_, text,
        "does not let this box work with others" + in_brackets(text) +
            ", it fetches for itself, allow the user the commands that README "
            "lists");
}

void RedisHealth::feed_error(std::string_view text) {
    // When the server changes its role: the next reading tells.
    const std::string_view passing = "UNBLOCKED";
    if (text.substr(0, passing.size()) == passing) { return; }
    const ErrorKind kind = redis::error_kind(text);
    if (kind != ErrorKind::no_perm && kind != ErrorKind::other) {
        error_reply(kind, text);
        return;
    }
    complain_anew(feed_failure_, text,
                  "does not let this box read what others change" +
                      in_brackets(text) +
                      ", allow the user the commands that README lists");
}

void RedisHealth::map_error(std::string_view text) {
    if (explained(redis::error_kind(text), text)) { return; }
    complain_anew(map_failure_, text,
                  "does not tell who holds what" + in_brackets(text) +
                      ", expected a node of a Redis Cluster and a user "
                      "that may \"cluster|nodes\"");
}

void RedisHealth::feed_silent(core::Millis length) {
    log(NGX_LOG_WARN, "has not told of changes for " +
                          std::to_string(length / core::second) +
                          "s, it is asked before copies in memory are served");
}

void RedisHealth::feed_heard(core::Millis length) {
    log(NGX_LOG_WARN, "tells of changes again after " +
                          std::to_string((length + 500) / core::second) + "s");
}

void RedisHealth::write_refused(ErrorKind kind, std::string_view text) {
    writes_off_ = true;
    if (!current() ||
        !breakers_->writes.open(control_.value(Counter::redis_writes_dropped),
                                wall_now())) {
        return;
    }
    const char* advice = "";
    switch (kind) {
    case ErrorKind::oom:
        advice =
            ", raise its \"maxmemory\" or set \"maxmemory-policy "
            "allkeys-lfu\"";
        break;
    case ErrorKind::readonly:
        advice = ", it is a replica: name its master in the \"redis\" URL";
        break;
    case ErrorKind::no_perm:
        advice = ", allow the user the commands that README lists";
        break;
    case ErrorKind::misconf:
        advice = ", it cannot save to disk: repair that or turn saving off";
        break;
    default: break;
    }
    log(NGX_LOG_ERR,
        "refuses writes" + in_brackets(text) + ", reads go on" + advice);
}

void RedisHealth::writes_again() {
    const core::Millis now = wall_now();
    const core::Millis stopped = breakers_->writes.opened();
    // One that was on its way before the refusal proves nothing.
    if (stopped != 0 && !breakers_->writes.older_than(write_pause(), now)) {
        return;
    }
    writes_off_ = false;
    if (stopped == 0 || !current() || !breakers_->writes.close(now)) { return; }
    const core::Millis off = std::max<core::Millis>(now - stopped, 0);
    log(NGX_LOG_WARN,
        "takes writes again after " + std::to_string((off + 500) / 1000) + "s");
}

}  // namespace cacheback::store
