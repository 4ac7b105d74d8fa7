// purge_marks_test.cpp: what was purged when, and what that makes of entries.
#include "store/control/purge_marks.hpp"

#include <memory>

#include "unit.hpp"

using namespace cacheback::store;
using Standing = PurgeVerdict::Standing;

namespace {

constexpr std::size_t capacity = 64;
constexpr cacheback::core::Millis later = 1795400000000;

struct alignas(64) Region {
    char bytes[PurgeMarks::size_for(capacity)] = {};
};

struct Marks {
    std::unique_ptr<Region> region = std::make_unique<Region>();
    PurgeMarks marks{region.get(), capacity};

    Standing of(const std::vector<TagId>& tags, std::uint64_t began) const {
        return marks.judge(tags, began, later).standing;
    }
};

// Tags that share a set, apart in all but the bit that is not looked at.
TagId in_set(std::uint64_t n) { return n * capacity * 2 + 6; }

}  // namespace

static void an_entry_older_than_the_mark_of_one_of_its_tags_is_concerned(
    void**) {
    Marks m;
    m.marks.set(10, PurgeKind::gone, 100);
    m.marks.set(20, PurgeKind::stale, 200);
    assert_true(m.of({2, 10}, 99) == Standing::gone);
    assert_true(m.of({2, 10}, 100) == Standing::good);
    assert_true(m.of({20}, 199) == Standing::stale);
    assert_true(m.of({20}, 200) == Standing::good);
    assert_true(m.of({2}, 0) == Standing::good);
    assert_true(m.of({}, 0) == Standing::good);
}

static void gone_is_more_than_stale(void**) {
    Marks m;
    m.marks.set(10, PurgeKind::stale, 200);
    m.marks.set(12, PurgeKind::gone, 100);
    assert_true(m.of({10, 12}, 50) == Standing::gone);
    assert_true(m.of({10, 12}, 150) == Standing::stale);
}

static void it_is_stale_since_the_last_of_them(void**) {
    Marks m;
    m.marks.set(10, PurgeKind::stale, PurgeNumber::of_store(5000));
    m.marks.set(12, PurgeKind::stale, PurgeNumber::of_store(7000));
    const PurgeVerdict verdict = m.marks.judge({12, 10}, 1, later);
    assert_true(verdict.standing == Standing::stale);
    assert_int_equal(verdict.since, 7000);
}

static void it_is_stale_since_now_where_that_is_earlier_or_not_known(void**) {
    Marks m;
    m.marks.set(10, PurgeKind::stale, PurgeNumber::of_store(7000));
    assert_int_equal(m.marks.judge({10}, 1, 6000).since, 6000);
    assert_int_equal(m.marks.judge({10}, 1, 7000).since, 7000);
    m.marks.set(12, PurgeKind::stale, PurgeNumber::of_store(5000).next());
    assert_int_equal(m.marks.judge({12}, 1, 9000).since, 9000);
}

static void a_mark_never_goes_back(void**) {
    Marks m;
    m.marks.set(10, PurgeKind::gone, 100);
    m.marks.set(10, PurgeKind::gone, 50);
    assert_int_equal(m.marks.find(10, PurgeKind::gone).value(), 100);
    m.marks.set(10, PurgeKind::gone, 150);
    assert_int_equal(m.marks.find(10, PurgeKind::gone).value(), 150);
    assert_int_equal(m.marks.find(10, PurgeKind::stale).value(), 0);
}

static void where_there_is_no_room_nothing_is_known_of_before(void**) {
    Marks m;
    for (std::uint64_t i = 0; i < PurgeMarks::ways; ++i) {
        m.marks.set(in_set(i), PurgeKind::gone, 100 + i);
    }
    assert_int_equal(m.marks.floor().value(), 0);
    m.marks.set(in_set(99), PurgeKind::gone, 300);
    assert_int_equal(m.marks.floor().value(), 100);
    assert_true(m.of({in_set(0)}, 99) == Standing::unknown);
    assert_true(m.of({in_set(0)}, 100) == Standing::good);
    assert_true(m.of({in_set(1)}, 100) == Standing::gone);
    assert_true(m.of({in_set(99)}, 299) == Standing::gone);
}

static void an_old_mark_does_not_push_out_younger_ones(void**) {
    Marks m;
    for (std::uint64_t i = 0; i < PurgeMarks::ways; ++i) {
        m.marks.set(in_set(i), PurgeKind::gone, 100 + i);
    }
    m.marks.set(in_set(99), PurgeKind::gone, 50);
    assert_int_equal(m.marks.floor().value(), 50);
    assert_int_equal(m.marks.find(in_set(0), PurgeKind::gone).value(), 100);
    assert_true(m.of({in_set(99)}, 49) == Standing::unknown);
}

static void the_floor_is_raised_only(void**) {
    Marks m;
    m.marks.raise_floor(70);
    m.marks.raise_floor(60);
    assert_int_equal(m.marks.floor().value(), 70);
    assert_true(m.of({10}, 69) == Standing::unknown);
}

static void numbers_of_a_box_lie_between_those_of_the_store(void**) {
    const PurgeNumber store = PurgeNumber::of_store(1795400000000);
    assert_true(store < store.next());
    assert_true(store.next() < PurgeNumber::of_store(1795400000001));
    assert_int_equal(store.next().in_store(), 1795400000000);
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(
            an_entry_older_than_the_mark_of_one_of_its_tags_is_concerned),
        cmocka_unit_test(gone_is_more_than_stale),
        cmocka_unit_test(it_is_stale_since_the_last_of_them),
        cmocka_unit_test(
            it_is_stale_since_now_where_that_is_earlier_or_not_known),
        cmocka_unit_test(a_mark_never_goes_back),
        cmocka_unit_test(where_there_is_no_room_nothing_is_known_of_before),
        cmocka_unit_test(an_old_mark_does_not_push_out_younger_ones),
        cmocka_unit_test(the_floor_is_raised_only),
        cmocka_unit_test(numbers_of_a_box_lie_between_those_of_the_store),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
