#include "store.hpp"

#include "../ngx/pool.hpp"

namespace cacheback::store {

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
    return memory_.configure(cf, settings.name, settings.memory,
                             memory_limit(), tag);
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
}

void Store::promote(const Key& key, std::string_view entry) {
    if (memory_.enabled() && entry.size() <= memory_limit()) {
        (void) memory_.put(key, Pieces{entry});
    }
}

bool Store::commit(const Key& key, LeaseToken token, const Pieces& entry,
                   core::Millis ttl) {
    if (!control_.holds(key, token)) { return false; }

    if (memory_.enabled()) {
        if (total(entry) <= memory_limit()) {
            (void) memory_.put(key, entry);
        } else {
            (void) memory_.remove(key);
        }
        // Who deletes takes the lease first and the entry then, so one that
        // came between our first look and the put shows up here.
        if (!control_.holds(key, token)) {
            (void) memory_.remove(key);
            return false;
        }
    }
    if (RedisTier* tier = redis(); tier != nullptr) {
        tier->put(key, entry, ttl);
    }
    control_.unmark(key);
    control_.release(key, token);
    control_.count(Counter::stored);
    return true;
}

bool Store::commit_removal(const Key& key, LeaseToken token) {
    if (!control_.holds(key, token)) { return false; }
    (void) memory_.remove(key);
    if (RedisTier* tier = redis(); tier != nullptr) { tier->remove(key); }
    control_.release(key, token);
    return true;
}

}  // namespace cacheback::store
