// store/memory/entry_table.cpp: look-up, order of use, eviction and recovery.
#include "entry_table.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "../../core/entry.hpp"
#include "../../core/vary.hpp"
#include "entry_layout.hpp"

namespace cacheback::store {
namespace {

// Longer than any chain that is not a circle: buckets are one for two KB.
constexpr unsigned max_chain = 4096;
// How many pinned entries an eviction walks past.
constexpr unsigned max_pinned = 64;

// Keeps the compiler from moving stores over the dirty word; for the reader,
// the lock orders the rest.
void fence() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

template <class T>
T* place(void* region, std::size_t offset) noexcept {
    return reinterpret_cast<T*>(static_cast<char*>(region) + offset);
}

}  // namespace

void EntryTable::format(void* region, std::size_t size) noexcept {
    auto* header = static_cast<Header*>(region);
    std::memset(static_cast<void*>(header), 0, sizeof(Header));
    header->size = size;
    EntryTable(region).clear();
}

EntryTable::EntryTable(void* region) noexcept
    : header_(static_cast<Header*>(region)),
      buckets_(place<std::uint32_t>(region, Layout::buckets)),
      bucket_mask_(Layout(header_->size).bucket_count - 1),
      segments_([region] {
          const Layout layout(static_cast<Header*>(region)->size);
          return SegmentPool::Place{
              &static_cast<Header*>(region)->segments,
              place<SegmentPool::Page>(region, layout.pages),
              place<std::uint32_t>(region, layout.links),
              place<char>(region, layout.data), layout.page_count};
      }()) {}

void EntryTable::clear() noexcept {
    header_->entries = 0;
    header_->wanted = 0;
    for (Ends& queue : header_->queues) { queue = {}; }
    std::fill_n(buckets_, std::size_t{bucket_mask_} + 1, 0U);
    segments_.clear();
}

bool EntryTable::recover(std::uint32_t pid) noexcept {
    const bool lost = header_->dirty != 0 || segments_.damaged();
    header_->dirty = pid;
    fence();
    if (lost) {
        empty();
        header_->resets++;
    }
    return lost;
}

void EntryTable::empty() noexcept {
    clear();
    header_->generation++;
}

void EntryTable::settle() noexcept {
    fence();
    header_->dirty = 0;
    fence();
}

std::uint32_t EntryTable::generation() const noexcept {
    return header_->generation;
}

EntryTable::Head* EntryTable::head(Node node) const noexcept {
    return reinterpret_cast<Head*>(segments_.unit(node));
}

// For links that must lead somewhere.
EntryTable::Head* EntryTable::sound_head(Node node) const noexcept {
    Head* entry = head(node);
    if (entry == nullptr) { segments_.damage(); }
    return entry;
}

std::uint32_t* EntryTable::bucket(std::uint64_t hash) const noexcept {
    return &buckets_[hash & bucket_mask_];
}

bool EntryTable::is_of(Node node, const Head& entry,
                       const Key& key) const noexcept {
    return entry.hash == key.hash && entry.key_size == key.text.size() &&
           has_key(node, key.text);
}

EntryTable::Node EntryTable::find(const Key& key,
                                  const Variety& wanted) const noexcept {
    Node node = *bucket(key.hash);
    for (unsigned steps = 0; node != none; steps++) {
        const Head* entry = sound_head(node);
        if (entry == nullptr) { return none; }
        if (steps > max_chain) {
            segments_.damage();
            return none;
        }
        if (entry->values == wanted.values && entry->names == wanted.names &&
            is_of(node, *entry, key)) {
            return node;
        }
        node = entry->chain;
    }
    return none;
}

void EntryTable::prefetch(const Key& key) const noexcept {
    constexpr std::size_t line = 64;
    constexpr std::size_t lines = 6;  // of a small entry
    const Node node = __atomic_load_n(bucket(key.hash), __ATOMIC_RELAXED);
    const char* bytes = segments_.unit(node);
    if (bytes == nullptr) { return; }
    for (std::size_t i = 0; i < lines; i++) {
        __builtin_prefetch(bytes + i * line);
    }
    segments_.prefetch(node);
}

template <class Each>
void EntryTable::for_each(const Key& key, Each each) const noexcept {
    Node node = *bucket(key.hash);
    for (unsigned steps = 0; node != none; steps++) {
        Head* entry = sound_head(node);
        if (entry == nullptr) { return; }
        if (steps > max_chain) { return segments_.damage(); }
        const Node next = entry->chain;  // `each` may drop this one
        if (is_of(node, *entry, key) && !each(node, *entry)) { return; }
        node = next;
    }
}

EntryTable::Node EntryTable::newest(const Key& key) const noexcept {
    Node first = none;
    for_each(key, [&](Node node, const Head&) {
        first = node;
        return false;
    });
    return first;
}

std::uint32_t EntryTable::names_of(Node node) const noexcept {
    const Head* entry = head(node);
    return entry == nullptr ? 0 : entry->names;
}

// One after another, since the section's values may be long.
std::size_t EntryTable::read_names(Node node, char* to,
                                   std::size_t room) const noexcept {
    char prologue[core::entry_prologue_size];
    if (!read(node, 0, prologue, sizeof(prologue))) { return 0; }
    const core::EntryMeta meta =
        core::EntryView::trusted({prologue, sizeof(prologue)}).meta;
    std::size_t at = core::entry_prologue_size + meta.key_size;
    const std::size_t end = at + meta.vary_size;
    std::size_t size = 0;
    while (at < end) {
        char item[core::VaryItems::item_prologue_size];
        if (!read(node, at, item, sizeof(item))) { return 0; }
        const auto sizes = core::VaryItems::sizes_of(item);
        const std::size_t comma = size == 0 ? 0 : 1;
        if (sizes.name > room - size || room - size - sizes.name < comma) {
            return 0;
        }
        if (comma != 0) { to[size++] = ','; }
        if (!read(node, at + sizeof(item), to + size, sizes.name)) { return 0; }
        size += sizes.name;
        at += sizeof(item) + sizes.name + sizes.value;
    }
    return at == end ? size : 0;
}

// Calls `use(bytes, count)` for each run that holds part of the entry's bytes
// from `offset` on; stops when it says false.
template <class Use>
bool EntryTable::walk(Node node, std::size_t offset, std::size_t count,
                      Use use) const noexcept {
    const Head* entry = head(node);
    if (entry == nullptr || offset > entry->size ||
        count > entry->size - offset) {
        return false;
    }
    std::size_t skip = sizeof(Head) + offset;
    SegmentPool::Run run = segments_.run(node);
    while (count > 0) {
        if (run.size == 0) { return false; }
        if (skip >= run.size) {
            skip -= run.size;
        } else {
            const std::size_t part = std::min(count, run.size - skip);
            if (!use(run.bytes + skip, part)) { return false; }
            count -= part;
            skip = 0;
        }
        if (count > 0) { run = segments_.run(run.next); }
    }
    return true;
}

bool EntryTable::has_key(Node node, std::string_view key) const noexcept {
    const char* at = key.data();
    return walk(node, core::entry_prologue_size, key.size(),
                [&at](const char* bytes, std::size_t count) {
                    const bool same = std::memcmp(bytes, at, count) == 0;
                    at += count;
                    return same;
                });
}

std::size_t EntryTable::size_of(Node node) const noexcept {
    const Head* entry = head(node);
    return entry == nullptr ? 0 : entry->size;
}

core::Millis EntryTable::as_of(Node node) const noexcept {
    const Head* entry = head(node);
    return entry == nullptr ? 0 : entry->as_of;
}

void EntryTable::confirm(Node node, core::Millis now) noexcept {
    Head* entry = head(node);
    if (entry != nullptr && entry->as_of < now) { entry->as_of = now; }
}

bool EntryTable::read(Node node, std::size_t offset, void* to,
                      std::size_t count) const noexcept {
    auto* at = static_cast<char*>(to);
    return walk(node, offset, count,
                [&at](const char* bytes, std::size_t part) {
                    std::memcpy(at, bytes, part);
                    at += part;
                    return true;
                });
}

bool EntryTable::write(Node node, std::size_t offset,
                       std::string_view bytes) noexcept {
    const char* at = bytes.data();
    return walk(node, offset, bytes.size(), [&at](char* to, std::size_t part) {
        std::memcpy(to, at, part);
        at += part;
        return true;
    });
}

bool EntryTable::invalidate(const Key& key, core::Millis now) noexcept {
    const core::Invalidation bytes = core::invalidation(now);
    bool any = false;
    for_each(key, [&](Node node, const Head&) {
        any = write(node, core::offset::invalidated,
                    {bytes.data(), bytes.size()}) ||
              any;
        return true;
    });
    return any;
}

void EntryTable::touch(Node node, core::Millis now) noexcept {
    Head* entry = head(node);
    if (entry == nullptr || entry->queue == condemned) { return; }
    const auto seconds = static_cast<std::uint32_t>(now / core::second);
    if (entry->queue == protection && entry->touched == seconds) { return; }
    detach(*entry);
    entry->touched = seconds;
    attach(node, *entry, protection);
    shrink_protection();
}

// What was protected the longest without being read is on probation again,
// as the newest there.
void EntryTable::shrink_protection() noexcept {
    Ends& queue = header_->queues[protection];
    const std::uint32_t most = segments_.all_units() / 5 * 4;
    for (unsigned i = 0; i < max_evictions && queue.units > most; i++) {
        const Node node = queue.oldest;
        Head* entry = sound_head(node);
        if (entry == nullptr) { return; }
        detach(*entry);
        attach(node, *entry, probation);
    }
}

void EntryTable::attach(Node node, Head& entry, Queue queue) noexcept {
    Ends& ends = header_->queues[queue];
    entry.queue = queue;
    entry.newer = none;
    entry.older = ends.newest;
    if (ends.newest == none) {
        ends.oldest = node;
    } else if (Head* before = sound_head(ends.newest)) {
        before->newer = node;
    }
    ends.newest = node;
    ends.units += entry.units();
}

void EntryTable::detach(Head& entry) noexcept {
    if (entry.queue > condemned) { return segments_.damage(); }
    Ends& ends = header_->queues[entry.queue];
    if (entry.newer == none) {
        ends.newest = entry.older;
    } else if (Head* newer = sound_head(entry.newer)) {
        newer->older = entry.older;
    }
    if (entry.older == none) {
        ends.oldest = entry.newer;
    } else if (Head* older = sound_head(entry.older)) {
        older->newer = entry.newer;
    }
    ends.units -= entry.units();
}

// Takes the entry out of its bucket.
void EntryTable::unlink(Node node, const Head& entry) noexcept {
    std::uint32_t* link = bucket(entry.hash);
    for (unsigned steps = 0; *link != node; steps++) {
        Head* other = sound_head(*link);
        if (other == nullptr) { return; }
        if (steps > max_chain) { return segments_.damage(); }
        link = &other->chain;
    }
    *link = entry.chain;
}

void EntryTable::drop(Node node, Head& entry) noexcept {
    unlink(node, entry);
    detach(entry);
    header_->entries--;
    if (entry.pins > 0) {
        attach(node, entry, condemned);
    } else {
        segments_.give(node);
    }
}

// Drops the least recently used entry that nobody reads.
bool EntryTable::evict() noexcept {
    unsigned pinned = 0;
    for (const Queue queue : {probation, protection}) {
        Node node = header_->queues[queue].oldest;
        while (node != none) {
            Head* entry = sound_head(node);
            if (entry == nullptr) { return false; }
            if (entry->pins == 0) {
                drop(node, *entry);
                header_->evictions++;
                return !segments_.damaged();
            }
            if (++pinned > max_pinned) { return false; }
            node = entry->newer;
        }
    }
    return false;
}

// Frees `units`, and a little more when that is cheap: so a large entry finds
// room among small ones, of which 8 would not make way for it.
bool EntryTable::make_room(std::uint32_t units) noexcept {
    unsigned evicted = 0;
    while (segments_.free_units() < units) {
        if (evicted == max_evictions || !evict()) {
            header_->busy++;
            header_->wanted = std::max(header_->wanted, units);
            return false;
        }
        evicted++;
    }
    if (units >= header_->wanted) { header_->wanted = 0; }

    const std::uint32_t usual = std::min(
        segments_.all_units() / 32,
        static_cast<std::uint32_t>(256 * 1024 / SegmentPool::unit_size));
    const std::uint32_t reserve = units + std::max(usual, header_->wanted);
    const unsigned most = std::min(evicted + 2, max_evictions);
    while (evicted < most && segments_.free_units() < reserve && evict()) {
        evicted++;
    }
    return true;
}

// What the new entry of this variety replaces. Says where that one stood.
EntryTable::Queue EntryTable::make_way(const Key& key,
                                       const Variety& variety) noexcept {
    Queue queue = probation;
    unsigned others = 0;
    Node last = none;
    const auto gives_way = [&](const Head& one, const Head& other) {
        if (one.queue != other.queue) { return one.queue < other.queue; }
        return one.touched <= other.touched;  // behind the other: older
    };
    for_each(key, [&](Node node, Head& entry) {
        if (entry.names != variety.names) {
            drop(node, entry);
        } else if (entry.values == variety.values) {
            if (entry.queue == protection) { queue = protection; }
            drop(node, entry);
        } else {
            others++;
            if (last == none || gives_way(entry, *head(last))) { last = node; }
        }
        return !segments_.damaged();
    });
    if (others >= core::max_variants) { drop(last, *head(last)); }
    return queue;
}

Inserted EntryTable::insert(const Key& key, const Pieces& pieces,
                            core::Millis now, const Variety& variety) noexcept {
    const Queue queue = make_way(key, variety);
    const std::size_t size = total(pieces);
    if (size > max_entry()) { return Inserted::too_large; }
    const auto units =
        static_cast<std::uint32_t>(SegmentPool::units_for(sizeof(Head) + size));
    if (!make_room(units)) { return Inserted::busy; }
    const Node node = segments_.take(units);
    Head* entry = head(node);
    if (entry == nullptr) { return Inserted::busy; }

    *entry = Head{};
    entry->hash = key.hash;
    entry->as_of = now;
    entry->values = variety.values;
    entry->digest = variety.digest;
    entry->names = variety.names;
    entry->size = static_cast<std::uint32_t>(size);
    entry->key_size = static_cast<std::uint32_t>(key.text.size());
    entry->touched = static_cast<std::uint32_t>(now / core::second);
    std::size_t offset = 0;
    for (const std::string_view piece : pieces) {
        if (!write(node, offset, piece)) { return Inserted::busy; }
        offset += piece.size();
    }

    std::uint32_t* first = bucket(key.hash);
    entry->chain = *first;
    *first = node;
    attach(node, *entry, queue);
    header_->entries++;
    shrink_protection();
    return Inserted::yes;
}

bool EntryTable::remove(const Key& key) noexcept {
    bool any = false;
    for_each(key, [&](Node node, Head& entry) {
        drop(node, entry);
        return any = true;
    });
    return any;
}

bool EntryTable::remove(const Key& key, const Variety& variety) noexcept {
    bool any = false;
    for_each(key, [&](Node node, Head& entry) {
        if (entry.names != variety.names || entry.digest == variety.digest) {
            drop(node, entry);
            any = true;
        }
        return true;
    });
    return any;
}

bool EntryTable::remove_variant(const Key& key, std::uint64_t digest) noexcept {
    bool any = false;
    for_each(key, [&](Node node, Head& entry) {
        if (entry.digest == digest) {
            drop(node, entry);
            any = true;
        }
        return true;
    });
    return any;
}

void EntryTable::remove_older(const Key& key, const Variety* variety,
                              core::Millis as_of) noexcept {
    for_each(key, [&](Node node, Head& entry) {
        const bool meant =
            variety == nullptr ||
            (entry.names == variety->names && entry.values == variety->values);
        if (meant && entry.as_of < as_of) { drop(node, entry); }
        return true;
    });
}

std::size_t EntryTable::max_entry() const noexcept {
    return std::size_t{segments_.all_units()} * SegmentPool::unit_size / 4;
}

void EntryTable::pin(Node node) noexcept {
    if (Head* entry = head(node)) { entry->pins++; }
}

void EntryTable::unpin(Node node) noexcept {
    Head* entry = head(node);
    if (entry == nullptr || entry->pins == 0) { return segments_.damage(); }
    entry->pins--;
    if (entry->pins == 0 && entry->queue == condemned) {
        detach(*entry);
        segments_.give(node);
    }
}

EntryTable::Figures EntryTable::figures() const noexcept {
    const std::uint64_t all = segments_.all_units();
    Figures figures{};
    figures.entries = header_->entries;
    figures.bytes_used =
        (all - segments_.free_units()) * SegmentPool::unit_size;
    figures.bytes_total = all * SegmentPool::unit_size;
    figures.evictions = header_->evictions;
    figures.busy = header_->busy;
    figures.resets = header_->resets;
    return figures;
}

}  // namespace cacheback::store
