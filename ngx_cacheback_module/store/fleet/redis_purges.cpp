#include "redis_purges.hpp"

namespace cacheback::store {

PurgeVerdict verdict_of(const redis::TagsJudged& judged, PurgeNumber began,
                        core::Millis now) noexcept {
    using Standing = PurgeVerdict::Standing;
    const PurgeNumber known = PurgeNumber::of_store(judged.known_since);
    // What was purged before is not known any more: the origin knows.
    if (began < PurgeNumber::of_store(judged.gone) || began < known) {
        return {Standing::gone, 0};
    }
    const PurgeNumber stale = PurgeNumber::of_store(judged.stale);
    if (began < stale) { return {Standing::stale, stale.time(now)}; }
    return {};
}

bool RedisPurges::tell(const std::vector<TagId>& tags, PurgeKind kind) {
    RedisNode* node = servers_.feed_holder();
    if (node == nullptr || !node->health.well() || !node->health.writes() ||
        !node->health.fleet() || !node->small.open_for_questions()) {
        control_.count(Counter::redis_writes_dropped);
        return false;
    }
    redis::append_purge(node->small.commands(), {keys_.purges(), keys_.feed()},
                        kind == PurgeKind::gone,
                        control_.fetch_number().in_store() + 1, control_.box(),
                        tags);
    redis::Question question;
    question.done = on_told;
    question.owner = this;
    node->small.ask(question);
    return true;
}

void RedisPurges::on_told(const redis::Question& question,
                          const redis::Answer& answer) {
    RedisHealth::of(question).judge_fleet(answer);
}

bool RedisPurges::judge(const std::vector<TagId>& tags, RedisJudged done,
                        void* data, RedisTicket& ticket, core::Millis spent) {
    RedisNode* node = servers_.feed_holder();
    if (node == nullptr || !node->health.well() || !node->health.fleet() ||
        !node->small.open_for_questions() || !node->small.has_time(spent)) {
        control_.count(Counter::redis_skipped);
        return false;
    }
    redis::append_judge(node->small.commands(), {keys_.purges(), keys_.feed()},
                        control_.fetch_number().in_store() + 1, control_.box(),
                        tags);
    redis::Question question;
    question.done = on_judged;
    question.owner = this;
    question.then = reinterpret_cast<void (*)()>(done);
    question.data = data;
    question.sent = &ticket.place();
    ticket.hold(node->small, node->small.ask(question, -spent));
    return true;
}

void RedisPurges::on_judged(const redis::Question& question,
                            const redis::Answer& answer) {
    auto& self = *static_cast<RedisPurges*>(question.owner);
    RedisHealth& health = RedisHealth::of(question);
    health.judge_fleet(answer);
    TagsJudged judged;
    if (answer.end == redis::Answer::End::reply &&
        answer.reply->kind != redis::Reply::Kind::error) {
        judged = redis::read_judged(*answer.reply);
        if (!judged) {
            self.control_.count(Counter::redis_errors);
            health.garbage("an answer about tags that is none");
        } else {
            self.control_.hear_of_purge(PurgeNumber::of_store(judged->last));
        }
    }
    reinterpret_cast<RedisJudged>(question.then)(question.data, judged);
}

}  // namespace cacheback::store
