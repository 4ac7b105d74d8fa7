#include "redis_tier.hpp"

#include "../redis/commands.hpp"
#include "../redis/lease_scripts.hpp"

namespace cacheback::store {

namespace {

constexpr std::size_t large_value = 64 * 1024;
constexpr std::size_t most_unsent = 16 * 1024 * 1024;
// What is fetched lives so long under its own name, should nobody commit it.
constexpr core::Millis uncommitted = 60 * core::second;

std::string_view view(const ngx_str_t& text) noexcept {
    return {reinterpret_cast<const char*>(text.data), text.len};
}

std::string get_head(std::string_view key_head) {
    std::string head;
    redis::append_array(head, 2);
    redis::append_word(head, "GET");
    head += '$';
    head += std::to_string(key_head.size() + KeyDigest::size + 1);
    head += "\r\n";
    head += key_head;
    return head;
}

}  // namespace

RedisTier::RedisTier(const RedisConf& conf, ControlZone& control,
                     Feed::OnChange on_change, void* data)
    : control_(control),
      health_(conf, control),
      keys_(view(conf.prefix), control.box()),
      small_(conf, health_, "cacheback", keys_.probe(),
             ngx::Timer::Exit::waits),
      bulk_(conf, health_, "cacheback-bulk", keys_.probe(),
            ngx::Timer::Exit::waits),
      leases_(keys_, small_, bulk_, health_, control),
      feed_(conf, keys_, health_, control, on_change, data),
      get_head_(get_head(keys_.head())) {
    // Also while the breaker is open: a worker that starts may know better.
    (void)small_.open_for_questions();
}

bool RedisTier::get(const Key& key, RedisDone done, void* data,
                    RedisTicket& ticket, core::Millis spent) {
    RedisLane& lane = hints_.large(key.hash) ? bulk_ : small_;
    if (!health_.well() || !lane.open_for_questions() ||
        !lane.has_time(spent)) {
        skip();
        return false;
    }
    const KeyDigest digest(key.text);
    std::string& out = lane.commands();
    out.reserve(out.size() + get_head_.size() + KeyDigest::size + 3);
    out += get_head_;
    out += digest.view();
    out += "}\r\n";

    redis::Question question;
    question.done = on_get;
    question.owner = this;
    question.then = reinterpret_cast<void (*)()>(done);
    question.data = data;
    question.tag = key.hash;
    ticket.hold(lane, lane.ask(question, -spent));
    return true;
}

void RedisTier::on_get(const redis::Question& question,
                       const redis::Answer& answer) {
    auto& self = *static_cast<RedisTier*>(question.owner);
    const RedisReply reply = self.judge(question, answer);
    reinterpret_cast<RedisDone>(question.then)(question.data, reply);
}

RedisReply RedisTier::judge(const redis::Question& question,
                            const redis::Answer& answer) {
    using Kind = redis::Reply::Kind;
    using Status = RedisReply::Status;
    if (answer.end == redis::Answer::End::timeout) {
        control_.count(Counter::redis_timeouts);
        health_.timed_out(1);
        return {};
    }
    if (answer.end == redis::Answer::End::lost) {
        control_.count(Counter::redis_errors);
        return {};
    }
    switch (answer.reply->kind) {
    case Kind::string:
        hints_.set(question.tag, answer.reply->text.size() > large_value);
        return {Status::found, answer.reply->text};
    case Kind::nil:
        hints_.set(question.tag, false);
        control_.count(Counter::redis_misses);
        return {Status::absent, {}};
    case Kind::error:
        control_.count(Counter::redis_errors);
        health_.error_reply(redis::error_kind(answer.reply->text),
                            answer.reply->text);
        return {};
    default:
        control_.count(Counter::redis_errors);
        health_.garbage("an answer to GET that is no value");
        return {};
    }
}

// Writes share one link, so that they reach the server in their order.
bool RedisTier::may_write(std::size_t size) {
    if (health_.well() && bulk_.unsent() + size <= most_unsent &&
        bulk_.open_for_questions() && health_.may_write()) {
        return true;
    }
    control_.count(Counter::redis_writes_dropped);
    return false;
}

void RedisTier::put(const Key& key, const Pieces& entry, core::Millis ttl,
                    LeaseToken token, RedisWritten written, void* data) {
    bool asked = ngx::guard(
        ngx_cycle->log,
        [&] { return set(key, entry, ttl, token, written, data); },
        [&] {
            control_.count(Counter::redis_writes_dropped);
            return false;
        });
    if (!asked && written != nullptr) { written(data, Written::no); }
}

void RedisTier::remove(const Key& key) {
    ngx::guard(
        ngx_cycle->log, [&] { del(key); },
        [&] { control_.count(Counter::redis_writes_dropped); });
}

bool RedisTier::set(const Key& key, const Pieces& entry, core::Millis ttl,
                    LeaseToken token, RedisWritten written, void* data) {
    if (ttl <= 0) {
        del(key);
        return false;
    }
    const std::size_t size = total(entry);
    if (!may_write(size)) { return false; }
    const KeyDigest digest(key.text);
    redis::Question question;
    question.done = size > large_value ? on_write<true> : on_write<false>;
    question.owner = this;
    question.then = reinterpret_cast<void (*)()>(written);
    question.data = data;
    question.tag = key.hash;
    if (token == 0) {
        ask_set(keys_.entry(digest), entry, ttl, question);
    } else {
        const std::string fetched = keys_.fetched(digest, token);
        redis::Question first;
        first.done = on_side_write;
        first.owner = this;
        ask_set(fetched, entry, uncommitted, first);
        redis::append_command(
            bulk_.commands(),
            {"EVAL", redis::commit_script, "3", keys_.lease(digest),
             keys_.entry(digest), fetched, keys_.holder(token),
             std::to_string(ttl)});
        bulk_.ask(question);
    }
    // Until it is answered, reads of this key follow it on its lane.
    hints_.set(key.hash, true);
    return true;
}

void RedisTier::ask_set(const std::string& name, const Pieces& entry,
                        core::Millis ttl, const redis::Question& question) {
    if (total(entry) > large_value) {
        std::string command;
        redis::append_set(command, name, entry, ttl);
        bulk_.take_over(std::move(command));
    } else {
        redis::append_set(bulk_.commands(), name, entry, ttl);
    }
    bulk_.ask(question);
}

void RedisTier::revoke(const Key& key) {
    ngx::guard(
        ngx_cycle->log,
        [&] {
            if (may_write(0)) { ask_revoke(key); }
        },
        [&] { control_.count(Counter::redis_writes_dropped); });
}

void RedisTier::ask_revoke(const Key& key) {
    redis::append_command(bulk_.commands(),
                          {"DEL", keys_.lease(KeyDigest(key.text))});
    redis::Question question;
    question.done = on_side_write;
    question.owner = this;
    bulk_.ask(question);
}

void RedisTier::del(const Key& key) {
    if (!may_write(0)) { return; }
    redis::Question question;
    question.done = on_write<false>;
    (void)ask_del(key, question);
}

void RedisTier::finish_removal(const Key& key, LeaseToken token) {
    ngx::guard(
        ngx_cycle->log,
        [&] {
            if (!may_write(0)) { return; }
            const KeyDigest digest(key.text);
            redis::append_command(
                bulk_.commands(),
                {"EVAL", redis::finish_script, "2", keys_.lease(digest),
                 keys_.entry(digest), keys_.holder(token), "remove"});
            redis::Question question;
            question.done = on_write<false>;
            question.owner = this;
            question.tag = key.hash;
            hints_.set(key.hash, true);
            bulk_.ask(question);
        },
        [&] { control_.count(Counter::redis_writes_dropped); });
}

bool RedisTier::remove(const Key& key, RedisDone done, void* data,
                       RedisTicket& ticket) {
    if (!may_write(0)) { return false; }
    redis::Question question;
    question.done = on_removed;
    question.then = reinterpret_cast<void (*)()>(done);
    question.data = data;
    ticket.hold(bulk_, ask_del(key, question));
    return true;
}

// The lease first: who fetches the item must not bring it back.
redis::QuestionId RedisTier::ask_del(const Key& key, redis::Question question) {
    ask_revoke(key);
    redis::append_command(bulk_.commands(),
                          {"DEL", keys_.entry(KeyDigest(key.text))});
    question.owner = this;
    question.tag = key.hash;
    hints_.set(key.hash, true);
    return bulk_.ask(question);
}

void RedisTier::announce(const Key& key, redis::Change::Kind kind,
                         core::Millis length) noexcept {
    ngx::guard(
        ngx_cycle->log,
        [&] {
            if (!health_.well() || !health_.writes() ||
                !bulk_.open_for_questions()) {
                return;
            }
            redis::append_change(bulk_.commands(), keys_.feed(),
                                 {kind, length, control_.box(), key.text});
            redis::Question question;
            question.done = on_side_write;
            question.owner = this;
            bulk_.ask(question);
        },
        [] {});
}

void RedisTier::on_side_write(const redis::Question& question,
                              const redis::Answer& answer) {
    static_cast<RedisTier*>(question.owner)->health_.judge_write(answer);
}

void RedisTier::on_removed(const redis::Question& question,
                           const redis::Answer& answer) {
    auto& self = *static_cast<RedisTier*>(question.owner);
    self.hints_.set(question.tag, false);
    self.health_.judge_write(answer);
    RedisReply reply;
    if (answer.end == redis::Answer::End::reply &&
        answer.reply->kind == redis::Reply::Kind::integer) {
        reply.status = answer.reply->integer > 0 ? RedisReply::Status::found
                                                 : RedisReply::Status::absent;
    }
    reinterpret_cast<RedisDone>(question.then)(question.data, reply);
}

template <bool is_large>
void RedisTier::on_write(const redis::Question& question,
                         const redis::Answer& answer) {
    using Kind = redis::Reply::Kind;
    auto& self = *static_cast<RedisTier*>(question.owner);
    self.hints_.set(question.tag, is_large);
    self.health_.judge_write(answer);
    if (question.then == nullptr) { return; }
    Written written = Written::no;
    if (answer.end == redis::Answer::End::reply) {
        const redis::Reply& reply = *answer.reply;
        if (reply.kind == Kind::status) { written = Written::yes; }
        if (reply.kind == Kind::integer) {  // the commit script's
            written = reply.integer > 0    ? Written::yes
                      : reply.integer == 0 ? Written::refused
                                           : Written::no;
        }
    }
    reinterpret_cast<RedisWritten>(question.then)(question.data, written);
}

void RedisTier::shut_down() noexcept {
    feed_.shut_down();
    small_.shut_down();
    bulk_.shut_down();
}

}  // namespace cacheback::store
