#include "store.hpp"

#include "../core/vary.hpp"
#include "../ngx/pool.hpp"

namespace cacheback::store {

namespace {

// Long enough for all that wait now to have looked.
constexpr core::Millis moment = 500;

// Not 0, which no text is likely to be.
TagId tag_id(std::string_view tag) noexcept {
    return number_of(TextDigest(tag).view());
}

std::vector<TagId> tag_ids(std::string_view tags) {
    std::vector<TagId> ids;
    while (!tags.empty()) {
        const std::size_t end = std::min(tags.find(' '), tags.size());
        ids.push_back(tag_id(tags.substr(0, end)));
        tags.remove_prefix(std::min(end + 1, tags.size()));
    }
    return ids;
}

}  // namespace

// A change of an item in Redis on its way.
struct Store::Writing {
    enum class Kind : unsigned char {
        stored,
        removed,  // what was read before that must not come back
        marked,   // nor be fresh
    };

    Store& store;
    std::string text;
    std::string variant;
    Key key;          // shows both
    Variety variety;  // of what was stored
    Kind kind;
    redis::Change::Kind word;  // of what was removed or marked
    Lease lease;
    bool held;  // in memory, or gone: then this box's lease has ended already
    std::uint32_t fence;
    Writing* next;
    Watch* watch;  // null: nobody wants to know

    ~Writing() {
        if (watch != nullptr) { watch->place_ = nullptr; }
    }

    static void on_written(void* data, Written written) noexcept {
        auto* self = static_cast<Writing*>(data);
        Store& store = self->store;
        const Key& key = self->key;
        store.control_.note_write(key.hash);  // that of a variant is noted
        if (self->kind == Kind::removed) {
            store.drop_copies(key);
        } else if (self->kind == Kind::marked) {
            store.mark_copies(key);
        } else if (self->kind == Kind::stored && store.redis_ != nullptr) {
            self->settle(*store.redis_, key, written);
        }
        if (self->kind != Kind::stored && store.redis_ != nullptr &&
            store.redis_->redirected()) {
            // Who has heard it already may have read the item once more.
            store.redis_->announce(key, self->word);
        }
        // Who waits for the item looks in Redis once the lease is free. What
        // is late goes on, and the feed will tell that it is there.
        if (!self->held) {
            if (written == Written::late && self->lease.in_fleet) {
                store.hand_over(key, self->lease);
            } else {
                store.control_.release(key, self->lease.token);
            }
        }
        // Last: a client that is told so must not find what was there before.
        if (auto* watch = std::exchange(self->watch, nullptr)) {
            watch->place_ = nullptr;
            watch->done_(*watch, written);
        }
        for (Writing** at = &store.writings_; *at != nullptr;
             at = &(*at)->next) {
            if (*at == self) {
                *at = self->next;
                break;
            }
        }
        delete self;
    }

    void settle(RedisTier& redis, const Key& key, Written written) noexcept {
        if (!lease.in_fleet) {
            // One that was deleted or marked meanwhile has come too late.
            if (store.control_.fence(key) != fence) {
                redis.remove(key.item(), 0, nullptr, nullptr);
            }
        } else if (written == Written::refused) {
            store.drop_variant(key, variety);
        } else if (written == Written::outdated) {
            (void)store.memory_.invalidate(key, wall_clock());
        } else if (written == Written::no) {
            redis.leases().release(key, lease.token);
        }
    }
};

Store::Writing* Store::begin_writing(const Key& key, Lease lease, bool held,
                                     Watch* watch) {
    writings_ = new Writing{*this,
                            std::string(key.text),
                            std::string(key.variant),
                            key,
                            {},
                            Writing::Kind::stored,
                            redis::Change::Kind::removed,
                            lease,
                            held,
                            control_.fence(key),
                            writings_,
                            watch};
    writings_->key.text = writings_->text;
    writings_->key.variant = writings_->variant;
    if (watch != nullptr) { watch->place_ = &writings_->watch; }
    return writings_;
}

std::size_t Store::memory_limit() const noexcept {
    if (settings.memory_max_entry != 0) { return settings.memory_max_entry; }
    constexpr std::size_t beside_redis = 256 * 1024;
    return settings.has_redis ? std::min(beside_redis, settings.max_entry)
                              : settings.max_entry;
}

char* Store::configure(ngx_conf_t* cf, void* tag) {
    char* error = control_.configure(cf, settings.name, tag);
    if (error != NGX_CONF_OK) { return error; }
    settings.redis.max_entry = settings.max_entry;

    // Workers make their half on first use; it goes with the configuration.
    ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    if (cleanup == nullptr) { return static_cast<char*>(NGX_CONF_ERROR); }
    cleanup->data = this;
    cleanup->handler = [](void* data) {
        static_cast<Store*>(data)->leave_worker();
    };
    return memory_.configure(cf, settings.name, settings.memory, memory_limit(),
                             tag);
}

void Store::hand_over(const Key& key, Lease lease) {
    control_.hand_over(key, lease.token);
    // Behind it: the breaker may have opened before the line above.
    if (redis_ == nullptr || !redis_->well(key)) { control_.come_back(key); }
}

RedisTier* Store::redis() {
    if (redis_ == nullptr && settings.has_redis) {
        redis_ = new RedisTier(settings.redis, control_, on_change, this);
    }
    return redis_;
}

FetchLine& Store::line() {
    if (line_ == nullptr) {
        line_ = new FetchLine(control_, settings.refresh_limit,
                              settings.refresh_queue);
    }
    return *line_;
}

namespace {

Store* first_store = nullptr;  // of those that have entered this worker

}  // namespace

Store* Store::find(std::string_view name) noexcept {
    for (Store* store = first_store; store != nullptr; store = store->next_) {
        const ngx_str_t& own = store->settings.name;
        if (name ==
            std::string_view(reinterpret_cast<char*>(own.data), own.len)) {
            return store;
        }
    }
    return nullptr;
}

void Store::enter_worker() {
    next_ = std::exchange(first_store, this);
    in_worker_ = true;
    control_.sweep();
    memory_.sweep();
    // Made here, where a lack of memory may still be told.
    (void)line();
    (void)redis();
}

void Store::leave_worker() {
    for (Store** at = &first_store; *at != nullptr; at = &(*at)->next_) {
        if (*at == this) {
            *at = next_;
            break;
        }
    }
    in_worker_ = false;
    vary_hints_ = {};
    if (line_ != nullptr) {
        line_->close();
        delete line_;
        line_ = nullptr;
    }
    if (redis_ != nullptr) {
        redis_->shut_down();
        delete redis_;
        redis_ = nullptr;
    }
    // Nobody will call these any more: their leases end by themselves.
    while (writings_ != nullptr) {
        delete std::exchange(writings_, writings_->next);
    }
}

Variety Store::variety_of(std::string_view section) const {
    if (section.empty()) { return {}; }
    Variety variety = control_.variety(core::names_of_vary(section), section);
    variety.digest = number_of(TextDigest(section).view());
    return variety;
}

Store::Found Store::find(const Key& key, const Selector& selector,
                         ngx_pool_t& pool) {
    Found found;
    Variety wanted;
    std::string_view section;
    const std::string_view names = vary_hints_.names(key.hash);
    if (!names.empty()) {
        section = selector.section(selector.data, names);
        wanted = control_.variety(names, section);
        found.varies = true;
    }
    MemoryTier::Others others;
    // Again where it does not vary as was thought.
    for (unsigned attempt = 0; attempt < 3; attempt++) {
        found.copy = memory_.get(key, wanted, others, pool);
        if (found.copy &&
            (!found.varies ||
             core::EntryView::trusted(found.copy->bytes).vary() == section)) {
            return found;
        }
        found.copy.reset();
        found.others = others.any;
        if (!others.any || others.hash == wanted.names) { return found; }
        found.varies = others.size != 0;
        if (!found.varies) {
            vary_hints_.forget(key.hash);
            wanted = {};
            continue;
        }
        const std::string_view now{others.names, others.size};
        vary_hints_.remember(key.hash, now);
        section = selector.section(selector.data, now);
        wanted = control_.variety(now, section);
    }
    return found;
}

void Store::promote(const Key& key, std::string_view entry, std::uint32_t fence,
                    core::Millis asked) {
    const Variety variety = variety_of(core::EntryView::trusted(entry).vary());
    if (!memory_.stored(key, variety)) { replace(key, entry, fence, asked); }
}

void Store::confirm(const Key& key, const core::EntryView& entry,
                    core::Millis asked) {
    memory_.confirm(key, variety_of(entry.vary()), known_right(entry, asked));
}

void Store::remove_older(const Key& key, std::string_view section,
                         core::Millis asked) {
    const Variety variety = variety_of(section);
    memory_.remove_older(key, section.empty() ? nullptr : &variety, asked);
}

void Store::replace(const Key& key, std::string_view entry, std::uint32_t fence,
                    core::Millis asked) {
    if (!memory_.enabled() || control_.fence(key) != fence) { return; }
    const Variety variety = variety_of(core::EntryView::trusted(entry).vary());
    if (entry.size() > memory_limit()) {
        (void)memory_.remove(key, variety);
        return;
    }
    const std::optional<core::Millis> held = memory_.stored(key, variety);
    if (held && core::peek_stored(entry) < held) { return; }
    (void)memory_.put(key, Pieces{entry}, variety,
                      known_right(core::EntryView::trusted(entry), asked));
    if (control_.fence(key) != fence) { (void)memory_.remove(key); }
}

void Store::drop_variant(const Key& key, const Variety& variety) noexcept {
    (void)memory_.remove(key, variety);
}

void Store::drop_copies(const Key& key) noexcept {
    control_.raise_fence(key);
    if (key.variant.empty()) {
        (void)memory_.remove(key);
    } else {
        (void)memory_.remove_variant(key, number_of(key.variant));
    }
}

void Store::mark_copies(const Key& key) noexcept {
    control_.raise_fence(key);
    (void)memory_.invalidate(key, wall_clock());
}

bool Store::put_in_memory(const Key& key, LeaseToken token, const Pieces& entry,
                          const Variety& variety, bool& held) {
    if (!memory_.enabled()) { return true; }
    if (total(entry) <= memory_limit()) {
        const core::Millis as_of = known_right(
            core::EntryView::trusted(entry.front()), MemoryTier::clock());
        held = memory_.put(key, entry, variety, as_of) == Inserted::yes;
    } else {
        (void)memory_.remove(key, variety);
    }
    // Who deletes takes the lease first and the entry then, so one that came
    // between our first look and the put shows up here.
    if (control_.holds(key, token)) { return true; }
    (void)memory_.remove(key, variety);
    return false;
}

Lease Store::claim(const Key& key, core::Millis length, Over over, bool& kept) {
    return {control_.claim(key, length, over, kept), false};
}

// Without a word: who took it away on this box has said it. A variant's is
// void, but still there, with those that wait.
void Store::give_back(const Key& key, Lease lease) noexcept {
    if (lease.in_fleet && redis_ != nullptr) {
        redis_->leases().release(key, lease.token);
    }
    control_.release(key, lease.token);
}

void Store::release(const Key& key, Lease lease) noexcept {
    if (!lease) { return; }
    if (lease.in_fleet && redis_ != nullptr) {
        redis_->leases().release(key, lease.token);
        redis_->announce(key, redis::Change::Kind::released);
    }
    control_.release(key, lease.token);
}

void Store::release_to_all(const Key& key, Lease lease, core::Millis mark) {
    if (!lease) { return; }
    if (lease.in_fleet && redis_ != nullptr) {
        redis_->leases().release(key, lease.token);
        redis_->announce(key, redis::Change::Kind::uncacheable, mark);
    }
    control_.release_to_all(key, lease.token, moment);
}

void Store::keep(const Key& key, Lease lease) noexcept {
    if (!lease) { return; }
    if (lease.in_fleet && redis_ != nullptr) {
        redis_->leases().keep(key, lease.token);
        redis_->announce(key, redis::Change::Kind::released);
    }
    control_.keep(key, lease.token);
}

bool Store::commit(const Key& key, Lease lease, const Pieces& entry,
                   core::Millis ttl, Watch* watch) {
    bool held = false;
    const std::string_view section =
        core::EntryView::trusted(entry.front()).vary();
    const Variety variety = variety_of(section);
    control_.raise_fence(key);  // what Redis is being asked for is older
    if (!control_.holds(key, lease.token) ||
        !put_in_memory(key, lease.token, entry, variety, held)) {
        give_back(key, lease);
        return false;
    }
    control_.unmark(key);
    control_.count(Counter::stored);
    const bool outdated = control_.is_outdated(key, lease.token);
    if (outdated) { (void)memory_.invalidate(key, wall_clock()); }

    RedisTier* tier = redis();
    if (tier != nullptr) {
        Writing* writing = begin_writing(key, lease, held, watch);
        writing->variety = variety;
        const std::string names = core::names_of_vary(section);
        const TextDigest variant(section);
        const Target target =
            section.empty() ? Target{} : Target{variant.view(), names};
        tier->put(key, target, entry, ttl, lease.in_fleet ? lease.token : 0,
                  Writing::on_written, writing);
        if (outdated && !lease.in_fleet) {
            tier->invalidate(key, wall_clock(), Fetches::outdated, nullptr,
                             nullptr);
        }
    }
    if (tier == nullptr || held) { control_.release(key, lease.token); }
    return true;
}

bool Store::forget(const Key& key) {
    // The lease first: see put_in_memory().
    control_.revoke(key);
    control_.unmark(key);
    return memory_.remove(key);
}

// What another box did has not happened here yet.
void Store::on_change(void* self, const redis::Change& change) {
    using Kind = redis::Change::Kind;
    auto& store = *static_cast<Store*>(self);
    if (change.kind == Kind::tags_stale || change.kind == Kind::tags_gone) {
        store.on_tags_purged(change);
        return;
    }
    Key key = store.control_.key(change.key);
    store.control_.name_variant(key, change.variant);
    if (change.box == store.control_.box()) {
        store.control_.come_back(key);  // what was late is there now
        return;
    }
    store.control_.raise_fence(key);
    switch (change.kind) {
    case Kind::stored: {
        Variety variety = store.control_.variety(change.names, {});
        variety.digest = number_of(change.as);
        (void)store.memory_.remove(key, variety);
        store.control_.unmark(key);
        break;
    }
    case Kind::removed:
        if (key.variant.empty()) {
            (void)store.forget(key);
        } else {
            store.drop_copies(key);
        }
        break;
    case Kind::outdated:
        store.control_.outdate(key);
        (void)store.memory_.invalidate(key, wall_clock());
        return;  // who fetches the item goes on
    case Kind::released: break;
    case Kind::tags_stale:
    case Kind::tags_gone: return;
    case Kind::uncacheable:
        // Where others can write, who says so may not be one of us: it ends
        // the waiting, as every word may, and no more.
        if (change.length > 0 && store.settings.redis.sign.len == 0) {
            store.control_.mark_uncacheable(key, change.length);
        }
        store.control_.come_back_to_all(key, moment);
        return;
    }
    store.control_.come_back(key);
}

// Of this box too: it gets its number by the feed.
void Store::on_tags_purged(const redis::Change& change) {
    control_.note_purge(redis::read_tags(change.key),
                        change.kind == redis::Change::Kind::tags_gone
                            ? PurgeKind::gone
                            : PurgeKind::stale,
                        PurgeNumber::of_store(change.number));
}

PurgeVerdict Store::judge_tags(const core::EntryView& entry, From from) {
    using Standing = PurgeVerdict::Standing;
    if (entry.tags().empty()) { return {}; }
    const PurgeNumber began = entry.meta.sequence;
    if (from == From::redis && settings.has_redis && !control_.hears_purges()) {
        return {Standing::unknown, 0};
    }
    if (!(began < control_.purge_number())) { return {}; }
    const PurgeNumber until = control_.purge_number();
    PurgeVerdict verdict =
        control_.judge_tags(tag_ids(entry.tags()), began, wall_clock());
    if (verdict.standing == Standing::unknown && !settings.has_redis) {
        verdict.standing = Standing::gone;
    }
    if (control_.knows_all_heard_of()) {
        settle_tags(control_.key(entry.key()), entry, verdict, until, 0);
    }
    return verdict;
}

void Store::settle_tags(const Key& key, const core::EntryView& entry,
                        const PurgeVerdict& verdict, PurgeNumber until,
                        core::Millis as_of) {
    memory_.settle_tags(key, variety_of(entry.vary()), entry.meta, verdict,
                        until, as_of);
}

core::Millis Store::known_right(const core::EntryView& entry,
                                core::Millis as_of) const noexcept {
    return !settings.has_redis || entry.tags().empty() ||
                   control_.hears_purges()
               ? as_of
               : ControlZone::unjudged(as_of);
}

bool Store::ask_about_tags(const core::EntryView& entry, RedisJudged done,
                           void* data, RedisTicket& ticket,
                           core::Millis spent) {
    RedisTier* tier = redis();
    return tier != nullptr && tier->purges().judge(tag_ids(entry.tags()), done,
                                                   data, ticket, spent);
}

void Store::purge_tags(const std::vector<std::string>& tags, PurgeKind kind) {
    std::vector<TagId> ids;
    for (const std::string& tag : tags) { ids.push_back(tag_id(tag)); }
    PurgeNumber least;
    if (!settings.has_redis) {  // its own clock, which no other box has
        least = PurgeNumber::of_store(
            std::max(wall_clock(), control_.purge_number().in_store() + 1));
    }
    control_.note_own_purge(ids, kind, least);
    if (RedisTier* tier = redis(); tier != nullptr) {
        (void)tier->purges().tell(ids, kind);
    }
}

bool Store::remove(const Key& any, Watch* watch) {
    const Key key = any.item();
    const bool was_there = forget(key);
    if (RedisTier* tier = redis(); tier != nullptr) {
        Writing* writing = begin_writing(key, {}, true, watch);
        writing->kind = Writing::Kind::removed;
        tier->remove(key, 0, Writing::on_written, writing);
    }
    return was_there;
}

bool Store::invalidate(const Key& any, core::Millis now, Fetches fetches,
                       Watch* watch) {
    const Key key = any.item();
    if (fetches == Fetches::voided) {
        control_.revoke(key);
    } else {
        control_.outdate(key);
    }
    const bool held = memory_.invalidate(key, now);
    if (RedisTier* tier = redis(); tier != nullptr) {
        const auto word = fetches == Fetches::voided
                              ? redis::Change::Kind::removed
                              : redis::Change::Kind::outdated;
        Writing* writing = begin_writing(key, {}, true, watch);
        writing->kind = Writing::Kind::marked;
        writing->word = word;
        // It may be over, and gone, before this returns.
        tier->invalidate(key, now, fetches, Writing::on_written, writing);
        if (watch == nullptr) { tier->announce(key, word); }
    }
    return held;
}

bool Store::commit_removal(const Key& key, Lease lease) {
    if (!control_.holds(key, lease.token)) {
        give_back(key, lease);
        return false;
    }
    drop_copies(key);
    if (RedisTier* tier = redis(); tier != nullptr) {
        Writing* writing = begin_writing(key, lease, true, nullptr);
        writing->kind = Writing::Kind::removed;
        tier->remove(key, lease.in_fleet ? lease.token : 0, Writing::on_written,
                     writing);
        tier->announce(key, redis::Change::Kind::removed);
    }
    control_.release(key, lease.token);
    return true;
}

}  // namespace cacheback::store
