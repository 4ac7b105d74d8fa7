#include "master_place.hpp"

namespace cacheback::store {

namespace {

constexpr ngx_msec_t look_again = 1000;
constexpr ngx_msec_t look_soon = 100;

std::string text_of(const ngx_str_t& text) {
    return {reinterpret_cast<char*>(text.data), text.len};
}

}  // namespace

struct MasterPlace::Sentinel {
    Sentinel(const RedisConf& conf, const RedisSeed& seed, ControlZone& control)
        : place(conf, seed),
          health(conf, control, "sentinel " + text_of(seed.text),
                 "the others are asked"),
          lane(conf, health, place, "cacheback-sentinel", {},
               ngx::Timer::Exit::goes) {}

    HostPlace place;
    RedisHealth health;
    RedisLane lane;
};

MasterPlace::MasterPlace(const RedisConf& conf, ControlZone& control)
    : conf_(conf),
      tick_(
          ngx::Timer::Exit::goes,
          [](void* self) { static_cast<MasterPlace*>(self)->tick(); }, this) {
    for (ngx_uint_t i = 0; i < conf.seed_count; ++i) {
        sentinels_.push_back(
            std::make_unique<Sentinel>(conf, conf.seeds[i], control));
    }
    tick_.start(1);  // the event loop is not there yet when a worker starts
}

MasterPlace::~MasterPlace() {
    if (host_) { host_->remove(search_); }
}

void MasterPlace::tick() {
    if (ngx_exiting) { return; }
    tick_.start(look_again);
    (void)ask();
}

void MasterPlace::doubt() {
    doubted_ = true;
    if (ngx_exiting ||
        (tick_.running() && tick_.due() <= ngx_current_msec + look_soon)) {
        return;
    }
    tick_.stop();
    tick_.start(look_soon);
}

bool MasterPlace::ask() {
    if (asked_ > 0) { return true; }
    answers_.clear();
    refusal_.clear();
    for (const std::unique_ptr<Sentinel>& sentinel : sentinels_) {
        if (!sentinel->lane.open_for_questions()) { continue; }
        redis::append_sentinel_master(
            sentinel->lane.commands(),
            {reinterpret_cast<char*>(conf_.master.data), conf_.master.len});
        redis::Question question;
        question.done = on_answer;
        question.owner = this;
        sentinel->lane.ask(question);
        asked_++;
    }
    return asked_ > 0;
}

void MasterPlace::on_answer(const redis::Question& question,
                            const redis::Answer& answer) {
    auto& self = *static_cast<MasterPlace*>(question.owner);
    if (answer.end == redis::Answer::End::reply) {
        const redis::Reply& reply = *answer.reply;
        auto master = redis::read_sentinel_master(reply);
        if (master) {
            self.answers_.push_back(std::move(*master));
        } else if (reply.kind == redis::Reply::Kind::error) {
            self.refusal_ = reply.text;
        }
    }
    if (--self.asked_ == 0) { self.conclude(); }
}

void MasterPlace::conclude() {
    const redis::SentinelMaster* best = redis::choose_master(answers_);
    if (best == nullptr) {
        if (host_) { return; }  // the known one may do as well
        not_found(refusal_.empty() ? "no Sentinel answers"
                                   : "a Sentinel says: " + refusal_);
        return;
    }
    const bool other =
        !host_ || best->host != master_.host || best->port != master_.port;
    if (!other || best->epoch >= master_.epoch || doubted_) { follow(*best); }
}

void MasterPlace::follow(const redis::SentinelMaster& master) {
    doubted_ = false;
    const bool other =
        !host_ || master.host != master_.host || master.port != master_.port;
    master_ = master;
    if (other) {
        const std::string where =
            master.host + ":" + std::to_string(master.port);
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "cacheback: redis %V is at %*s", &conf_.address_text,
                      where.size(), where.data());
        if (host_) { host_->remove(search_); }
        addresses_.clear();  // they point into the old one
        host_ = std::make_unique<HostPlace>(conf_, master.host, master.port,
                                            master.host);
        host_->add(search_);
        leaving_ = true;
    }
    switch (look_up_host()) {
    case Outcome::found: tell_found(); break;
    case Outcome::failed: not_found(failure_); break;
    case Outcome::later: break;  // Search
    }
}

RedisPlace::Outcome MasterPlace::look_up_host() {
    const Outcome outcome = host_->seek(search_);
    if (outcome == Outcome::found) { addresses_ = host_->addresses(); }
    if (outcome == Outcome::failed) { failure_ = host_->failure(); }
    return outcome;
}

void MasterPlace::tell_found() {
    if (std::exchange(leaving_, false)) { moved(); }
    found();
}

void MasterPlace::Search::found() {
    owner_.addresses_ = owner_.host_->addresses();
    owner_.tell_found();
}

void MasterPlace::Search::not_found(std::string_view why) {
    owner_.not_found(why);
}

// A known master is tried while the Sentinels are asked whether it still is.
RedisPlace::Outcome MasterPlace::look() {
    if (host_) { return look_up_host(); }
    if (ask()) { return Outcome::later; }
    failure_ = "no Sentinel can be asked";
    return Outcome::failed;
}

}  // namespace cacheback::store
