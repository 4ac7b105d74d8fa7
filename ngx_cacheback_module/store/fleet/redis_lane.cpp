#include "redis_lane.hpp"

#include "../../redis/commands.hpp"

namespace cacheback::store {

namespace {

constexpr std::size_t most_waiting = 16 * 1024;  // questions under way
constexpr std::size_t headroom = 64 * 1024;      // of a reply over its entry
// A box with a larger max_entry may have stored more than this one would.
constexpr std::size_t least_reply = 16 * 1024 * 1024;
constexpr core::Millis stable = 5000;  // a link this old was good
constexpr ngx_msec_t idle_look = 10 * 1000;
constexpr ngx_msec_t probe_tick = 200;  // see RedisHealth::my_turn
constexpr unsigned eager_attempts = 3;

std::string_view view(const ngx_str_t& text) noexcept {
    return {reinterpret_cast<const char*>(text.data), text.len};
}

ngx_msec_t greeting_time(const RedisConf& conf) noexcept {
    constexpr ngx_msec_t least = 1000;
    return std::max(4 * conf.timeout, least);
}

// Between half and all of it.
ngx_msec_t jittered(ngx_msec_t delay) noexcept {
    return delay / 2 + static_cast<ngx_msec_t>(ngx_random()) % (delay / 2 + 1);
}

}  // namespace

RedisLane::RedisLane(const RedisConf& conf, RedisHealth& health,
                     RedisPlace& place, std::string name, std::string probe,
                     ngx::Timer::Exit exit)
    : conf_(conf),
      health_(health),
      place_(place),
      name_(std::move(name)),
      probe_(std::move(probe)),
      exit_(exit),
      session_(std::max(conf.max_entry, least_reply) + headroom,
               static_cast<core::Millis>(conf.timeout)),
      connection_(*this),
      flush_([](void* self) { static_cast<RedisLane*>(self)->flush(); }, this),
      deadline_(
          exit,
          [](void* self) { static_cast<RedisLane*>(self)->on_deadline(); },
          this),
      retry_(
          ngx::Timer::Exit::goes,
          [](void* self) { static_cast<RedisLane*>(self)->on_retry(); }, this),
      idle_(
          ngx::Timer::Exit::goes,
          [](void* self) { static_cast<RedisLane*>(self)->on_idle(); }, this) {
    place_.add(*this);
}

RedisLane::~RedisLane() {
    shut_down();
    place_.remove(*this);
}

// -- questions

bool RedisLane::open_for_questions() {
    if (state_ == State::down && !retry_.running()) { connect(); }
    if (state_ == State::down && attempts_ < eager_attempts && health_.well()) {
        connect();
    }
    return state_ == State::up && !session_.late(now()) &&
           session_.waiting() < most_waiting;
}

redis::QuestionId RedisLane::ask(redis::Question question, core::Millis wait) {
    question.deadline = now() + static_cast<core::Millis>(conf_.timeout) + wait;
    question.server = &health_;
    const redis::QuestionId id = session_.ask(question);
    watch(question.deadline);
    traffic_ = true;
    set_idle(false);
    if (session_.ready()) { flush_.post(); }
    return id;
}

void RedisLane::set_redirector(Redirector& redirector) noexcept {
    redirector_ = &redirector;
    session_.keep_commands(
        [](void* self, const redis::Question& question,
           std::string_view command, std::string_view error) {
            auto& lane = *static_cast<RedisLane*>(self);
            return lane.redirector_->redirect(lane, question, command, error);
        },
        this);
}

bool RedisLane::ask_again(redis::Question question, std::string_view command,
                          bool asking) {
    if (!open_for_questions()) { return false; }
    if (asking) {
        redis::append_command(commands(), {"ASKING"});
        redis::Question leave;
        leave.deadline = question.deadline;
        session_.ask(leave);
    }
    question.server = &health_;
    commands().append(command);
    const redis::QuestionId id = session_.ask(question);
    if (question.sent != nullptr) {
        auto& sent = *static_cast<SentQuestion*>(question.sent);
        sent.lane->let_go();
        sent = {this, id};
        hold();
    }
    watch(question.deadline);
    traffic_ = true;
    set_idle(false);
    if (session_.ready()) { flush_.post(); }
    return true;
}

// -- the link

void RedisLane::connect() {
    retry_.stop();
    ++attempts_;
    moved_ = false;
    greeted_ = false;
    redis::Login login;
    login.user = view(conf_.user);
    login.password = view(conf_.password);
    login.db = conf_.db;
    login.name = name_;
    login.probe = probe_;
    login.only_master = place_.names_a_master();
    login.in_cluster = conf_.topology == RedisConf::Topology::cluster;
    const ngx_msec_t limit = greeting_time(conf_);
    const core::Millis deadline = now() + static_cast<core::Millis>(limit);
    session_.begin(login, now(), deadline);
    connected_ = false;
    tried_ = 0;
    const RedisPlace::Outcome outcome = place_.seek(*this);
    const bool failed = outcome == RedisPlace::Outcome::failed;
    if (failed || (outcome == RedisPlace::Outcome::found && !open_link())) {
        session_.forget_all();
        unreachable(failed ? place_.failure() : connection_.failure());
        plan_retry();
        return;
    }
    state_ = State::up;
    watch(deadline);
}

void RedisLane::found() {
    if (state_ != State::up || connection_.is_open() || open_link()) { return; }
    not_found(connection_.failure());
}

void RedisLane::not_found(std::string_view why) {
    if (state_ != State::up) { return; }
    unreachable(why);
    drop();
}

void RedisLane::moved() {
    attempts_ = 0;
    moved_ = true;
    if (state_ == State::up) {
        drop();
    } else if (state_ == State::down && retry_.running()) {
        plan_retry();
    }
}

void RedisLane::unreachable(std::string_view why) {
    if (is_witness()) { health_.unreachable(why); }
    place_.doubt();
}

// A name may stand for several: no answer from one says nothing of the next.
bool RedisLane::another_address() noexcept {
    const std::size_t count = place_.addresses().size();
    address_++;
    tried_++;
    if (tried_ < count) { return true; }
    tried_ = 0;
    return false;
}

bool RedisLane::open_link() {
    connected_ = false;
    const std::vector<ngx::PeerAddress>& addresses = place_.addresses();
    do {
        address_ %= addresses.size();
        if (connection_.open(addresses[address_], conf_.address_text,
                             greeting_time(conf_))) {
            return true;
        }
    } while (another_address());
    return false;
}

void RedisLane::connected() {
    connected_ = true;
    tried_ = 0;
    flush();
}

void RedisLane::flush() {
    std::string_view pieces[ngx::PeerConnection::max_pieces];
    while (const std::size_t count =
               session_.views(pieces, ngx::PeerConnection::max_pieces)) {
        const auto sent = connection_.send(pieces, count);
        if (!sent) {
            lost(connection_.failure());
            return;
        }
        if (*sent == 0) { return; }
        session_.sent(*sent, now());
    }
}

void RedisLane::received(std::string_view bytes) {
    const bool was_ready = session_.ready();
    const bool well = health_.well();
    const bool sound = session_.received(bytes, now());
    if (state_ != State::up) { return; }  // ended by who was answered
    if (!sound) {
        broken();
        return;
    }
    if (!was_ready && session_.ready()) {
        greeted_ = true;
        up_since_ = now();
        health_.reachable();
        idle_.start(idle_look);
        flush();
        if (state_ != State::up) { return; }
    }
    if (well && !health_.well()) {  // an error reply opened the breaker
        drop();
        return;
    }
    if (is_witness()) { health_.answered(); }
    settle();
}

void RedisLane::set_idle(bool idle) noexcept {
    connection_.set_idle(idle || exit_ == ngx::Timer::Exit::goes);
}

void RedisLane::settle() {
    if (session_.waiting() > 0) { return; }
    set_idle(true);
    if (ngx_exiting) { asked_to_leave(); }
}

void RedisLane::broken() {
    const bool greeted =
        session_.greeting().step == redis::GreetingFailure::Step::none;
    if (!connection_.is_open()) {
        unreachable("its address is not found in time");
    } else if (greeted && is_witness()) {
        health_.garbage(session_.broken());
    } else if (greeted) {
        health_.feed_error(session_.broken());
    } else {
        if (is_witness()) { health_.refused(session_.greeting()); }
        place_.doubt();
    }
    drop();
}

void RedisLane::lost(std::string_view why) {
    // A link that stood may end for many reasons; whether the server is gone
    // shows when the next one is tried, at once. One that greets well and
    // leaves questions unanswered again and again is as good as gone.
    const bool in_vain = session_.waiting() > 0 && attempts_ > eager_attempts;
    if (!connected_) {
        const std::string first(why);  // the next one has its own words
        // Nothing was sent yet: whoever waits may wait for the next address.
        if (another_address() && open_link()) { return; }
        unreachable(first);
        drop();
        return;
    }
    if (!greeted_ || in_vain) { unreachable(why); }
    drop();
}

void RedisLane::drop() {
    place_.forget(*this);
    connection_.close();
    if (greeted_ && now() - up_since_ >= stable) { attempts_ = 0; }
    greeted_ = false;
    deadline_.stop();
    idle_.stop();
    flush_.cancel();
    state_ = State::failing;  // who is told now cannot ask again
    session_.fail_all();
    if (state_ == State::ended) { return; }
    state_ = State::down;
    plan_retry();
}

void RedisLane::rest() {
    if (state_ == State::up) { drop(); }
    retry_.stop();
    attempts_ = 0;
}

void RedisLane::asked_to_leave() {
    place_.forget(*this);
    connection_.close();
    deadline_.stop();
    idle_.stop();
    flush_.cancel();
    session_.forget_all();
    state_ = State::down;
}

void RedisLane::shut_down() noexcept {
    asked_to_leave();
    retry_.stop();
    state_ = State::ended;
}

// -- time

void RedisLane::watch(core::Millis when) noexcept {
    const auto due = static_cast<ngx_msec_t>(when);
    if (deadline_.running()) {
        if (deadline_.due() <= due) { return; }
        deadline_.stop();  // nginx would keep a time that is not far off
    }
    deadline_.start(due > ngx_current_msec ? due - ngx_current_msec : 1);
}

void RedisLane::on_deadline() {
    catch_up();
    if (state_ != State::up) { return; }
    const bool well = health_.well();
    session_.expire(now());
    if (state_ != State::up) { return; }
    if (session_.greeting().step != redis::GreetingFailure::Step::none) {
        broken();
        return;
    }
    if (session_.dead(now())) {
        if (is_witness()) { health_.silent(); }
        drop();
        return;
    }
    if (well && !health_.well()) {  // these time-outs opened the breaker
        drop();
        return;
    }
    if (const core::Millis next = session_.next_wake(now()); next != 0) {
        watch(next);
    }
}

void RedisLane::plan_retry() noexcept {
    if (ngx_exiting) { return; }
    if (!health_.well() && !moved_) {
        retry_.start(jittered(probe_tick));
        return;
    }
    constexpr ngx_msec_t first = 50;
    constexpr unsigned doublings = 7;
    retry_.start(
        attempts_ == 0 ? 1 : jittered(first << std::min(attempts_, doublings)));
}

void RedisLane::on_retry() {
    if (ngx_exiting || state_ != State::down) { return; }
    if (!health_.well() && !moved_ && !(is_witness() && health_.my_turn())) {
        plan_retry();
        return;
    }
    connect();
}

void RedisLane::on_idle() {
    if (ngx_exiting || state_ != State::up) { return; }
    if (!health_.well() && is_witness() && health_.my_turn()) {
        // Another worker opened the breaker and may be gone: a new greeting
        // is the probe.
        drop();
        return;
    }
    if (!traffic_ && session_.waiting() == 0) {
        redis::append_command(commands(), {"PING"});
        ask({});
    }
    traffic_ = false;
    idle_.start(idle_look);
}

}  // namespace cacheback::store
