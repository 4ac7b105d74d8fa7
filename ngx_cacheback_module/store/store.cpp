#include "store.hpp"

#include "../ngx/pool.hpp"

namespace cacheback::store {

// A SET on its way. Who waits for the item looks in Redis once the lease is
// free, so where memory does not hold it the lease is given back no earlier.
// And one that was deleted or marked meanwhile has come too late.
struct Store::Writing {
    Store& store;
    std::string text;
    std::uint64_t hash;
    LeaseToken token;  // 0: given back already
    std::uint32_t fence;
    Writing* next;

    static void on_written(void* data) noexcept {
        auto* self = static_cast<Writing*>(data);
        Store& store = self->store;
        const Key key{self->text, self->hash};
        if (store.control_.fence(key) != self->fence && store.redis_) {
            store.redis_->remove(key);
        }
        if (self->token != 0) { store.control_.release(key, self->token); }
        for (Writing** at = &store.writings_; *at != nullptr;
             at = &(*at)->next) {
            if (*at == self) {
                *at = self->next;
                break;
            }
        }
        delete self;
    }
};

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

RedisTier* Store::redis() {
    if (redis_ == nullptr && settings.has_redis) {
        redis_ = new RedisTier(settings.redis, control_);
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

void Store::enter_worker() {
    control_.sweep();
    memory_.sweep();
    (void)line();  // made here, where a lack of memory may still be told
}

void Store::leave_worker() {
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

void Store::promote(const Key& key, std::string_view entry,
                    std::uint32_t fence) {
    if (!memory_.enabled() || entry.size() > memory_limit() ||
        control_.fence(key) != fence || memory_.holds(key)) {
        return;
    }
    (void)memory_.put(key, Pieces{entry});
    if (control_.fence(key) != fence) { (void)memory_.remove(key); }
}

bool Store::put_in_memory(const Key& key, LeaseToken token, const Pieces& entry,
                          bool& held) {
    if (!memory_.enabled()) { return true; }
    if (total(entry) <= memory_limit()) {
        held = memory_.put(key, entry) == Inserted::yes;
    } else {
        (void)memory_.remove(key);
    }
    // Who deletes takes the lease first and the entry then, so one that came
    // between our first look and the put shows up here.
    if (control_.holds(key, token)) { return true; }
    (void)memory_.remove(key);
    return false;
}

bool Store::commit(const Key& key, LeaseToken token, const Pieces& entry,
                   core::Millis ttl) {
    bool held = false;
    std::uint32_t fence = control_.fence(key);
    if (!control_.holds(key, token) ||
        !put_in_memory(key, token, entry, held)) {
        return false;
    }
    control_.unmark(key);
    control_.count(Counter::stored);

    RedisTier* tier = redis();
    if (tier != nullptr) {
        writings_ = new Writing{*this,    std::string(key.text),
                                key.hash, held ? 0 : token,
                                fence,    writings_};
        tier->put(key, entry, ttl, Writing::on_written, writings_);
    }
    if (tier == nullptr || held) { control_.release(key, token); }
    return true;
}

bool Store::forget(const Key& key) {
    // The lease first: see put_in_memory().
    control_.revoke(key);
    control_.unmark(key);
    return memory_.remove(key);
}

void Store::invalidate(const Key& key, const core::EntryView& entry,
                       core::Millis now) {
    control_.revoke(key);
    core::EntryMeta stale = entry.meta;
    core::Millis age = std::max<core::Millis>(now - stale.stored, 0);
    stale.windows.fresh_for = std::min(stale.windows.fresh_for, age);
    std::string head = core::renew_head(entry, stale, {});

    Pieces pieces{head};
    if (!entry.body().empty()) { pieces.push_back(entry.body()); }
    if (memory_.enabled() && total(pieces) <= memory_limit()) {
        (void)memory_.put(key, pieces);
    }
    if (RedisTier* tier = redis(); tier != nullptr) {
        tier->put(key, pieces, core::kept_for(stale.windows) - age);
    }
}

bool Store::commit_removal(const Key& key, LeaseToken token) {
    if (!control_.holds(key, token)) { return false; }
    (void)memory_.remove(key);
    if (RedisTier* tier = redis(); tier != nullptr) { tier->remove(key); }
    control_.release(key, token);
    return true;
}

}  // namespace cacheback::store
