#include "redis_tier.hpp"

#include "../../core/entry.hpp"
#include "../../core/hexadecimal.hpp"
#include "../../core/vary.hpp"
#include "../../redis/commands.hpp"
#include "../../redis/lease_scripts.hpp"

namespace cacheback::store {

namespace {

constexpr std::size_t large_value = 64 * 1024;
constexpr std::size_t most_unsent = 16 * 1024 * 1024;
// What is fetched lives so long under its own name, should nobody commit it.
constexpr core::Millis uncommitted = 60 * core::second;

std::string_view view(const ngx_str_t& text) noexcept {
    return {reinterpret_cast<const char*>(text.data), text.len};
}

std::string_view view(const core::Invalidation& bytes) noexcept {
    return {bytes.data(), bytes.size()};
}

}  // namespace

RedisTier::RedisTier(const RedisConf& conf, ControlZone& control,
                     Feed::OnChange on_change, void* data)
    : control_(control),
      seal_(conf),
      keys_(view(conf.prefix), control.box()),
      servers_(RedisServers::make(conf, keys_, control)),
      gets_(static_cast<core::Millis>(conf.timeout)),
      leases_(keys_, *servers_, control),
      purges_(keys_, *servers_, control),
      feed_(keys_, *servers_, control, on_change, data) {}

bool RedisTier::well(const Key& key) const noexcept {
    const RedisNode* node = servers_->holder(TextDigest(key.text));
    return node != nullptr && node->health.well();
}

bool RedisTier::get(const Key& key, std::string_view generation, RedisDone done,
                    void* data, RedisTicket& ticket, core::Millis spent) {
    const std::uint64_t place = generation.empty() ? key.hash : key.lease();
    const TextDigest digest(key.text);
    RedisNode* node = servers_->holder(digest);
    if (node == nullptr || !node->health.well()) {
        skip();
        return false;
    }
    RedisLane& lane = hints_.large(place) ? node->bulk : node->small;
    if (!lane.open_for_questions() || !lane.has_time(spent)) {
        skip();
        return false;
    }
    const SharedGets::Subject subject{place, control_.fence(key),
                                      control_.writes(place)};
    SharedGets::Asker& asker = ticket.asker();
    if (gets_.join(subject, asker, done, data, spent)) { return true; }

    SharedGets::Get& get = gets_.place();
    const bool item = generation.empty();
    redis::append_get(
        lane.commands(),
        {keys_.head(), digest.view(), item ? "}" : "}:", generation,
         item ? "" : ":", item ? std::string_view() : key.variant});

    redis::Question question;
    question.done = on_get;
    question.owner = this;
    question.data = &get;
    question.tag = place;
    question.sent = &get.sent;
    gets_.begin(get, subject, lane, lane.ask(question), asker, done, data,
                spent);
    return true;
}

void RedisTier::on_get(const redis::Question& question,
                       const redis::Answer& answer) {
    auto& self = *static_cast<RedisTier*>(question.owner);
    const RedisReply reply = ngx::guard(
        ngx_cycle->log, [&] { return self.judge(question, answer); },
        [] { return RedisReply{}; });
    self.gets_.end(*static_cast<SharedGets::Get*>(question.data), reply);
}

RedisReply RedisTier::judge(const redis::Question& question,
                            const redis::Answer& answer) {
    using Kind = redis::Reply::Kind;
    using Status = RedisReply::Status;
    if (answer.end == redis::Answer::End::timeout) {
        control_.count(Counter::redis_timeouts);
        RedisHealth::of(question).timed_out(1);
        return {};
    }
    if (answer.end == redis::Answer::End::lost) {
        control_.count(Counter::redis_errors);
        return {};
    }
    switch (answer.reply->kind) {
    case Kind::string:
        hints_.set(question.tag, answer.reply->text.size() > large_value);
        return {Status::found, answer.reply->text, answer.reply->owner};
    case Kind::nil:
        hints_.set(question.tag, false);
        control_.count(Counter::redis_misses);
        return {Status::absent, {}, nullptr};
    case Kind::error:
        control_.count(Counter::redis_errors);
        RedisHealth::of(question).error_reply(
            redis::error_kind(answer.reply->text), answer.reply->text);
        return {};
    default:
        control_.count(Counter::redis_errors);
        RedisHealth::of(question).garbage("an answer to GET that is no value");
        return {};
    }
}

std::optional<std::string_view> RedisTier::open(const Key& key,
                                                std::string_view value) {
    if (!seal_.is_on()) { return value; }
    const auto entry = seal_.open(keys_.entry(TextDigest(key.text)), value);
    if (!entry) { control_.count(Counter::redis_unsigned); }
    return entry;
}

void RedisTier::refuse(const Key& key, std::size_t size, bool opened,
                       ngx_log_t& log) {
    control_.count(Counter::redis_errors);
    if (!refusals_.take(MemoryTier::clock())) { return; }
    ngx_log_error(NGX_LOG_WARN, &log, 0,
                  "cacheback: redis holds %uz bytes for \"%*s\" that are not "
                  "%s, taken as a miss",
                  size, key.text.size(), key.text.data(),
                  opened ? "an entry of this key and format"
                         : "signed by a key of \"redis_sign\"");
}

RedisNode* RedisTier::to_write_to(const TextDigest& digest, std::size_t size) {
    RedisNode* node = servers_->holder(digest);
    if (node != nullptr && node->health.well()) {
        RedisLane& lane = size > large_value ? node->bulk : node->small;
        if (lane.unsent() + size <= most_unsent && lane.open_for_questions() &&
            node->health.may_write()) {
            return node;
        }
    }
    control_.count(Counter::redis_writes_dropped);
    return nullptr;
}

template <class Ask>
void RedisTier::attempt(RedisWritten written, void* data, Ask ask) noexcept {
    bool asked = ngx::guard(ngx_cycle->log, ask, [&] {
        control_.count(Counter::redis_writes_dropped);
        return false;
    });
    if (!asked && written != nullptr) { written(data, Written::no); }
}

redis::Question RedisTier::question_of(const Key& key, RedisWritten written,
                                       void* data) noexcept {
    redis::Question question;
    question.owner = this;
    question.then = reinterpret_cast<void (*)()>(written);
    question.data = data;
    question.tag = key.lease();
    return question;
}

void RedisTier::put(const Key& key, const Target& target, const Pieces& entry,
                    core::Millis ttl, LeaseToken token, RedisWritten written,
                    void* data) {
    if (ttl <= 0) {  // of no more use, nor is what it replaces
        remove(key, token, written, data);
        return;
    }
    attempt(written, data, [&] {
        const TextDigest digest(key.text);
        RedisNode* node = to_write_to(digest, total(entry));
        if (node == nullptr) { return false; }
        const bool is_large = total(entry) > large_value;
        RedisLane& lane = is_large ? node->bulk : node->small;
        const std::string name = keys_.entry(digest);
        const Pieces sealed = seal_.seal(name, entry);
        // It is read again by its own name, whatever its lease was.
        Key place = key.item();
        if (token != 0) { control_.name_variant(place, target.variant); }
        redis::Question question = question_of(place, written, data);
        if (token == 0) {
            question.done = is_large
                                ? on_write<true, &RedisHealth::judge_write>
                                : on_write<false, &RedisHealth::judge_write>;
            ask_set(lane, name, sealed, ttl, question);
        } else {
            const std::string fetched = keys_.fetched(digest, token);
            redis::Question first = question_of(place, nullptr, nullptr);
            first.done = on_side_write<&RedisHealth::judge_write>;
            ask_set(lane, fetched, sealed, uncommitted, first);
            redis::append_command(
                lane.commands(),
                {"EVAL", redis::commit_script, "5",
                 keys_.lease(digest, key.variant), name, fetched,
                 keys_.epochs(digest), keys_.variants(digest),
                 keys_.holder(token), std::to_string(ttl),
                 view(core::invalidation(
                     core::peek_stored(entry.front()).value_or(0))),
                 target.variant, target.names, core::hexadecimal(token),
                 std::to_string(core::max_variants)});
            question.done = is_large
                                ? on_write<true, &RedisHealth::judge_fleet>
                                : on_write<false, &RedisHealth::judge_fleet>;
            lane.ask(question);
        }
        // Until it is answered, reads of this key follow it on its lane.
        hints_.set(place.lease(), is_large);
        control_.note_write(place.hash);
        control_.note_write(place.lease());
        if (node->health.fleet()) {
            redis::Question word = question_of(key, nullptr, nullptr);
            word.done = on_side_write<&RedisHealth::judge_fleet>;
            redis::Change change;
            change.as = target.variant;
            change.names = target.names;
            (void)ask_announce(*node, lane, key, change, word);
        }
        return true;
    });
}

void RedisTier::ask_set(RedisLane& lane, const std::string& name,
                        const Pieces& entry, core::Millis ttl,
                        const redis::Question& question) {
    if (total(entry) > large_value) {
        std::string command;
        redis::append_set(command, name, entry, ttl);
        lane.take_over(std::move(command));
    } else {
        redis::append_set(lane.commands(), name, entry, ttl);
    }
    lane.ask(question);
}

void RedisTier::remove(const Key& key, LeaseToken token, RedisWritten written,
                       void* data) {
    attempt(written, data, [&] {
        const TextDigest digest(key.text);
        RedisNode* node = to_write_to(digest, 0);
        if (node == nullptr) { return false; }
        redis::Question question = question_of(key, written, data);
        if (token == 0) {
            question.done = node->health.fleet()
                                ? on_reply<&RedisHealth::judge_fleet>
                                : on_reply<&RedisHealth::judge_write>;
            (void)ask_del(*node, key, digest, question);
            return true;
        }
        question.done = on_reply<&RedisHealth::judge_fleet>;
        redis::append_command(
            node->small.commands(),
            {"EVAL", redis::finish_script, "4",
             keys_.lease(digest, key.variant), keys_.entry(digest),
             keys_.epochs(digest), keys_.variants(digest), keys_.holder(token),
             "remove", key.variant});
        control_.note_write(key.lease());
        node->small.ask(question);
        return true;
    });
}

void RedisTier::invalidate(const Key& key, core::Millis now, Fetches fetches,
                           RedisWritten written, void* data) {
    attempt(written, data, [&] {
        const TextDigest digest(key.text);
        RedisNode* node = to_write_to(digest, 0);
        if (node == nullptr) { return false; }
        redis::Question question = question_of(key, written, data);
        if (!node->health.fleet()) {  // no scripts there, so no stale entry
            question.done = on_reply<&RedisHealth::judge_write>;
            (void)ask_del(*node, key, digest, question);
            return true;
        }
        question.done = on_reply<&RedisHealth::judge_fleet>;
        (void)ask_change(*node, key, digest,
                         fetches == Fetches::voided ? "r" : "o",
                         view(core::invalidation(now)), question);
        return true;
    });
}

redis::QuestionId RedisTier::ask_change(RedisNode& node, const Key& key,
                                        const TextDigest& digest,
                                        std::string_view epoch,
                                        std::string_view mark,
                                        const redis::Question& question) {
    redis::append_command(
        node.small.commands(),
        {"EVAL", redis::change_script, "4", keys_.lease(digest, {}),
         keys_.entry(digest), keys_.epochs(digest), keys_.variants(digest),
         epoch, mark});
    control_.note_write(key.hash);
    return node.small.ask(question);
}

// The lease first: who fetches the item must not bring it back.
redis::QuestionId RedisTier::ask_del(RedisNode& node, const Key& key,
                                     const TextDigest& digest,
                                     const redis::Question& question) {
    const std::string name = keys_.entry(digest);
    hints_.set(key.hash, false);
    if (node.bulk.busy() && node.bulk.open_for_questions()) {
        // Nor what is on its way there without a lease.
        redis::append_command(node.bulk.commands(), {"DEL", name});
        redis::Question second = question_of(key, nullptr, nullptr);
        second.done = on_reply<&RedisHealth::judge_write>;
        node.bulk.ask(second);
    }
    if (node.health.fleet()) {
        return ask_change(node, key, digest, "r", {}, question);
    }
    redis::append_command(node.small.commands(),
                          {"DEL", keys_.lease(digest, {})});
    redis::Question first = question_of(key, nullptr, nullptr);
    first.done = on_side_write<&RedisHealth::judge_write>;
    node.small.ask(first);
    redis::append_command(node.small.commands(), {"DEL", name});
    control_.note_write(key.hash);
    return node.small.ask(question);
}

void RedisTier::announce(const Key& key, redis::Change::Kind kind,
                         core::Millis length) noexcept {
    attempt(nullptr, nullptr, [&] {
        RedisNode* node = servers_->holder(TextDigest(key.text));
        if (node == nullptr || !node->health.writes() ||
            !node->health.fleet() || !node->small.takes_commands()) {
            return false;
        }
        redis::Question question = question_of(key, nullptr, nullptr);
        question.done = on_side_write<&RedisHealth::judge_fleet>;
        redis::Change change;
        change.kind = kind;
        change.length = length;
        return ask_announce(*node, node->small, key, change, question).lane !=
               nullptr;
    });
}

bool RedisTier::announce(const Key& key, redis::Change::Kind kind,
                         RedisDone done, void* data, RedisTicket& ticket) {
    RedisNode* node = servers_->holder(TextDigest(key.text));
    if (node == nullptr || !node->small.takes_commands()) { return false; }
    redis::Question question = question_of(key, nullptr, data);
    question.done = on_announced;
    question.then = reinterpret_cast<void (*)()>(done);
    question.sent = &ticket.place();
    redis::Change change;
    change.kind = kind;
    const SentQuestion sent =
        ask_announce(*node, node->small, key, change, question);
    if (sent.lane == nullptr) { return false; }
    ticket.hold(*sent.lane, sent.id);
    return true;
}

// A word that waits until all that was said before of its item, on a link to
// one node, has been done there: then it goes to the node that has the feed.
struct RedisTier::LateWord {
    RedisTier& tier;
    std::string command;
    redis::Question word;
    std::list<LateWord>::iterator place{};

    static void on_done_there(const redis::Question& question,
                              const redis::Answer&) {
        auto* late = static_cast<LateWord*>(question.data);
        RedisTier& tier = late->tier;
        late->word.sent = question.sent;
        late->word.deadline = question.deadline;
        late->word.server = question.server;
        RedisNode* node = tier.servers_->feed_holder();
        if (node == nullptr || !node->health.well() ||
            !node->small.ask_again(late->word, late->command, false)) {
            late->word.done(late->word, redis::Answer{});
        }
        tier.late_words_.erase(late->place);
    }
    static void on_cancelled(const redis::Question& question) {
        redis::Question& word = static_cast<LateWord*>(question.data)->word;
        word.done = on_side_write<&RedisHealth::judge_fleet>;
    }
};

SentQuestion RedisTier::ask_announce(RedisNode& node, RedisLane& lane,
                                     const Key& key, redis::Change change,
                                     const redis::Question& question) {
    RedisNode* feed = servers_->feed_holder();
    if (feed == nullptr) { return {}; }
    change.box = control_.box();
    change.key = key.text;
    change.variant = key.variant;
    if (feed == &node) {
        redis::append_change(lane.commands(), keys_.feed(), change);
        return {&lane, lane.ask(question)};
    }
    late_words_.push_front({*this, std::string(), question});
    LateWord& late = late_words_.front();
    late.place = late_words_.begin();
    redis::append_change(late.command, keys_.feed(), change);
    redis::append_command(lane.commands(), {"PING"});
    redis::Question done;
    done.done = LateWord::on_done_there;
    done.owner = this;
    done.data = &late;
    done.cancelled = LateWord::on_cancelled;
    done.sent = question.sent;
    return {&lane, lane.ask(done)};
}

template <void (RedisHealth::*judge)(const redis::Answer&)>
void RedisTier::on_side_write(const redis::Question& question,
                              const redis::Answer& answer) {
    (RedisHealth::of(question).*judge)(answer);
}

void RedisTier::on_announced(const redis::Question& question,
                             const redis::Answer& answer) {
    RedisHealth::of(question).judge_fleet(answer);
    RedisReply reply;
    if (answer.end == redis::Answer::End::reply &&
        answer.reply->kind == redis::Reply::Kind::string) {
        reply.status = RedisReply::Status::found;
    }
    reinterpret_cast<RedisDone>(question.then)(question.data, reply);
}

template <bool is_large, void (RedisHealth::*judge)(const redis::Answer&)>
void RedisTier::on_write(const redis::Question& question,
                         const redis::Answer& answer) {
    static_cast<RedisTier*>(question.owner)->hints_.set(question.tag, is_large);
    on_reply<judge>(question, answer);
}

template <void (RedisHealth::*judge)(const redis::Answer&)>
void RedisTier::on_reply(const redis::Question& question,
                         const redis::Answer& answer) {
    using Kind = redis::Reply::Kind;
    auto& self = *static_cast<RedisTier*>(question.owner);
    self.control_.note_write(question.tag);
    (RedisHealth::of(question).*judge)(answer);
    if (question.then == nullptr) { return; }
    Written written = Written::no;
    if (answer.end == redis::Answer::End::timeout) { written = Written::late; }
    if (answer.end == redis::Answer::End::reply) {
        const redis::Reply& reply = *answer.reply;
        if (reply.kind == Kind::status) { written = Written::yes; }
        if (reply.kind == Kind::integer) {  // a script's, or DEL's
            written = reply.integer == 2   ? Written::outdated
                      : reply.integer > 0  ? Written::yes
                      : reply.integer == 0 ? Written::refused
                                           : Written::no;
        }
    }
    self.redirected_ = question.hops != 0;
    reinterpret_cast<RedisWritten>(question.then)(question.data, written);
    self.redirected_ = false;
}

RedisTier::~RedisTier() = default;

void RedisTier::shut_down() noexcept {
    feed_.shut_down();
    gets_.close();
    servers_->shut_down();
}

}  // namespace cacheback::store
