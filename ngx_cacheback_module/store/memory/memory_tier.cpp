// store/memory/memory_tier.cpp: one lock for a hit, and nothing slow under it.
#include "memory_tier.hpp"

#include <array>

namespace cacheback::store {
namespace {

std::uint32_t own_pid() noexcept { return static_cast<std::uint32_t>(ngx_pid); }

}  // namespace

struct MemoryTier::Pin {
    std::uint32_t pid;  // 0: free
    EntryTable::Node node;
};

// At the start of each zone. A process holds at most one, while it copies; who
// finds none free copies under the lock.
struct MemoryTier::Pins {
    Pin list[64];

    Pin* take(EntryTable::Node node) noexcept {
        for (Pin& pin : list) {
            if (pin.pid == 0) {
                pin.node = node;
                pin.pid = own_pid();
                return &pin;
            }
        }
        return nullptr;
    }
};

// Behind the pins. Only ever counted up.
struct MemoryTier::Changes {
    std::uint32_t counts[4096];

    std::uint32_t& of(const Key& key) noexcept {
        return counts[key.hash >> 16 & (std::size(counts) - 1)];
    }
    static void note(std::uint32_t& count) noexcept {
        __atomic_fetch_add(&count, 1, __ATOMIC_RELEASE);
    }
    void all() noexcept {
        for (std::uint32_t& count : counts) { note(count); }
    }
};

// A shard under its lock, in order: emptied first if a worker died in it.
class MemoryTier::Access {
  public:
    explicit Access(Shard& shard) noexcept : shard_(shard) {
        lock_.emplace(shard.zone);
        lost_ = shard.table->recover(own_pid());
        if (lost_) {
            ngx_memzero(shard.pins, sizeof(Pins));
            shard.changes->all();
        }
    }
    ~Access() {
        shard_.table->settle();
        lock_.reset();
        if (lost_) {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "cacheback: shared zone \"%V\" emptied, "
                          "a worker died while it was at work there",
                          &shard_.name);
        }
    }
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

    EntryTable* operator->() noexcept { return &*shard_.table; }

    void unpin(Pin& pin) noexcept {
        const EntryTable::Node node = pin.node;
        pin = {};
        shard_.table->unpin(node);
    }

  private:
    Shard& shard_;
    std::optional<ngx::SharedZone::Lock> lock_;
    bool lost_ = false;
};

char* MemoryTier::configure(ngx_conf_t* cf, const ngx_str_t& store_name,
                            std::size_t size, std::size_t max_entry,
                            void* tag) {
    if (size == 0) { return NGX_CONF_OK; }
    if (size < min_size) {
        return const_cast<char*>(
            "\"memory\" is too small, expected at least \"256k\"");
    }
    static_assert(min_size >= sizeof(Pins) + sizeof(Changes) +
                                  EntryTable::min_size + 65536);
    unsigned count = 1;
    while (count < max_shards && size / (count * 2) >= shard_size) {
        count *= 2;
    }
    const std::size_t each = size / count / ngx_pagesize * ngx_pagesize;
    for (unsigned i = 0; i < count; i++) {
        const std::size_t room =
            store_name.len + sizeof("cacheback::v:data:") + 2 * NGX_INT_T_LEN;
        auto* text = static_cast<u_char*>(ngx_pnalloc(cf->pool, room));
        if (text == nullptr) { return static_cast<char*>(NGX_CONF_ERROR); }
        u_char* end =
            ngx_snprintf(text, room, "cacheback:%V:v%ui:data:%ui", &store_name,
                         static_cast<ngx_uint_t>(EntryTable::layout_version),
                         static_cast<ngx_uint_t>(i));
        Shard& shard = shards_[i];
        shard.name = {static_cast<std::size_t>(end - text), text};
        const char* error =
            shard.zone.add(cf, shard.name, each, tag, attach, &shard);
        if (error != nullptr) { return const_cast<char*>(error); }
    }
    max_entry_ = max_entry;
    shard_count_ = count;
    return NGX_CONF_OK;
}

void MemoryTier::attach(void* self, void* region, std::size_t size,
                        bool fresh) {
    auto* shard = static_cast<Shard*>(self);
    constexpr std::size_t before = sizeof(Pins) + sizeof(Changes);
    void* table = static_cast<char*>(region) + before;
    shard->pins = static_cast<Pins*>(region);
    shard->changes = reinterpret_cast<Changes*>(shard->pins + 1);
    if (fresh) {
        ngx_memzero(region, before);
        EntryTable::format(table, size - before);
    }
    shard->table.emplace(table);
}

// Buckets take the lowest bits, shards the highest.
MemoryTier::Shard& MemoryTier::shard_of(const Key& key) noexcept {
    return shards_[key.hash >> 56 & (shard_count_ - 1)];
}

std::optional<MemoryTier::Copy> MemoryTier::get(const Key& key,
                                                const Variety& wanted,
                                                Others& others,
                                                ngx_pool_t& pool) {
    if (!enabled()) { return std::nullopt; }
    Shard& shard = shard_of(key);
    const std::uint64_t hash = key.hash ^ wanted.values;
    Hint& hint = hints_[hash >> 40 & (hint_count - 1)];
    const auto tag = static_cast<std::uint32_t>(hash);
    std::size_t room = hint.tag == tag ? hint.size : 0;
    void* to = room == 0 ? nullptr : ngx_palloc(&pool, room);
    if (to == nullptr) { room = 0; }

    // Again when the entry was replaced by a larger one in the meantime.
    for (unsigned attempt = 0; attempt < 3; attempt++) {
        std::size_t size = 0;
        Pin* pin = nullptr;
        std::uint32_t generation = 0;
        core::Millis as_of = 0;
        {
            Access access(shard);
            const EntryTable::Node node = access->find(key, wanted);
            if (node == EntryTable::none) {
                const EntryTable::Node other = access->newest(key);
                others.any = other != EntryTable::none;
                others.hash = access->names_of(other);
                others.size = access->read_names(other, others.names,
                                                 sizeof(others.names));
                return std::nullopt;
            }
            size = access->size_of(node);
            as_of = access->as_of(node);
            access->touch(node, clock());
            if (size <= room) {
                if (!access->read(node, 0, to, size)) { return std::nullopt; }
                if (size <= copy_limit) {
                    hint = {tag, static_cast<std::uint32_t>(size)};
                }
                return Copy{{static_cast<char*>(to), size}, as_of};
            }
            if (size > copy_limit) { pin = shard.pins->take(node); }
            if (pin != nullptr) {
                access->pin(node);
                generation = access->generation();
            }
        }
        room = size;
        to = ngx_palloc(&pool, room);
        if (pin != nullptr) {
            if (!copy_pinned(shard, *pin, generation, to, size)) {
                return std::nullopt;
            }
            return Copy{{static_cast<char*>(to), size}, as_of};
        }
        if (to == nullptr) { return std::nullopt; }
    }
    return std::nullopt;
}

std::optional<MemoryTier::Copy> MemoryTier::get(const Key& key,
                                                ngx_pool_t& pool) {
    Others others;
    return get(key, {}, others, pool);
}

std::optional<MemoryTier::Copy> MemoryTier::get(const Key& key, char* to,
                                                std::size_t room) {
    if (!enabled()) { return std::nullopt; }
    Shard& shard = shard_of(key);
    shard.table->prefetch(key);
    Access access(shard);
    const EntryTable::Node node = access->find(key);
    if (node == EntryTable::none) { return std::nullopt; }
    const std::size_t size = access->size_of(node);
    if (size > room || !access->read(node, 0, to, size)) {
        return std::nullopt;
    }
    access->touch(node, clock());
    return Copy{{to, size}, access->as_of(node)};
}

// `to` may be null: then only the pin goes.
bool MemoryTier::copy_pinned(Shard& shard, Pin& pin, std::uint32_t generation,
                             void* to, std::size_t size) {
    const bool read = to != nullptr && shard.table->read(pin.node, 0, to, size);
    Access access(shard);
    // Emptied meanwhile: the bytes may be another entry's, the pin is gone.
    if (access->generation() != generation) { return false; }
    access.unpin(pin);
    return read;
}

Inserted MemoryTier::put(const Key& key, const Pieces& entry,
                         const Variety& variety, core::Millis as_of) {
    if (!enabled()) { return Inserted::busy; }
    if (total(entry) > max_entry_) {
        (void)remove(key, variety);  // outdated by what is not stored
        return Inserted::too_large;
    }
    Shard& shard = shard_of(key);
    Access access(shard);
    const Inserted inserted = access->insert(key, entry, as_of, variety);
    note_change(shard, key);
    return inserted;
}

bool MemoryTier::holds(const Key& key) {
    if (!enabled()) { return false; }
    Access access(shard_of(key));
    return access->newest(key) != EntryTable::none;
}

bool MemoryTier::remove(const Key& key) {
    if (!enabled()) { return false; }
    Shard& shard = shard_of(key);
    Access access(shard);
    const bool was_held = access->remove(key);
    note_change(shard, key);
    return was_held;
}

// After it, and before the lock goes: who has read the old count and the new
// item looks once too often.
void MemoryTier::note_change(Shard& shard, const Key& key) noexcept {
    Changes::note(shard.changes->of(key));
}

const std::uint32_t& MemoryTier::changes(const Key& key) noexcept {
    static const std::uint32_t none = 0;
    return enabled() ? shard_of(key).changes->of(key) : none;
}

bool MemoryTier::remove(const Key& key, const Variety& variety) {
    if (!enabled()) { return false; }
    Shard& shard = shard_of(key);
    Access access(shard);
    const bool was_held = access->remove(key, variety);
    note_change(shard, key);
    return was_held;
}

bool MemoryTier::remove_variant(const Key& key, std::uint64_t digest) {
    if (!enabled()) { return false; }
    Shard& shard = shard_of(key);
    Access access(shard);
    const bool was_held = access->remove_variant(key, digest);
    note_change(shard, key);
    return was_held;
}

void MemoryTier::confirm(const Key& key, const Variety& variety,
                         core::Millis as_of) {
    if (!enabled()) { return; }
    Access access(shard_of(key));
    const EntryTable::Node node = access->find(key, variety);
    if (node != EntryTable::none) { access->confirm(node, as_of); }
}

void MemoryTier::settle_tags(const Key& key, const Variety& variety,
                             const core::EntryMeta& read,
                             const PurgeVerdict& verdict, PurgeNumber until,
                             core::Millis as_of) {
    using Standing = PurgeVerdict::Standing;
    if (!enabled() || verdict.standing == Standing::unknown) { return; }
    char prologue[core::entry_prologue_size];
    Shard& shard = shard_of(key);
    Access access(shard);
    const EntryTable::Node node = access->find(key, variety);
    if (node == EntryTable::none ||
        !access->read(node, 0, prologue, sizeof(prologue))) {
        return;
    }
    // It may be another one by now, whose fetch began before.
    const core::EntryMeta held =
        core::EntryView::trusted({prologue, sizeof(prologue)}).meta;
    if (held.stored != read.stored || held.sequence != read.sequence) {
        return;
    }
    if (verdict.standing == Standing::gone) {
        (void)access->remove(key, variety);
        note_change(shard, key);
        return;
    }
    const core::Millis fresh_for = verdict.since - held.stored;
    if (verdict.standing == Standing::stale &&
        fresh_for < held.windows.fresh_for) {
        const core::Invalidation mark = core::invalidation(verdict.since);
        (void)access->write(node, core::offset::invalidated,
                            {mark.data(), mark.size()});
        note_change(shard, key);
    }
    std::array<char, sizeof(held.sequence)> bytes;
    core::store(bytes.data(), until.value());
    (void)access->write(node, core::offset::sequence,
                        {bytes.data(), bytes.size()});
    access->confirm(node, as_of);
}

void MemoryTier::remove_older(const Key& key, const Variety* variety,
                              core::Millis as_of) {
    if (!enabled()) { return; }
    Shard& shard = shard_of(key);
    Access access(shard);
    access->remove_older(key, variety, as_of);
    note_change(shard, key);
}

bool MemoryTier::invalidate(const Key& key, core::Millis now) {
    if (!enabled()) { return false; }
    Shard& shard = shard_of(key);
    Access access(shard);
    const bool was_held = access->invalidate(key, now);
    note_change(shard, key);
    return was_held;
}

std::optional<core::Millis> MemoryTier::stored(const Key& key,
                                               const Variety& variety) {
    if (!enabled()) { return std::nullopt; }
    char prologue[core::entry_prologue_size];
    Access access(shard_of(key));
    const EntryTable::Node node = access->find(key, variety);
    if (node == EntryTable::none ||
        !access->read(node, 0, prologue, sizeof(prologue))) {
        return std::nullopt;
    }
    return core::peek_stored({prologue, sizeof(prologue)});
}

EntryTable::Figures MemoryTier::figures() {
    EntryTable::Figures sum{};
    for (unsigned i = 0; i < shard_count_; i++) {
        Access access(shards_[i]);
        const EntryTable::Figures one = access->figures();
        sum.entries += one.entries;
        sum.bytes_used += one.bytes_used;
        sum.bytes_total += one.bytes_total;
        sum.evictions += one.evictions;
        sum.busy += one.busy;
        sum.resets += one.resets;
    }
    return sum;
}

void MemoryTier::sweep() {
    for (unsigned i = 0; i < shard_count_; i++) {
        for (Pin& pin : shards_[i].pins->list) {
            const std::uint32_t pid =
                __atomic_load_n(&pin.pid, __ATOMIC_RELAXED);
            if (pid == 0 || ngx::is_alive(pid)) { continue; }
            Access access(shards_[i]);
            if (pin.pid == pid) { access.unpin(pin); }
        }
    }
}

}  // namespace cacheback::store
