// lua/lookup_calls.cpp: finding values, in memory at once, in Redis by asking.
#include "lookup_calls.hpp"

#include "../core/vary_record.hpp"
#include "keys.hpp"
#include "value_entry.hpp"

namespace cacheback::lua {

namespace {

using store::Counter;
using Item = ngx_http_cacheback_lua_item_t;

// What was found last, until the next one is: a loop of a million gets in one
// request takes no more memory than one.
ngx_pool_t& shelf() {
    static ngx_pool_t* pool = nullptr;
    if (pool == nullptr) {
        constexpr std::size_t size = 16 * 1024;
        pool = ngx_create_pool(size, ngx_cycle->log);
        if (pool == nullptr) { throw std::bad_alloc{}; }
    }
    ngx_reset_pool(pool);
    pool->log = ngx_cycle->log;
    return *pool;
}

int show(const core::EntryView& entry, double ttl, Item& item) noexcept {
    const std::optional<Value> value = read_value(entry);
    if (!value) { return ngx_http_cacheback_lua_absent; }
    core::Rules rules;
    rules.ttl = to_millis(ttl);
    const core::State state =
        core::state_of(entry.meta, rules, store::wall_clock());
    if (state == core::State::gone) { return ngx_http_cacheback_lua_absent; }

    const core::Millis expiry =
        entry.meta.stored + entry.meta.windows.fresh_for;
    item.value = value->bytes.data();
    item.size = value->bytes.size();
    item.kind = value->kind;
    item.stored = static_cast<double>(entry.meta.stored) / core::second;
    item.expiry = static_cast<double>(expiry) / core::second;
    return state == core::State::fresh ? ngx_http_cacheback_lua_fresh
                                       : ngx_http_cacheback_lua_stale;
}

int find(store::Store& store, const store::Key& key, double ttl, Item& item) {
    const auto copy = store.memory().get(key, shelf());
    if (!copy) { return ngx_http_cacheback_lua_absent; }
    if (store.in_doubt(copy->as_of)) { return ngx_http_cacheback_lua_in_doubt; }
    item.from_redis = 0;
    return show(core::EntryView::trusted(copy->bytes), ttl, item);
}

// The usual hit, without a pool; what does not fit takes the way of the rest.
int find_small(store::Store& store, const store::Key& key, double ttl,
               Item& item, core::Millis& as_of) {
    static char buffer[17 * 1024];
    const auto copy = store.memory().get(key, buffer, sizeof(buffer));
    if (!copy) { return find(store, key, ttl, item); }
    as_of = copy->as_of;
    if (store.in_doubt(as_of)) { return ngx_http_cacheback_lua_in_doubt; }
    item.from_redis = 0;
    return show(core::EntryView::trusted(copy->bytes), ttl, item);
}

// Hits of this turn of the event loop; counted where all see them at its end,
// since two atomic additions cost as much as finding a small value.
class HitCount {
  public:
    void add(store::Store& store) noexcept {
        if (store_ != &store) {
            flush();
            store_ = &store;
        }
        if (hits_++ == 0) { at_end_.post(); }
    }
    void flush() noexcept {
        if (hits_ == 0 || !store_->in_worker()) { return; }
        const std::uint64_t hits = std::exchange(hits_, 0);
        store_->control().count(Counter::hits, hits);
        store_->control().count(Counter::memory_hits, hits);
    }

  private:
    store::Store* store_ = nullptr;
    std::uint64_t hits_ = 0;
    ngx::PostedEvent at_end_{
        [](void* self) { static_cast<HitCount*>(self)->flush(); }, this};
};

HitCount& hit_count() noexcept {
    static auto& instance = *new HitCount;
    return instance;
}

}  // namespace

std::optional<core::EntryView> in_memory(store::Store& store,
                                         const store::Key& key) {
    const auto copy = store.memory().get(key, shelf());
    if (!copy || store.in_doubt(copy->as_of)) { return std::nullopt; }
    return core::EntryView::trusted(copy->bytes);
}

bool RedisLookup::ask(core::Millis spent) {
    store::RedisTier* redis = store().redis();
    if (redis == nullptr) { return false; }
    if (const auto copy = store().memory().get(*key_, shelf());
        copy && store().in_doubt(copy->as_of)) {
        bytes_ = copy->bytes;
        entry_ = core::EntryView::trusted(bytes_);
        in_doubt_ = true;
    }
    fence_ = store().control().fence(*key_);
    if (redis->get(*key_, {}, on_reply, this, ticket_, spent)) {
        if (in_doubt_) { store().control().count(Counter::doubted); }
        return true;
    }
    if (!in_doubt_) { return false; }
    outcome_ = found;  // a copy is better than nothing
    signal_.send();
    return true;
}

void RedisLookup::on_reply(void* data,
                           const store::RedisReply& reply) noexcept {
    using Status = store::RedisReply::Status;
    auto& self = *static_cast<RedisLookup*>(data);
    ngx::guard(
        ngx_cycle->log,
        [&] {
            if (reply.status == Status::absent) {
                if (self.in_doubt_) {
                    self.store().memory().remove_older(*self.key_, nullptr,
                                                       reply.asked);
                }
                self.outcome_ = absent;
            }
            if (reply.status == Status::found) { self.take(reply); }
        },
        [] {});
    if (self.outcome_ == pending) {
        self.outcome_ = self.in_doubt_ && self.entry_ ? found : unavailable;
    }
    self.signal_.send();
}

void RedisLookup::take(const store::RedisReply& reply) {
    if (core::begins_vary_record(reply.bytes)) {
        varies_ = true;
        outcome_ = absent;
        return;
    }
    const auto open = store().redis()->open(*key_, reply.bytes);
    const auto brought =
        open ? core::EntryView::check(*open, (*key_).text) : std::nullopt;
    if (!brought) {
        store().redis()->refuse(*key_, reply.bytes.size(), open.has_value(),
                                *ngx_cycle->log);
        return;
    }
    outcome_ = found;
    if (in_doubt_ && brought->meta.stored < entry_->meta.stored) {
        // Redis has lost what came later, in a failover: the copy stands.
        store().memory().confirm(*key_, {}, reply.asked);
        return;
    }
    entry_.reset();
    bytes_ = *open;
    entry_ = core::EntryView::trusted(bytes_);
    from_redis_ = true;
    if (newer_ || in_doubt_) {
        store().replace(*key_, bytes_, fence_, reply.asked);
    } else {
        store().promote(*key_, bytes_, fence_, reply.asked);
    }
}

}  // namespace cacheback::lua

using namespace cacheback::lua;

int ngx_http_cacheback_lua_find(void* store, const char* key, std::size_t size,
                                double ttl,
                                ngx_http_cacheback_lua_item_t* item) {
    return guarded(
        [&] {
            cacheback::store::Store& from = as_store(store);
            return find(from, from.control().key({key, size}), ttl, *item);
        },
        ngx_http_cacheback_lua_absent);
}

int ngx_http_cacheback_lua_hit(void* store, const char* job,
                               std::size_t job_size, int letter,
                               const char* text, std::size_t text_size,
                               double ttl, ngx_http_cacheback_lua_item_t* item,
                               ngx_http_cacheback_lua_copy_t* copy) {
    char name[512];
    constexpr std::size_t digits = 4;
    if (job_size + text_size + digits + 2 > sizeof(name)) {
        return ngx_http_cacheback_lua_absent;
    }
    char* at = std::copy(job, job + job_size, name);
    if (letter != 0) { *at++ = static_cast<char>(letter); }
    if (letter == 's') {  // as arguments.lua writes a text
        char number[digits];
        char* first = number + digits;
        std::size_t rest = text_size;
        do {
            *--first = static_cast<char>('0' + rest % 10);
            rest /= 10;
        } while (rest != 0);
        at = std::copy(first, number + digits, at);
        *at++ = ':';
    }
    at = std::copy(text, text + text_size, at);

    return guarded(
        [&] {
            cacheback::store::Store& from = as_store(store);
            const cacheback::store::Key key =
                from.control().key({name, static_cast<std::size_t>(at - name)});
            // Before it is read: what changes meanwhile is out of date.
            const std::uint32_t& changes = from.memory().changes(key);
            copy->seen = __atomic_load_n(&changes, __ATOMIC_ACQUIRE);
            cacheback::core::Millis as_of = 0;
            const int state = find_small(from, key, ttl, *item, as_of);
            if (state == ngx_http_cacheback_lua_fresh) {
                copy->changes = &changes;
                copy->second = static_cast<unsigned>(ngx_time());
                copy->as_of = as_of;
                copy->expiry = std::min(item->expiry, item->stored + ttl);
                hit_count().add(from);
            }
            return state;
        },
        ngx_http_cacheback_lua_absent);
}

int ngx_http_cacheback_lua_still(void* store,
                                 const ngx_http_cacheback_lua_copy_t* copy) {
    const ngx_time_t* now = ngx_timeofday();
    const double time =
        static_cast<double>(now->sec) + static_cast<double>(now->msec) / 1000;
    if (__atomic_load_n(copy->changes, __ATOMIC_ACQUIRE) != copy->seen ||
        copy->second != static_cast<unsigned>(now->sec) ||
        time >= copy->expiry || as_store(store).in_doubt(copy->as_of)) {
        return 0;
    }
    hit_count().add(as_store(store));
    return 1;
}

int ngx_http_cacheback_lua_is_uncacheable(void* store, const char* key,
                                          std::size_t size) {
    cacheback::store::ControlZone& control = as_store(store).control();
    return control.is_uncacheable(control.key({key, size})) ? 1 : 0;
}

int ngx_http_cacheback_lua_ask(void* request, void* store, const char* key,
                               std::size_t size, int of_response, int newer,
                               double spent, void* semaphore) {
    return guarded(
        [&]() -> int {
            cacheback::store::Store& from = as_store(store);
            if (from.redis() == nullptr) {
                return ngx_http_cacheback_lua_absent;
            }
            auto lookup = std::make_unique<RedisLookup>(
                from, key_text(key, size, of_response), newer != 0,
                Signal(semaphore));
            RedisLookup& asking = *lookup;
            const int handle = Handles::add(std::move(lookup), request);
            if (asking.ask(to_millis(spent))) { return handle; }
            Handles::drop(handle);
            return ngx_http_cacheback_lua_unavailable;
        },
        ngx_http_cacheback_lua_unavailable);
}

int ngx_http_cacheback_lua_answer(int handle, double ttl,
                                  ngx_http_cacheback_lua_item_t* item) {
    auto* lookup = Handles::get<RedisLookup>(handle);
    if (lookup == nullptr) { return ngx_http_cacheback_lua_unavailable; }
    switch (lookup->outcome()) {
    case RedisLookup::pending: return ngx_http_cacheback_lua_pending;
    case RedisLookup::absent: return ngx_http_cacheback_lua_absent;
    case RedisLookup::unavailable: return ngx_http_cacheback_lua_unavailable;
    case RedisLookup::found: break;
    }
    item->from_redis = lookup->from_redis() ? 1 : 0;
    return show(lookup->entry(), ttl, *item);
}
