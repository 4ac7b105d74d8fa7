// use_table_test.cpp: counting what is asked for before it is stored.
#include <memory>

#include "store/control/use_table.hpp"

#include "unit.hpp"

using namespace cacheback;
using store::UseTable;

namespace {

constexpr core::Millis start = 1000 * core::second;

class Table {
  public:
    explicit Table(std::size_t capacity = UseTable::ways)
        : words_(capacity), table_(words_.data(), capacity) {}
    unsigned count(std::uint32_t item, core::Millis now = start) {
        return table_.count(std::uint64_t{item} << 32, now);
    }
    unsigned count_hash(std::uint64_t hash) {
        return table_.count(hash, start);
    }

  private:
    std::vector<std::uint64_t> words_;
    UseTable table_;
};

}  // namespace

static void each_use_is_counted(void**) {
    Table table;
    assert_int_equal(table.count(7), 1);
    assert_int_equal(table.count(7), 2);
    assert_int_equal(table.count(7), 3);
}

static void items_are_counted_apart(void**) {
    Table table(64);
    assert_int_equal(table.count(7), 1);
    assert_int_equal(table.count(8), 1);
    assert_int_equal(table.count(7), 2);
    // The same tag in another set.
    assert_int_equal(table.count_hash((std::uint64_t{7} << 32) + 1), 1);
    assert_int_equal(table.count(7), 3);
}

static void an_item_whose_tag_is_zero_is_counted_as_well(void**) {
    Table table;
    assert_int_equal(table.count(0), 1);
    assert_int_equal(table.count(0), 2);
}

static void a_count_lasts_ten_minutes_from_its_last_use(void**) {
    Table table;
    assert_int_equal(table.count(7, start), 1);
    assert_int_equal(table.count(7, start + 598 * core::second), 2);
    assert_int_equal(table.count(7, start + 1190 * core::second), 3);
    assert_int_equal(table.count(7, start + 1796 * core::second), 1);
}

static void a_new_item_displaces_the_least_used_one(void**) {
    Table table;
    for (std::uint32_t item = 1; item <= UseTable::ways; ++item) {
        table.count(item);
        if (item != 3) { table.count(item); }
    }
    assert_int_equal(table.count(100), 1);
    assert_int_equal(table.count(3), 1);  // was 1, is forgotten; 100 gave way
    for (std::uint32_t item = 1; item <= UseTable::ways; ++item) {
        if (item != 3) { assert_int_equal(table.count(item), 3); }
    }
}

static void among_equals_the_oldest_gives_way(void**) {
    Table table;
    for (std::uint32_t item = 1; item <= UseTable::ways; ++item) {
        table.count(item, start + item * 10 * core::second);
    }
    table.count(100, start + 100 * core::second);
    assert_int_equal(table.count(2, start + 101 * core::second), 2);
    assert_int_equal(table.count(1, start + 102 * core::second), 1);
}

static void a_flood_of_others_does_not_displace_what_is_used_more(void**) {
    Table table;
    table.count(7);
    table.count(7);
    for (std::uint32_t item = 1000; item < 2000; ++item) { table.count(item); }
    assert_int_equal(table.count(7), 3);
}

static void what_was_used_much_but_long_ago_gives_way(void**) {
    Table table;
    const core::Millis later = start + 700 * core::second;
    for (int i = 0; i < 5; ++i) { table.count(1, start); }
    for (std::uint32_t item = 2; item <= UseTable::ways; ++item) {
        table.count(item, later);
    }
    table.count(100, later);
    for (std::uint32_t item = 2; item <= UseTable::ways; ++item) {
        assert_int_equal(table.count(item, later), 2);
    }
}

static void counts_end_at_their_most(void**) {
    Table table;
    for (unsigned i = 1; i < UseTable::most; ++i) { table.count(7); }
    assert_int_equal(table.count(7), UseTable::most);
    assert_int_equal(table.count(7), UseTable::most);
}

static void the_clock_of_the_slots_may_wrap(void**) {
    Table table;
    const core::Millis round = 0x10000LL * 2 * core::second;
    assert_int_equal(table.count(7, round - 2 * core::second), 1);
    assert_int_equal(table.count(7, round + 2 * core::second), 2);
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(each_use_is_counted),
        cmocka_unit_test(items_are_counted_apart),
        cmocka_unit_test(an_item_whose_tag_is_zero_is_counted_as_well),
        cmocka_unit_test(a_count_lasts_ten_minutes_from_its_last_use),
        cmocka_unit_test(a_new_item_displaces_the_least_used_one),
        cmocka_unit_test(among_equals_the_oldest_gives_way),
        cmocka_unit_test(a_flood_of_others_does_not_displace_what_is_used_more),
        cmocka_unit_test(what_was_used_much_but_long_ago_gives_way),
        cmocka_unit_test(counts_end_at_their_most),
        cmocka_unit_test(the_clock_of_the_slots_may_wrap),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
