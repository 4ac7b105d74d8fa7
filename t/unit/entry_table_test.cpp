// entry_table_test.cpp: entries in shared memory: found, replaced, evicted,
// pinned, and emptied rather than trusted after a crash.
#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/entry.hpp"
#include "core/vary.hpp"
#include "store/memory/entry_layout.hpp"
#include "store/memory/entry_table.hpp"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
extern "C" {
#include <cmocka.h>
}

namespace cacheback::store {

const char* EntryTable::check() const {
    if (segments_.damaged()) { return "a link led nowhere"; }
    if (const char* fault = segments_.check()) { return fault; }

    std::vector<bool> owned(segments_.all_units() + SegmentPool::page_units);
    std::uint32_t owned_units = 0;
    std::uint64_t queued = 0;
    for (const Queue queue : {probation, protection, condemned}) {
        const Ends& ends = header_->queues[queue];
        std::uint32_t units = 0;
        Node before = none;
        for (Node node = ends.newest; node != none;) {
            const Head* entry = head(node);
            if (entry == nullptr) { return "a queue leads nowhere"; }
            if (entry->newer != before) { return "a queue is linked wrongly"; }
            if (entry->queue != queue) { return "an entry is misplaced"; }
            if (queue == condemned && entry->pins == 0) {
                return "a removed entry without pins was not freed";
            }
            std::size_t bytes = 0;
            for (Node at = node; at != none;) {
                const SegmentPool::Run run = segments_.run(at);
                if (run.size == 0) { return "a chain leads nowhere"; }
                for (std::size_t i = 0; i < run.size / SegmentPool::unit_size;
                     i++) {
                    const auto unit = static_cast<Node>(at + i);
                    if (owned[unit]) { return "a segment has two owners"; }
                    if (!segments_.is_used(unit)) { return "one is not used"; }
                    owned[unit] = true;
                }
                bytes += run.size;
                at = run.next;
            }
            if (bytes != std::size_t{entry->units()} * SegmentPool::unit_size) {
                return "a chain is not as long as its entry";
            }
            units += entry->units();
            queued += queue == condemned ? 0 : 1;
            before = node;
            node = entry->older;
        }
        if (ends.oldest != before) { return "a queue has the wrong end"; }
        if (ends.units != units) { return "a queue miscounts its segments"; }
        owned_units += units;
    }
    if (owned_units != segments_.all_units() - segments_.free_units()) {
        return "segments without an owner";
    }

    std::uint64_t chained = 0;
    for (std::uint32_t i = 0; i <= bucket_mask_; i++) {
        for (Node node = buckets_[i]; node != none;) {
            const Head* entry = head(node);
            if (entry == nullptr) { return "a bucket leads nowhere"; }
            if ((entry->hash & bucket_mask_) != i) { return "a wrong bucket"; }
            if (entry->queue == condemned) { return "a removed one is found"; }
            if (++chained > queued) { return "buckets hold too many"; }
            node = entry->chain;
        }
    }
    if (chained != queued || header_->entries != queued) {
        return "entries are miscounted";
    }
    return nullptr;
}

}  // namespace cacheback::store

namespace {

using cacheback::core::entry_prologue_size;
using cacheback::core::Millis;
using cacheback::store::EntryTable;
using cacheback::store::Inserted;
using cacheback::store::Key;
using cacheback::store::Pieces;
using cacheback::store::seeded_hash;

constexpr std::uint32_t pid = 4711;

// A table in memory of its own, so that ASan sees a byte too far.
class Table {
  public:
    explicit Table(std::size_t size = 1024 * 1024)
        : size_(size), region_(new std::uint64_t[size / 8]()) {
        EntryTable::format(region_.get(), size);
        table_.emplace(region_.get());
    }
    EntryTable* operator->() { return &*table_; }
    EntryTable& operator*() { return *table_; }
    [[nodiscard]] char* bytes() {
        return reinterpret_cast<char*>(region_.get());
    }
    [[nodiscard]] std::size_t size() const { return size_; }

    // What find() and read() give for this key.
    std::optional<std::string> get(const Key& key) {
        const EntryTable::Node node = table_->find(key);
        if (node == EntryTable::none) { return std::nullopt; }
        std::string bytes(table_->size_of(node), '\0');
        if (!table_->read(node, 0, bytes.data(), bytes.size())) {
            return std::nullopt;
        }
        return bytes;
    }

  private:
    std::size_t size_;
    std::unique_ptr<std::uint64_t[]> region_;
    std::optional<EntryTable> table_;
};

Key key_of(std::string_view text) { return {text, seeded_hash(1, text)}; }

// An entry of `size` bytes in all, at the least those that hold the key.
std::string entry_of(std::string_view key, std::size_t size, char fill = 'x') {
    std::string bytes(entry_prologue_size, fill);
    bytes += key;
    if (bytes.size() < size) { bytes.resize(size, fill); }
    return bytes;
}

Inserted put(Table& table, std::string_view key, const std::string& bytes,
             Millis now = 0) {
    return table->insert(key_of(key), Pieces{bytes}, now);
}

void touch(Table& table, std::string_view key, Millis now) {
    table->touch(table->find(key_of(key)), now);
}

bool holds(Table& table, std::string_view key) {
    return table->find(key_of(key)) != EntryTable::none;
}

void an_entry_is_found_again_with_the_bytes_it_was_made_of(void**) {
    for (const std::size_t size : {129U, 255U, 1024U, 8192U, 8193U, 200000U}) {
        Table table;
        std::string bytes = entry_of("k", size);
        for (std::size_t i = 200; i < size; i++) {
            bytes[i] = static_cast<char>(i * 31 >> 3);
        }
        assert_true(put(table, "k", bytes) == Inserted::yes);
        assert_true(table.get(key_of("k")) == bytes);
        assert_null(table->check());
    }
}

void pieces_are_joined_in_order(void**) {
    Table table;
    const std::string head = entry_of("k", 300);
    const std::string one(5000, '1');
    const std::string two(12345, '2');
    table->insert(key_of("k"), Pieces{head, one, "", two}, 0);
    assert_true(table.get(key_of("k")) == head + one + two);
}

void an_entry_knows_when_it_was_right_last(void**) {
    Table table;
    table->insert(key_of("k"), Pieces{entry_of("k", 300)}, 5000);
    const EntryTable::Node node = table->find(key_of("k"));
    assert_int_equal(table->as_of(node), 5000);
    table->touch(node, 6000);  // being read proves nothing
    assert_int_equal(table->as_of(node), 5000);
    table->confirm(node, 7000);
    assert_int_equal(table->as_of(node), 7000);
    table->confirm(node, 6500);  // of who asked before, and heard later
    assert_int_equal(table->as_of(node), 7000);
    table->insert(key_of("k"), Pieces{entry_of("k", 300)}, 6000);
    assert_int_equal(table->as_of(table->find(key_of("k"))), 6000);
}

void a_key_that_is_not_there_is_not_found(void**) {
    Table table;
    assert_false(holds(table, "k"));
    put(table, "k", entry_of("k", 1000));
    assert_false(holds(table, "K"));
    assert_false(holds(table, "kk"));
}

void another_key_with_the_same_hash_is_another_item(void**) {
    Table table;
    const Key one{"one", 42};
    const Key two{"two", 42};
    const Key longer{"one and more", 42};
    table->insert(one, Pieces{entry_of("one", 500, '1')}, 0);
    assert_true(table->find(two) == EntryTable::none);
    assert_true(table->find(longer) == EntryTable::none);
    table->insert(two, Pieces{entry_of("two", 500, '2')}, 0);
    assert_true(table.get(one) == entry_of("one", 500, '1'));
    assert_true(table.get(two) == entry_of("two", 500, '2'));
    assert_true(table->remove(one));
    assert_true(table->find(one) == EntryTable::none);
    assert_true(table->find(two) != EntryTable::none);
    assert_null(table->check());
}

void a_long_key_is_compared_to_its_last_byte(void**) {
    Table table;
    const std::string key(20000, 'k');
    std::string other = key;
    other.back() = 'j';
    table->insert({key, 9}, Pieces{entry_of(key, 0)}, 0);
    assert_true(table->find({key, 9}) != EntryTable::none);
    assert_true(table->find({other, 9}) == EntryTable::none);
}

void an_insert_replaces_the_entry_of_its_key(void**) {
    Table table;
    put(table, "k", entry_of("k", 3000, 'a'));
    put(table, "k", entry_of("k", 700, 'b'));
    assert_true(table.get(key_of("k")) == entry_of("k", 700, 'b'));
    assert_int_equal(table->figures().entries, 1);
    assert_null(table->check());
}

void a_removed_entry_is_gone_and_its_memory_is_free(void**) {
    Table table;
    put(table, "k", entry_of("k", 30000));
    assert_true(table->remove(key_of("k")));
    assert_false(table->remove(key_of("k")));
    assert_int_equal(table->figures().bytes_used, 0);
    assert_null(table->check());
}

void reads_and_writes_stay_within_the_entry(void**) {
    Table table;
    put(table, "k", entry_of("k", 1000));
    const EntryTable::Node node = table->find(key_of("k"));
    char bytes[8] = {};
    assert_true(table->read(node, 992, bytes, 8));
    assert_false(table->read(node, 993, bytes, 8));
    assert_false(table->read(node, 1001, bytes, 0));
    assert_false(table->read(node, ~std::size_t{0}, bytes, 8));
    assert_false(table->write(node, 999, "ab"));
    assert_true(table->write(node, 198, "renewed"));
    assert_true(table.get(key_of("k"))->substr(198, 7) == "renewed");
    assert_null(table->check());
}

void the_least_recently_used_goes_first(void**) {
    Table table(256 * 1024);
    for (int i = 0; i < 3; i++) {
        put(table, "k" + std::to_string(i), entry_of("k0", 50000));
    }
    touch(table, "k0", 0);
    put(table, "k3", entry_of("k3", 50000));
    put(table, "k4", entry_of("k4", 50000));
    assert_true(holds(table, "k0"));
    assert_false(holds(table, "k1"));
    assert_true(holds(table, "k4"));
    assert_null(table->check());
}

void a_flood_of_keys_that_nobody_reads_evicts_only_its_own_like(void**) {
    Table table;
    for (int i = 0; i < 100; i++) {
        const std::string key = "hot" + std::to_string(i);
        put(table, key, entry_of(key, 4000));
        touch(table, key, 0);
    }
    for (int i = 0; i < 20000; i++) {
        const std::string key = "once" + std::to_string(i);
        assert_true(put(table, key, entry_of(key, 4000)) == Inserted::yes);
    }
    for (int i = 0; i < 100; i++) {
        assert_true(holds(table, "hot" + std::to_string(i)));
    }
    assert_null(table->check());
}

void what_was_hot_once_makes_way_for_what_is_hot_now(void**) {
    Table table;
    for (const char* wave : {"old", "new"}) {
        for (int i = 0; i < 230; i++) {
            const std::string key = wave + std::to_string(i);
            put(table, key, entry_of(key, 4000));
            touch(table, key, 0);
        }
    }
    for (int i = 100; i < 230; i++) {
        assert_true(holds(table, "new" + std::to_string(i)));
    }
    assert_null(table->check());
}

void a_replaced_entry_stays_protected(void**) {
    Table table;
    put(table, "hot", entry_of("hot", 4000));
    touch(table, "hot", 0);
    put(table, "hot", entry_of("hot", 4000, 'r'));
    for (int i = 0; i < 1000; i++) {
        const std::string key = std::to_string(i);
        put(table, key, entry_of(key, 4000));
    }
    assert_true(table.get(key_of("hot")) == entry_of("hot", 4000, 'r'));
}

void a_touch_in_the_same_second_writes_nothing(void**) {
    Table table;
    put(table, "a", entry_of("a", 1000));
    put(table, "b", entry_of("b", 1000));
    touch(table, "a", 5000);
    touch(table, "b", 5100);
    const std::string before(table.bytes(), table.size());
    touch(table, "a", 5900);
    assert_memory_equal(before.data(), table.bytes(), table.size());
    touch(table, "a", 6000);
    assert_memory_not_equal(before.data(), table.bytes(), table.size());
    assert_null(table->check());
}

void an_insert_evicts_no_more_than_eight(void**) {
    Table table;
    std::uint64_t evictions = 0;
    std::uint64_t busy = 0;
    for (int i = 0; i < 3000; i++) {
        const std::string key = std::to_string(i);
        const bool large = i % 1000 == 999;
        const Inserted done =
            put(table, key, entry_of(key, large ? 120000 : 1000));
        busy += done == Inserted::busy ? 1 : 0;
        const std::uint64_t now = table->figures().evictions;
        assert_true(now - evictions <= 8);
        evictions = now;
    }
    assert_int_equal(table->figures().busy, busy);
    assert_true(busy > 0);
    assert_null(table->check());
}

void who_finds_no_room_finds_it_a_little_later(void**) {
    Table table;
    int i = 0;
    for (; i < 2000; i++) {
        const std::string key = std::to_string(i);
        put(table, key, entry_of(key, 1000));
    }
    assert_true(put(table, "big", entry_of("big", 200000)) == Inserted::busy);
    for (; i < 2200; i++) {
        const std::string key = std::to_string(i);
        put(table, key, entry_of(key, 1000));
    }
    assert_true(put(table, "big", entry_of("big", 200000)) == Inserted::yes);
    assert_null(table->check());
}

void an_outdated_entry_is_gone_also_when_the_new_one_has_no_room(void**) {
    Table table;
    put(table, "k", entry_of("k", 1000));
    for (int i = 0; i < 500; i++) {
        const std::string key = std::to_string(i);
        put(table, key, entry_of(key, 2000));
    }
    put(table, "k", entry_of("k", 1000));
    assert_true(put(table, "k", entry_of("k", 240000)) == Inserted::busy);
    assert_false(holds(table, "k"));
    put(table, "k", entry_of("k", 1000));
    assert_true(put(table, "k", entry_of("k", 300000)) == Inserted::too_large);
    assert_false(holds(table, "k"));
    assert_null(table->check());
}

void a_pinned_entry_outlives_evictions_and_its_own_removal(void**) {
    Table table(256 * 1024);
    const std::string bytes = entry_of("pinned", 20000, 'p');
    put(table, "pinned", bytes);
    const EntryTable::Node node = table->find(key_of("pinned"));
    table->pin(node);
    table->pin(node);
    for (int i = 0; i < 200; i++) {
        const std::string key = std::to_string(i);
        put(table, key, entry_of(key, 10000));
    }
    assert_true(holds(table, "pinned"));
    assert_true(table->remove(key_of("pinned")));
    assert_false(holds(table, "pinned"));
    assert_null(table->check());
    for (int i = 0; i < 200; i++) {
        const std::string key = std::to_string(i);
        put(table, key, entry_of(key, 10000, 'y'));
    }
    std::string read(bytes.size(), '\0');
    assert_true(table->read(node, 0, read.data(), read.size()));
    assert_true(read == bytes);
    const std::uint64_t before = table->figures().bytes_used;
    table->unpin(node);
    assert_int_equal(table->figures().bytes_used, before);
    table->unpin(node);
    assert_true(table->figures().bytes_used < before);
    assert_null(table->check());
}

void a_mark_left_by_a_dead_process_empties_the_table(void**) {
    Table table;
    assert_false(table->recover(pid));
    put(table, "k", entry_of("k", 1000));
    const std::uint32_t generation = table->generation();
    assert_true(table->recover(pid + 1));
    assert_false(holds(table, "k"));
    assert_true(table->generation() != generation);
    assert_int_equal(table->figures().resets, 1);
    assert_int_equal(table->figures().bytes_used, 0);
    table->settle();
    assert_null(table->check());
}

void a_table_that_was_left_in_order_is_kept(void**) {
    Table table;
    assert_false(table->recover(pid));
    put(table, "k", entry_of("k", 1000));
    table->settle();
    assert_false(table->recover(pid + 1));
    assert_true(holds(table, "k"));
    EntryTable again(table.bytes());
    assert_true(again.find(key_of("k")) != EntryTable::none);
}

void unpinning_what_is_not_pinned_is_damage(void**) {
    Table table;
    put(table, "k", entry_of("k", 1000));
    table->unpin(table->find(key_of("k")));
    assert_true(table->recover(pid));
}

void regions_of_any_size_are_used_to_their_end_and_not_beyond(void**) {
    for (std::size_t size = EntryTable::min_size; size < 400000; size += 4088) {
        Table table(size);
        for (int i = 0; i < 1000; i++) {
            const std::string key = std::to_string(i);
            put(table, key, entry_of(key, 900));
        }
        assert_null(table->check());
        assert_true(table->figures().bytes_total > size - size / 10 - 8192);
    }
}

// The model knows what was put and removed; evictions it learns by counting.
void hundred_thousand_random_operations_agree_with_a_map(void**) {
    for (const std::size_t size :
         {64U * 1024, 700U * 1024, 16U * 1024 * 1024}) {
        Table table(size);
        std::mt19937 random(static_cast<unsigned>(size));
        std::map<std::string, std::string> model;
        std::vector<std::pair<EntryTable::Node, std::string>> pinned;
        std::uint64_t expected = 0;
        Millis now = 1000;
        const std::size_t most = table->max_entry();
        for (int i = 0; i < 100000; i++) {
            now += random() % 20;
            const std::string name = "key" + std::to_string(random() % 3000);
            const Key key = key_of(name);
            const std::uint64_t evictions = table->figures().evictions;
            const bool held = table->find(key) != EntryTable::none;
            const unsigned action = random() % 100;
            if (action < 40) {
                const std::size_t length = random() % 50 == 0
                                               ? random() % (most + 100)
                                               : random() % 3000;
                const std::string head =
                    entry_of(name, std::min<std::size_t>(length, 400),
                             static_cast<char>(random()));
                const std::string body(
                    length > head.size() ? length - head.size() : 0,
                    static_cast<char>(random()));
                const Inserted done =
                    table->insert(key, Pieces{head, body}, now);
                expected -= held ? 1 : 0;
                model.erase(name);
                if (done == Inserted::yes) {
                    model[name] = head + body;
                    expected++;
                }
                assert_true((done == Inserted::too_large) ==
                            (head.size() + body.size() > most));
            } else if (action < 50) {
                assert_true(table->remove(key) == held);
                expected -= held ? 1 : 0;
                model.erase(name);
            } else if (action < 55) {
                if (held && pinned.size() < 20) {
                    const EntryTable::Node node = table->find(key);
                    table->pin(node);
                    pinned.emplace_back(node, model.at(name));
                }
            } else if (action < 60) {
                if (!pinned.empty()) {
                    const std::size_t index = random() % pinned.size();
                    const auto [node, bytes] = pinned[index];
                    std::string read(table->size_of(node), '\0');
                    assert_true(table->read(node, 0, read.data(), read.size()));
                    assert_true(read == bytes);
                    table->unpin(node);
                    pinned[index] = pinned.back();
                    pinned.pop_back();
                }
            } else {
                const std::optional<std::string> found = table.get(key);
                if (found) {
                    assert_true(model.at(name) == *found);
                    table->touch(table->find(key), now);
                }
            }
            const auto figures = table->figures();
            expected -= figures.evictions - evictions;
            assert_int_equal(figures.entries, expected);
            if (i % 200 == 0) {
                const char* fault = table->check();
                if (fault != nullptr) { print_error("%s\n", fault); }
                assert_null(fault);
            }
        }
        for (const auto& pin : pinned) { table->unpin(pin.first); }
        for (const auto& [name, bytes] : model) {
            const auto found = table.get(key_of(name));
            if (found) { assert_true(*found == bytes); }
            expected -= found ? 1 : 0;
        }
        assert_int_equal(expected, 0);
        assert_null(table->check());
    }
}

// ASan and the step limits are the judges here.
void a_region_full_of_nonsense_is_never_left_and_ends_empty(void**) {
    std::mt19937 random(3);
    for (int round = 0; round < 400; round++) {
        Table table(128 * 1024);
        for (int i = 0; i < 60; i++) {
            const std::string key = std::to_string(i);
            put(table, key, entry_of(key, random() % 4000));
            if (i % 3 == 0) { touch(table, key, 0); }
        }
        // All but the size, which is read only when a process starts.
        const std::size_t from = 12;
        const std::size_t reach = round % 2 == 0 ? 6000 : table.size();
        for (int i = 0; i < 300; i++) {
            const std::size_t at = from + random() % (reach - from - 4);
            const auto nonsense = static_cast<std::uint32_t>(
                random() % 3 == 0 ? random() : random() % 600);
            std::memcpy(table.bytes() + at, &nonsense, sizeof(nonsense));
        }
        for (int i = 0; i < 200; i++) {
            const std::string name = std::to_string(random() % 80);
            const Key key = key_of(name);
            switch (random() % 5) {
            case 0: put(table, name, entry_of(name, random() % 9000)); break;
            case 1: table->remove(key); break;
            case 2: touch(table, name, i * 1000); break;
            case 3: {
                const EntryTable::Node node = table->find(key);
                table->pin(node);
                table->unpin(node);
                break;
            }
            default: {
                const EntryTable::Node node = table->find(key);
                std::vector<char> bytes(
                    std::min<std::size_t>(table->size_of(node), 1 << 20));
                table->read(node, 0, bytes.data(), bytes.size());
            }
            }
        }
        table->recover(pid);
        table->recover(pid);
        table->settle();
        assert_null(table->check());
        assert_true(put(table, "k", entry_of("k", 20000)) == Inserted::yes);
        assert_true(table.get(key_of("k")) == entry_of("k", 20000));
    }
}

void an_entry_is_made_stale_where_it_lies(void**) {
    Table table;
    const std::string bytes = entry_of("k", 5000);
    assert_true(put(table, "k", bytes) == Inserted::yes);
    assert_false(table->invalidate(key_of("other"), 1234567));
    assert_true(table.get(key_of("k")) == bytes);
    assert_true(table->invalidate(key_of("k"), 1234567));

    const auto mark = cacheback::core::invalidation(1234567);
    std::string stale = bytes;
    stale.replace(cacheback::core::offset::invalidated, mark.size(),
                  mark.data(), mark.size());
    assert_true(table.get(key_of("k")) == stale);
    assert_null(table->check());
}

// An entry that varies on `names`, and a request that said `value` there.
struct Variant {
    Variant(std::string_view key, std::string_view names,
            std::string_view value, std::size_t size = 600)
        : variety{static_cast<std::uint32_t>(seeded_hash(2, names)) | 1U,
                  seeded_hash(3, value), seeded_hash(4, value)} {
        const cacheback::core::Field field{names, value};
        cacheback::core::EntryParts parts;
        parts.key = key;
        const std::string vary =
            cacheback::core::vary_section(names, {&field, 1});
        parts.vary = vary;
        bytes = cacheback::core::make_head(parts);
        if (bytes.size() < size) { bytes.resize(size, 'x'); }
    }

    cacheback::store::Variety variety;
    std::string bytes;
};

Inserted put(Table& table, std::string_view key, const Variant& variant,
             Millis now = 0) {
    return table->insert(key_of(key), Pieces{variant.bytes}, now,
                         variant.variety);
}

bool holds(Table& table, std::string_view key, const Variant& variant) {
    return table->find(key_of(key), variant.variety) != EntryTable::none;
}

std::string number(int i) { return std::to_string(i); }

void variants_of_a_key_stand_side_by_side(void**) {
    Table table;
    const Variant en("k", "accept-language", "en");
    const Variant de("k", "accept-language", "de", 5000);
    const Variant other("other", "accept-language", "en");
    assert_true(put(table, "k", en) == Inserted::yes);
    assert_true(put(table, "k", de) == Inserted::yes);
    assert_true(put(table, "other", other) == Inserted::yes);
    const EntryTable::Node node = table->find(key_of("k"), de.variety);
    assert_int_equal(table->size_of(node), 5000);
    assert_true(holds(table, "k", en));
    assert_int_equal(table->figures().entries, 3);
    assert_true(table->find(key_of("k")) == EntryTable::none);
    assert_true(table->newest(key_of("k")) == node);
    assert_true(table->newest(key_of("none")) == EntryTable::none);
    assert_null(table->check());

    // Once more: in place of the old one.
    const Variant again("k", "accept-language", "de", 900);
    assert_true(put(table, "k", again) == Inserted::yes);
    assert_int_equal(table->figures().entries, 3);
    assert_int_equal(table->size_of(table->find(key_of("k"), de.variety)), 900);
    assert_null(table->check());
}

void the_names_of_the_fields_are_read_from_an_entry(void**) {
    Table table;
    std::string key(300, 'k');
    const Variant one(key, "accept,x-a", "v");
    assert_true(put(table, key, one) == Inserted::yes);
    const EntryTable::Node node = table->newest(key_of(key));
    assert_int_equal(table->names_of(node), one.variety.names);
    char names[10];
    assert_int_equal(table->read_names(node, names, sizeof(names)), 10);
    assert_memory_equal(names, "accept,x-a", 10);
    assert_int_equal(table->read_names(node, names, 9), 0);
    assert_int_equal(table->read_names(node, names, 6), 0);

    assert_true(put(table, "plain", entry_of("plain", 500, '\0')) ==
                Inserted::yes);
    const EntryTable::Node plain = table->newest(key_of("plain"));
    assert_int_equal(table->names_of(plain), 0);
    assert_int_equal(table->read_names(plain, names, sizeof(names)), 0);
}

void the_newest_entry_says_on_what_an_item_varies(void**) {
    Table table;
    const Variant en("k", "accept-language", "en");
    const Variant de("k", "accept-language", "de");
    const Variant agent("k", "user-agent", "en");
    assert_true(put(table, "k", en) == Inserted::yes);
    assert_true(put(table, "k", de) == Inserted::yes);
    assert_true(put(table, "k", agent) == Inserted::yes);
    assert_false(holds(table, "k", en));
    assert_false(holds(table, "k", de));
    assert_true(holds(table, "k", agent));
    // No longer on anything, and again on something.
    assert_true(put(table, "k", entry_of("k", 500)) == Inserted::yes);
    assert_false(holds(table, "k", agent));
    assert_true(put(table, "k", en) == Inserted::yes);
    assert_true(table->find(key_of("k")) == EntryTable::none);
    assert_int_equal(table->figures().entries, 1);
    assert_null(table->check());
}

void an_item_has_thirty_two_variants_at_most(void**) {
    Table table;
    constexpr int most = static_cast<int>(cacheback::core::max_variants);
    for (int i = 0; i < 100; i++) {
        const Variant one("k", "cookie", number(i));
        assert_true(put(table, "k", one, i * 1000) == Inserted::yes);
        assert_true(table->figures().entries <= cacheback::core::max_variants);
    }
    assert_int_equal(table->figures().entries, most);
    assert_false(holds(table, "k", {"k", "cookie", number(99 - most)}));
    assert_true(holds(table, "k", {"k", "cookie", number(100 - most)}));
    assert_null(table->check());
}

// A client that makes up values stores each once; what others read again stays,
// and so do all other items.
void a_flood_of_variants_evicts_what_was_never_read_again(void**) {
    Table table;
    const Variant en("k", "accept-language", "en");
    const Variant de("k", "accept-language", "de");
    assert_true(put(table, "k", en, 0) == Inserted::yes);
    assert_true(put(table, "k", de, 0) == Inserted::yes);
    table->touch(table->find(key_of("k"), en.variety), 2000);
    for (int i = 0; i < 20; i++) {
        assert_true(put(table, number(i), entry_of(number(i), 500), 0) ==
                    Inserted::yes);
    }
    for (int i = 0; i < 1000; i++) {
        const Variant one("k", "accept-language", "x" + number(i), 3000);
        assert_true(put(table, "k", one, 3000000 + i) == Inserted::yes);
    }
    assert_true(holds(table, "k", en));
    assert_false(holds(table, "k", de));
    for (int i = 0; i < 20; i++) {
        assert_true(table->find(key_of(number(i))) != EntryTable::none);
    }
    assert_int_equal(table->figures().entries,
                     cacheback::core::max_variants + 20);
    assert_int_equal(table->figures().evictions, 0);
    assert_null(table->check());
}

void what_concerns_an_item_concerns_all_its_variants(void**) {
    Table table;
    const Variant en("k", "accept-language", "en");
    const Variant de("k", "accept-language", "de");
    const Variant other("other", "accept-language", "en");
    for (const Variant* one : {&en, &de}) {
        assert_true(put(table, "k", *one) == Inserted::yes);
    }
    assert_true(put(table, "other", other) == Inserted::yes);
    assert_true(table->invalidate(key_of("k"), 77));
    for (const Variant* one : {&en, &de}) {
        char mark[8];
        const EntryTable::Node node = table->find(key_of("k"), one->variety);
        assert_true(table->read(node, cacheback::core::offset::invalidated,
                                mark, sizeof(mark)));
        assert_int_equal(mark[0], 77);
    }
    assert_true(table->remove(key_of("k")));
    assert_false(table->remove(key_of("k")));
    assert_true(table->newest(key_of("k")) == EntryTable::none);
    assert_true(holds(table, "other", other));
    assert_null(table->check());
}

void one_variant_is_removed_by_its_digest(void**) {
    Table table;
    const Variant en("k", "accept-language", "en");
    const Variant de("k", "accept-language", "de");
    assert_true(put(table, "k", en) == Inserted::yes);
    assert_true(put(table, "k", de) == Inserted::yes);
    assert_false(table->remove(key_of("k"),
                               {en.variety.names, 0, seeded_hash(4, "fr")}));
    assert_true(
        table->remove(key_of("k"), {en.variety.names, 0, en.variety.digest}));
    assert_false(holds(table, "k", en));
    assert_true(holds(table, "k", de));
    // Stored elsewhere under other names: these are outdated.
    const Variant agent("k", "user-agent", "x");
    assert_true(table->remove(key_of("k"), agent.variety));
    assert_false(holds(table, "k", de));
    assert_null(table->check());
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(variants_of_a_key_stand_side_by_side),
        cmocka_unit_test(the_names_of_the_fields_are_read_from_an_entry),
        cmocka_unit_test(the_newest_entry_says_on_what_an_item_varies),
        cmocka_unit_test(an_item_has_thirty_two_variants_at_most),
        cmocka_unit_test(a_flood_of_variants_evicts_what_was_never_read_again),
        cmocka_unit_test(what_concerns_an_item_concerns_all_its_variants),
        cmocka_unit_test(one_variant_is_removed_by_its_digest),
        cmocka_unit_test(an_entry_is_made_stale_where_it_lies),
        cmocka_unit_test(an_entry_is_found_again_with_the_bytes_it_was_made_of),
        cmocka_unit_test(pieces_are_joined_in_order),
        cmocka_unit_test(an_entry_knows_when_it_was_right_last),
        cmocka_unit_test(a_key_that_is_not_there_is_not_found),
        cmocka_unit_test(another_key_with_the_same_hash_is_another_item),
        cmocka_unit_test(a_long_key_is_compared_to_its_last_byte),
        cmocka_unit_test(an_insert_replaces_the_entry_of_its_key),
        cmocka_unit_test(a_removed_entry_is_gone_and_its_memory_is_free),
        cmocka_unit_test(reads_and_writes_stay_within_the_entry),
        cmocka_unit_test(the_least_recently_used_goes_first),
        cmocka_unit_test(
            a_flood_of_keys_that_nobody_reads_evicts_only_its_own_like),
        cmocka_unit_test(what_was_hot_once_makes_way_for_what_is_hot_now),
        cmocka_unit_test(a_replaced_entry_stays_protected),
        cmocka_unit_test(a_touch_in_the_same_second_writes_nothing),
        cmocka_unit_test(an_insert_evicts_no_more_than_eight),
        cmocka_unit_test(who_finds_no_room_finds_it_a_little_later),
        cmocka_unit_test(
            an_outdated_entry_is_gone_also_when_the_new_one_has_no_room),
        cmocka_unit_test(a_pinned_entry_outlives_evictions_and_its_own_removal),
        cmocka_unit_test(a_mark_left_by_a_dead_process_empties_the_table),
        cmocka_unit_test(a_table_that_was_left_in_order_is_kept),
        cmocka_unit_test(unpinning_what_is_not_pinned_is_damage),
        cmocka_unit_test(
            regions_of_any_size_are_used_to_their_end_and_not_beyond),
        cmocka_unit_test(hundred_thousand_random_operations_agree_with_a_map),
        cmocka_unit_test(
            a_region_full_of_nonsense_is_never_left_and_ends_empty),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
