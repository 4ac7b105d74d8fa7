// segment_pool_test.cpp: chains of units that never fragment.
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "store/memory/segment_pool.hpp"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
extern "C" {
#include <cmocka.h>
}

using cacheback::store::SegmentPool;

namespace {

constexpr std::uint32_t page_count = 40;

// A pool in memory of exactly the size it may touch.
struct Memory {
    SegmentPool::State state{};
    std::vector<SegmentPool::Page> pages{page_count + 1};
    std::vector<std::uint32_t> links =
        std::vector<std::uint32_t>((page_count + 1) * SegmentPool::page_units);
    std::vector<char> data =
        std::vector<char>(page_count * SegmentPool::page_size);
    SegmentPool pool{
        {&state, pages.data(), links.data(), data.data(), page_count}};

    Memory() { pool.clear(); }
};

std::vector<std::size_t> runs_of(const SegmentPool& pool,
                                 SegmentPool::Unit first) {
    std::vector<std::size_t> sizes;
    while (first != 0) {
        const SegmentPool::Run run = pool.run(first);
        sizes.push_back(run.size / SegmentPool::unit_size);
        first = run.next;
    }
    return sizes;
}

void all_units_are_free_at_first_and_can_be_taken_at_once(void**) {
    Memory memory;
    assert_int_equal(memory.pool.free_units(), page_count * 32);
    const SegmentPool::Unit all = memory.pool.take(page_count * 32);
    assert_true(all != 0);
    assert_int_equal(memory.pool.free_units(), 0);
    assert_int_equal(memory.pool.take(1), 0);
    memory.pool.give(all);
    assert_int_equal(memory.pool.free_units(), page_count * 32);
    assert_null(memory.pool.check());
}

void more_than_is_free_is_refused_and_nothing_changes(void**) {
    Memory memory;
    assert_int_equal(memory.pool.take(page_count * 32 + 1), 0);
    assert_int_equal(memory.pool.take(0), 0);
    assert_int_equal(memory.pool.free_units(), page_count * 32);
    assert_false(memory.pool.damaged());
}

void a_large_chain_is_made_of_whole_pages(void**) {
    Memory memory;
    const SegmentPool::Unit small = memory.pool.take(5);
    const auto sizes = runs_of(memory.pool, memory.pool.take(32 * 3 + 4));
    assert_true((sizes == std::vector<std::size_t>{32, 32, 32, 4}));
    memory.pool.give(small);
    assert_null(memory.pool.check());
}

void small_chains_fill_a_page_before_another_is_begun(void**) {
    Memory memory;
    for (int i = 0; i < 8; i++) { memory.pool.take(4); }
    assert_true(runs_of(memory.pool, memory.pool.take(39 * 32)).size() == 39);
}

void scattered_units_serve_a_large_chain_when_no_page_is_whole(void**) {
    Memory memory;
    std::vector<SegmentPool::Unit> ones;
    for (std::uint32_t i = 0; i < page_count * 32; i++) {
        ones.push_back(memory.pool.take(1));
    }
    for (std::size_t i = 0; i < ones.size(); i += 2) {
        memory.pool.give(ones[i]);
    }
    assert_int_equal(memory.pool.free_units(), page_count * 16);
    const SegmentPool::Unit chain = memory.pool.take(page_count * 16);
    assert_int_equal(runs_of(memory.pool, chain).size(), page_count * 16);
    assert_null(memory.pool.check());
}

void a_link_that_leads_out_of_the_region_is_not_followed(void**) {
    for (const std::uint32_t unit : {0U, 31U, (page_count + 1) * 32U, ~0U}) {
        Memory memory;
        assert_int_equal(memory.pool.run(unit).size, 0);
        assert_null(memory.pool.unit(unit));
        assert_true(memory.pool.damaged());
    }
}

void a_run_that_leaves_its_page_is_damage(void**) {
    Memory memory;
    const SegmentPool::Unit unit = memory.pool.take(1);
    memory.links[unit + 3] = 31;
    assert_int_equal(memory.pool.run(unit + 3).size, 0);
    assert_true(memory.pool.damaged());
}

void giving_twice_is_damage_and_frees_nothing_twice(void**) {
    Memory memory;
    const SegmentPool::Unit unit = memory.pool.take(3);
    memory.pool.give(unit);
    memory.pool.give(unit);
    assert_true(memory.pool.damaged());
    assert_int_equal(memory.pool.free_units(), page_count * 32);
}

void a_chain_that_bites_its_tail_ends(void**) {
    Memory memory;
    const SegmentPool::Unit unit = memory.pool.take(40);
    const SegmentPool::Unit second = memory.pool.run(unit).next;
    memory.links[second] |= unit << 5;
    memory.pool.give(unit);
    assert_true(memory.pool.damaged());
}

void lists_full_of_nonsense_are_not_followed_out_of_the_region(void**) {
    std::mt19937 random(11);
    for (int round = 0; round < 2000; round++) {
        Memory memory;
        std::vector<SegmentPool::Unit> chains;
        for (int i = 0; i < 20; i++) {
            chains.push_back(memory.pool.take(random() % 60 + 1));
        }
        for (int i = 0; i < 4; i++) {
            const auto nonsense = static_cast<std::uint32_t>(random());
            auto& page = memory.pages[random() % (page_count + 1)];
            switch (random() % 6) {
            case 0: page.next = nonsense; break;
            case 1: page.previous = nonsense; break;
            case 2: page.free = nonsense; break;
            case 3: page.used = nonsense; break;
            case 4: memory.state.lists[random() % 33] = nonsense; break;
            default: memory.state.occupied = random(); break;
            }
            memory.links[random() % memory.links.size()] = nonsense;
        }
        for (const SegmentPool::Unit chain : chains) {
            memory.pool.give(chain);
            memory.pool.take(random() % 60 + 1);
        }
        memory.pool.clear();
        assert_null(memory.pool.check());
    }
}

void no_unit_ever_has_two_owners_in_100000_random_operations(void**) {
    Memory memory;
    std::mt19937 random(7);
    struct Chain {
        SegmentPool::Unit first;
        std::uint32_t units;
        char mark;
    };
    std::vector<Chain> chains;
    std::uint32_t used = 0;
    for (int i = 0; i < 100000; i++) {
        if (random() % 2 == 0) {
            const std::uint32_t units =
                random() % 20 == 0 ? random() % 300 + 1 : random() % 12 + 1;
            const SegmentPool::Unit first = memory.pool.take(units);
            assert_true((first != 0) == (used + units <= page_count * 32));
            if (first == 0) { continue; }
            used += units;
            const auto mark = static_cast<char>(random());
            chains.push_back({first, units, mark});
            std::uint32_t held = 0;
            for (auto at = first; at != 0; at = memory.pool.run(at).next) {
                const SegmentPool::Run run = memory.pool.run(at);
                std::memset(run.bytes, mark, run.size);
                held += static_cast<std::uint32_t>(run.size / 256);
            }
            assert_int_equal(held, units);
        } else if (!chains.empty()) {
            const std::size_t index = random() % chains.size();
            const Chain gone = chains[index];
            for (auto at = gone.first; at != 0; at = memory.pool.run(at).next) {
                const SegmentPool::Run run = memory.pool.run(at);
                assert_true(std::string(run.bytes, run.size) ==
                            std::string(run.size, gone.mark));
            }
            memory.pool.give(gone.first);
            used -= gone.units;
            chains[index] = chains.back();
            chains.pop_back();
        }
        assert_int_equal(memory.pool.free_units(), page_count * 32 - used);
        if (i % 50 == 0) { assert_null(memory.pool.check()); }
    }
    assert_false(memory.pool.damaged());
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(all_units_are_free_at_first_and_can_be_taken_at_once),
        cmocka_unit_test(more_than_is_free_is_refused_and_nothing_changes),
        cmocka_unit_test(a_large_chain_is_made_of_whole_pages),
        cmocka_unit_test(small_chains_fill_a_page_before_another_is_begun),
        cmocka_unit_test(
            scattered_units_serve_a_large_chain_when_no_page_is_whole),
        cmocka_unit_test(a_link_that_leads_out_of_the_region_is_not_followed),
        cmocka_unit_test(a_run_that_leaves_its_page_is_damage),
        cmocka_unit_test(giving_twice_is_damage_and_frees_nothing_twice),
        cmocka_unit_test(a_chain_that_bites_its_tail_ends),
        cmocka_unit_test(
            lists_full_of_nonsense_are_not_followed_out_of_the_region),
        cmocka_unit_test(
            no_unit_ever_has_two_owners_in_100000_random_operations),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
