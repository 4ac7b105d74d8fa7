#include "redis_tier.hpp"

#include "../redis/commands.hpp"

namespace cacheback::store {

namespace {

constexpr std::size_t large_value = 64 * 1024;
constexpr std::size_t most_unsent = 16 * 1024 * 1024;
constexpr std::size_t digest_size = 32;

std::string_view view(const ngx_str_t& text) noexcept {
    return {reinterpret_cast<const char*>(text.data), text.len};
}

// All keys of one item share what stands in braces, and so one cluster slot.
class Digest {
  public:
    explicit Digest(std::string_view text) noexcept {
        ngx_md5_t md5;
        u_char binary[16];
        ngx_md5_init(&md5);
        ngx_md5_update(&md5, text.data(), text.size());
        ngx_md5_final(binary, &md5);
        (void)ngx_hex_dump(hex_, binary, sizeof(binary));
    }
    [[nodiscard]] std::string_view view() const noexcept {
        return {reinterpret_cast<const char*>(hex_), digest_size};
    }

  private:
    u_char hex_[digest_size];
};

std::string get_head(std::string_view key_head) {
    std::string head;
    redis::append_array(head, 2);
    redis::append_word(head, "GET");
    head += '$';
    head += std::to_string(key_head.size() + digest_size + 1);
    head += "\r\n";
    head += key_head;
    return head;
}

}  // namespace

// -- RedisTicket

RedisTicket::RedisTicket(RedisTicket&& other) noexcept
    : lane_(std::exchange(other.lane_, nullptr)), question_(other.question_) {}

RedisTicket& RedisTicket::operator=(RedisTicket&& other) noexcept {
    if (this != &other) {
        cancel();
        lane_ = std::exchange(other.lane_, nullptr);
        question_ = other.question_;
    }
    return *this;
}

void RedisTicket::cancel() noexcept {
    if (lane_ != nullptr) {
        lane_->cancel(question_);
        lane_ = nullptr;
    }
}

// -- RedisTier

RedisTier::RedisTier(const RedisConf& conf, ControlZone& control)
    : control_(control),
      health_(conf, control),
      small_(conf, health_, "cacheback",
             std::string(view(conf.prefix)) + "probe"),
      bulk_(conf, health_, "cacheback-bulk",
            std::string(view(conf.prefix)) + "probe"),
      key_head_(std::string(view(conf.prefix)) + "{") {
    get_head_ = get_head(key_head_);
    // Also while the breaker is open: a worker that starts may know better.
    (void)small_.open_for_questions();
}

bool RedisTier::get(const Key& key, RedisDone done, void* data,
                    RedisTicket& ticket) {
    RedisLane& lane = hints_.large(key.hash) ? bulk_ : small_;
    if (!health_.well() || !lane.open_for_questions()) {
        skip();
        return false;
    }
    const Digest digest(key.text);
    std::string& out = lane.commands();
    out.reserve(out.size() + get_head_.size() + digest_size + 3);
    out += get_head_;
    out += digest.view();
    out += "}\r\n";

    redis::Question question;
    question.done = on_get;
    question.owner = this;
    question.then = reinterpret_cast<void (*)()>(done);
    question.data = data;
    question.tag = key.hash;
    ticket.cancel();
    ticket.question_ = lane.ask(question);
    ticket.lane_ = &lane;
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
                    RedisWritten written, void* data) {
    bool asked = ngx::guard(
        ngx_cycle->log, [&] { return set(key, entry, ttl, written, data); },
        [&] {
            control_.count(Counter::redis_writes_dropped);
            return false;
        });
    if (!asked && written != nullptr) { written(data); }
}

void RedisTier::remove(const Key& key) {
    ngx::guard(
        ngx_cycle->log, [&] { del(key); },
        [&] { control_.count(Counter::redis_writes_dropped); });
}

bool RedisTier::set(const Key& key, const Pieces& entry, core::Millis ttl,
                    RedisWritten written, void* data) {
    if (ttl <= 0) {
        del(key);
        return false;
    }
    const std::size_t size = total(entry);
    if (!may_write(size)) { return false; }
    const Digest digest(key.text);
    std::string name = key_head_;
    name.append(digest.view()).append("}");
    if (size > large_value) {
        std::string command;
        redis::append_set(command, name, entry, ttl);
        bulk_.take_over(std::move(command));
    } else {
        redis::append_set(bulk_.commands(), name, entry, ttl);
    }
    redis::Question question;
    question.done = size > large_value ? on_write<true> : on_write<false>;
    question.owner = this;
    question.then = reinterpret_cast<void (*)()>(written);
    question.data = data;
    question.tag = key.hash;
    bulk_.ask(question);
    // Until it is answered, reads of this key follow it on its lane.
    hints_.set(key.hash, true);
    return true;
}

void RedisTier::del(const Key& key) {
    if (!may_write(0)) { return; }
    redis::Question question;
    question.done = on_write<false>;
    (void)ask_del(key, question);
}

bool RedisTier::remove(const Key& key, RedisDone done, void* data,
                       RedisTicket& ticket) {
    if (!may_write(0)) { return false; }
    redis::Question question;
    question.done = on_removed;
    question.then = reinterpret_cast<void (*)()>(done);
    question.data = data;
    ticket.cancel();
    ticket.question_ = ask_del(key, question);
    ticket.lane_ = &bulk_;
    return true;
}

redis::QuestionId RedisTier::ask_del(const Key& key, redis::Question question) {
    const Digest digest(key.text);
    std::string name = key_head_;
    name.append(digest.view()).append("}");
    redis::append_command(bulk_.commands(), {"DEL", name});
    question.owner = this;
    question.tag = key.hash;
    hints_.set(key.hash, true);
    return bulk_.ask(question);
}

void RedisTier::on_removed(const redis::Question& question,
                           const redis::Answer& answer) {
    auto& self = *static_cast<RedisTier*>(question.owner);
    self.hints_.set(question.tag, false);
    self.judge_write(answer);
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
    auto& self = *static_cast<RedisTier*>(question.owner);
    self.hints_.set(question.tag, is_large);
    self.judge_write(answer);
    if (question.then != nullptr) {
        reinterpret_cast<RedisWritten>(question.then)(question.data);
    }
}

void RedisTier::judge_write(const redis::Answer& answer) {
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
        health_.written();
        return;
    }
    control_.count(Counter::redis_writes_dropped);
    const redis::ErrorKind kind = redis::error_kind(reply.text);
    if (redis::concerns_writes(kind)) {
        health_.write_refused(kind, reply.text);
    } else {
        health_.error_reply(kind, reply.text);
    }
}

void RedisTier::shut_down() noexcept {
    small_.shut_down();
    bulk_.shut_down();
}

}  // namespace cacheback::store
