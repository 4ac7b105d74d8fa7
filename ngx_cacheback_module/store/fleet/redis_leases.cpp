#include "redis_leases.hpp"

#include "../../redis/commands.hpp"
#include "../../redis/lease_scripts.hpp"

namespace cacheback::store {

namespace {

std::string_view word(Over over) noexcept {
    switch (over) {
    case Over::nobody: return "0";
    case Over::kept: return "1";
    case Over::anybody: return "2";
    }
    return {};
}

}  // namespace

bool RedisLeases::claim(const Key& key, LeaseToken token, core::Millis length,
                        Over over, core::Millis spent, RedisClaimed done,
                        void* data, RedisTicket& ticket) {
    const TextDigest digest(key.text);
    RedisNode* node = servers_.holder(digest);
    if (node == nullptr) { return false; }
    RedisLane& lane = node->small;
    if (!node->health.well() || !node->health.writes() ||
        !node->health.fleet() || !lane.open_for_questions() ||
        !lane.has_time(spent)) {
        return false;
    }
    redis::append_command(
        lane.commands(),
        {"EVAL", redis::claim_script, "3", keys_.lease(digest, key.variant),
         keys_.entry(digest), keys_.epochs(digest), keys_.holder(token),
         std::to_string(std::max<core::Millis>(length, 1)), word(over),
         key.variant});
    redis::Question question;
    question.done = on_claim;
    question.owner = this;
    question.then = reinterpret_cast<void (*)()>(done);
    question.data = data;
    question.sent = &ticket.place();
    ticket.hold(lane, lane.ask(question, -spent));
    return true;
}

void RedisLeases::on_claim(const redis::Question& question,
                           const redis::Answer& answer) {
    auto& self = *static_cast<RedisLeases*>(question.owner);
    const ClaimReply reply = self.judge(RedisHealth::of(question), answer);
    reinterpret_cast<RedisClaimed>(question.then)(question.data, reply);
}

ClaimReply RedisLeases::judge(RedisHealth& health,
                              const redis::Answer& answer) {
    using Kind = redis::Reply::Kind;
    using Status = ClaimReply::Status;
    health.judge_fleet(answer);
    if (answer.end != redis::Answer::End::reply ||
        answer.reply->kind == Kind::error) {
        return {};
    }
    const std::string_view text = answer.reply->text;
    if (answer.reply->kind == Kind::string && !text.empty()) {
        switch (text.front()) {
        case '+': return {Status::ours, text.substr(1)};
        case '=': return {Status::working, {}};
        case '-': return {Status::kept, {}};
        default: break;
        }
    }
    control_.count(Counter::redis_errors);
    health.garbage("an answer to a claim that is none");
    return {};
}

void RedisLeases::release(const Key& key, LeaseToken token) noexcept {
    finish(key, token, "release");
}

void RedisLeases::keep(const Key& key, LeaseToken token) noexcept {
    finish(key, token, "keep");
}

void RedisLeases::finish(const Key& key, LeaseToken token,
                         std::string_view what) noexcept {
    ngx::guard(
        ngx_cycle->log,
        [&] {
            const TextDigest digest(key.text);
            RedisNode* node = servers_.holder(digest);
            // Also behind a claim that is late: it may take effect yet.
            if (node == nullptr || !node->small.takes_commands()) { return; }
            redis::append_command(
                node->small.commands(),
                {"EVAL", redis::finish_script, "4",
                 keys_.lease(digest, key.variant), keys_.entry(digest),
                 keys_.epochs(digest), keys_.variants(digest),
                 keys_.holder(token), what, key.variant});
            redis::Question question;
            question.done = on_finish;
            question.owner = this;
            node->small.ask(question);
        },
        [] {});
}

void RedisLeases::on_finish(const redis::Question& question,
                            const redis::Answer& answer) {
    RedisHealth::of(question).judge_fleet(answer);
}

}  // namespace cacheback::store
