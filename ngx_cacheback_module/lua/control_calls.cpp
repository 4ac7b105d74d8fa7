// lua/control_calls.cpp: the store itself: by name, its items, its figures.
#include "lease_calls.hpp"
#include "lookup_calls.hpp"

namespace cacheback::lua {

namespace {

using store::Counter;

// An item is removed or marked in Redis, and the other machines are told. Goes
// on when nobody wants to know any more.
class Change : public Handle {
  public:
    Change(store::Store& store, std::string text, Signal signal)
        : Handle(store),
          key_(store, std::move(text)),
          signal_(signal),
          watch_(*this) {}

    // The first two do it here, and ask Redis; true: in memory there was
    // something. Then the others are told.
    bool remove() { return was_there_ = store().remove(*key_, &watch_); }
    void invalidate() {
        was_there_ = true;
        (void)store().invalidate(*key_, store::wall_clock(),
                                 store::Fetches::voided, &watch_);
    }
    void tell(store::RedisTier& redis) {
        if (!redis.announce(*key_, redis::Change::Kind::removed, on_told, this,
                            ticket_)) {
            told_ = false;
        }
    }

    [[nodiscard]] int result() const noexcept {
        if (!written_ || !told_) { return ngx_http_cacheback_lua_pending; }
        switch (*written_) {
        case store::Written::yes:
        case store::Written::outdated:
        case store::Written::refused: break;
        case store::Written::late:
        case store::Written::no: return ngx_http_cacheback_lua_unavailable;
        }
        if (!*told_) { return ngx_http_cacheback_lua_untold; }
        return was_there_ || *written_ == store::Written::yes ? 1 : 0;
    }

  private:
    struct Watch : store::Watch {
        explicit Watch(Change& change) noexcept
            : store::Watch(on_written), owner(change) {}
        Change& owner;
    };

    static void on_written(store::Watch& watch,
                           store::Written written) noexcept {
        Change& self = static_cast<Watch&>(watch).owner;
        self.written_ = written;
        self.speak();
    }
    static void on_told(void* data, const store::RedisReply& reply) noexcept {
        auto& self = *static_cast<Change*>(data);
        self.told_ = reply.status == store::RedisReply::Status::found;
        self.speak();
    }
    void speak() const noexcept {
        if (result() != ngx_http_cacheback_lua_pending) { signal_.send(); }
    }

    OwnedKey key_;
    Signal signal_;
    bool was_there_ = false;
    std::optional<store::Written> written_;
    std::optional<bool> told_;
    Watch watch_;
    store::RedisTicket ticket_;
};

// `change` has been made here; `*handle` tells what became of it elsewhere.
int follow(int number, int* handle) {
    auto& change = *Handles::get<Change>(number);
    change.tell(*change.store().redis());
    *handle = number;
    return ngx_http_cacheback_lua_pending;
}

struct Figure {
    const char* name;
    Counter counter;
};

constexpr Figure figures[] = {
    {"hits", Counter::hits},
    {"stale", Counter::stale},
    {"updating", Counter::updating},
    {"misses", Counter::misses},
    {"expired", Counter::expired},
    {"revalidated", Counter::revalidated},
    {"bypassed", Counter::bypassed},
    {"empty", Counter::empty},
    {"refreshes_started", Counter::refreshes_started},
    {"refreshes_stored", Counter::refreshes_stored},
    {"refreshes_renewed", Counter::refreshes_renewed},
    {"refreshes_failed", Counter::refreshes_failed},
    {"refreshes_dropped", Counter::refreshes_dropped},
    {"refreshes_removed", Counter::refreshes_removed},
    {"refreshes_elsewhere", Counter::refreshes_elsewhere},
    {"stored", Counter::stored},
    {"not_stored", Counter::not_stored},
    {"purges", Counter::purges},
    {"memory_hits", Counter::memory_hits},
    {"redis_hits", Counter::redis_hits},
    {"redis_misses", Counter::redis_misses},
    {"redis_errors", Counter::redis_errors},
    {"redis_timeouts", Counter::redis_timeouts},
    {"redis_skipped", Counter::redis_skipped},
    {"redis_writes_dropped", Counter::redis_writes_dropped},
    {"redis_unsigned", Counter::redis_unsigned},
    {"doubted", Counter::doubted},
};
static_assert(std::size(figures) == static_cast<std::size_t>(Counter::last));

class Lines {
  public:
    Lines(char* text, std::size_t room) noexcept
        : first_(reinterpret_cast<u_char*>(text)),
          at_(first_),
          end_(first_ + room) {}
    void add(const char* name, std::uint64_t number) noexcept {
        at_ = ngx_slprintf(at_, end_, "%s %uL\n", name, number);
    }
    [[nodiscard]] std::size_t size() const noexcept {
        return static_cast<std::size_t>(at_ - first_);
    }

  private:
    u_char *first_, *at_, *end_;
};

Counter counter_of(int what) noexcept {
    switch (what) {
    case ngx_http_cacheback_lua_stales: return Counter::stale;
    case ngx_http_cacheback_lua_updatings: return Counter::updating;
    case ngx_http_cacheback_lua_misses: return Counter::misses;
    case ngx_http_cacheback_lua_expireds: return Counter::expired;
    case ngx_http_cacheback_lua_empties: return Counter::empty;
    case ngx_http_cacheback_lua_refreshed: return Counter::refreshes_stored;
    case ngx_http_cacheback_lua_failed: return Counter::refreshes_failed;
    case ngx_http_cacheback_lua_elsewheres: return Counter::refreshes_elsewhere;
    default: return Counter::hits;
    }
}

}  // namespace

}  // namespace cacheback::lua

using namespace cacheback::lua;

int ngx_http_cacheback_lua_abi() { return ngx_http_cacheback_lua_version; }

void ngx_http_cacheback_lua_start(ngx_http_cacheback_lua_post_pt post) {
    Signal::post = post;
}

void* ngx_http_cacheback_lua_store(const char* name, std::size_t size) {
    return cacheback::store::Store::find({name, size});
}

int ngx_http_cacheback_lua_has_redis(void* store) {
    return as_store(store).settings.has_redis ? 1 : 0;
}

void ngx_http_cacheback_lua_drop(int handle) { Handles::drop(handle); }

void ngx_http_cacheback_lua_bind(int handle, void* request) {
    (void)guarded(
        [&] {
            Handles::bind(handle, request);
            return 0;
        },
        0);
}

int ngx_http_cacheback_lua_delete(void* request, void* store, const char* key,
                                  std::size_t size, int of_response,
                                  void* semaphore, int* handle) {
    *handle = 0;
    return guarded(
        [&]() -> int {
            cacheback::store::Store& from = as_store(store);
            from.control().count(Counter::purges);
            auto made = std::make_unique<Change>(
                from, key_text(key, size, of_response), Signal(semaphore));
            Change& change = *made;
            const int number = Handles::add(std::move(made), request);
            const bool was_there = change.remove();
            if (from.redis() != nullptr) { return follow(number, handle); }
            Handles::drop(number);
            return was_there ? 1 : 0;
        },
        ngx_http_cacheback_lua_unavailable);
}

int ngx_http_cacheback_lua_invalidate(void* request, void* store,
                                      const char* key, std::size_t size,
                                      int of_response, int answer,
                                      void* semaphore, int* handle) {
    *handle = 0;
    return guarded(
        [&]() -> int {
            cacheback::store::Store& from = as_store(store);
            std::string text = key_text(key, size, of_response);
            const cacheback::store::Key item = from.control().key(text);
            bool there = in_memory(from, item).has_value();
            if (auto* lookup = Handles::get<RedisLookup>(answer);
                lookup != nullptr) {
                there =
                    lookup->outcome() == RedisLookup::found || lookup->varies();
            } else if (from.redis() == nullptr) {
                there = from.memory().holds(item);  // any variant
            }
            if (!there) { return 0; }
            from.control().count(Counter::purges);
            auto made = std::make_unique<Change>(from, std::move(text),
                                                 Signal(semaphore));
            Change& change = *made;
            const int number = Handles::add(std::move(made), request);
            change.invalidate();
            if (from.redis() != nullptr) { return follow(number, handle); }
            Handles::drop(number);
            return 1;
        },
        ngx_http_cacheback_lua_unavailable);
}

int ngx_http_cacheback_lua_changed(int handle) {
    auto* change = Handles::get<Change>(handle);
    return change == nullptr ? ngx_http_cacheback_lua_unavailable
                             : change->result();
}

void ngx_http_cacheback_lua_count(void* store, int what, int from_redis) {
    cacheback::store::ControlZone& control = as_store(store).control();
    control.count(counter_of(what));
    if (what <= ngx_http_cacheback_lua_updatings) {
        control.count(from_redis != 0 ? Counter::redis_hits
                                      : Counter::memory_hits);
    }
}

std::size_t ngx_http_cacheback_lua_status(void* store, char* text,
                                          std::size_t room) {
    return guarded(
        [&] {
            cacheback::store::Store& from = as_store(store);
            cacheback::store::ControlZone& control = from.control();
            Lines lines(text, room);
            for (const Figure& figure : figures) {
                lines.add(figure.name, control.value(figure.counter));
            }
            lines.add("in_flight", control.in_flight());
            lines.add("in_line", control.in_line());
            if (from.memory().enabled()) {
                const auto memory = from.memory().figures();
                lines.add("memory_entries", memory.entries);
                lines.add("memory_used", memory.bytes_used);
                lines.add("memory_size", memory.bytes_total);
                lines.add("memory_evictions", memory.evictions);
                lines.add("memory_busy", memory.busy);
                lines.add("memory_resets", memory.resets);
            }
            if (from.settings.has_redis) {
                const auto redis = from.redis()->state();
                lines.add("redis_up", redis.up ? 1 : 0);
                lines.add("redis_writable", redis.writable ? 1 : 0);
            }
            return lines.size();
        },
        std::size_t{0});
}
