#include "store.hpp"

#include "../ngx/pool.hpp"

namespace cacheback::store {

struct Store::Release {
    Store& store;
    std::string text;
    std::uint64_t hash;
    LeaseToken token;
    Release* next;

    static void on_written(void* data) noexcept {
        auto* self = static_cast<Release*>(data);
        self->store.control_.release({self->text, self->hash}, self->token);
        for (Release** at = &self->store.releases_; *at != nullptr;
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
    while (releases_ != nullptr) {
        delete std::exchange(releases_, releases_->next);
    }
}

void Store::promote(const Key& key, std::string_view entry) {
    if (memory_.enabled() && entry.size() <= memory_limit()) {
        (void)memory_.put(key, Pieces{entry});
    }
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

void Store::put_in_redis(RedisTier& tier, const Key& key, LeaseToken token,
                         const Pieces& entry, core::Millis ttl) {
    // Who waits looks in Redis once the lease is free: not before it is there.
    releases_ =
        new Release{*this, std::string(key.text), key.hash, token, releases_};
    tier.put(key, entry, ttl, Release::on_written, releases_);
}

bool Store::commit(const Key& key, LeaseToken token, const Pieces& entry,
                   core::Millis ttl) {
    bool held = false;
    if (!control_.holds(key, token) ||
        !put_in_memory(key, token, entry, held)) {
        return false;
    }
    control_.unmark(key);
    control_.count(Counter::stored);

    RedisTier* tier = redis();
    if (tier != nullptr && !held) {
        put_in_redis(*tier, key, token, entry, ttl);
        return true;
    }
    if (tier != nullptr) { tier->put(key, entry, ttl); }
    control_.release(key, token);
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
