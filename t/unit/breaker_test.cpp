// breaker_test.cpp: whether a server is to be asked, as all workers see it.
#include "store/control/breaker.hpp"

#include "unit.hpp"

using namespace cacheback;
using store::Breaker;
using store::BreakerTable;

static void one_of_many_opens_it_and_one_closes_it(void**) {
    Breaker breaker{};
    assert_int_equal(breaker.opened(), 0);
    assert_true(breaker.open(0, 1000));
    assert_false(breaker.open(0, 2000));
    assert_int_equal(breaker.opened(), 1000);
    assert_true(breaker.close(3000));
    assert_false(breaker.close(3000));
    assert_int_equal(breaker.opened(), 0);
}

static void a_clock_at_zero_opens_it_as_well(void**) {
    Breaker breaker{};
    assert_true(breaker.open(0, 0));
    assert_true(breaker.opened() != 0);
}

static void what_is_skipped_counts_from_the_opening(void**) {
    Breaker breaker{};
    assert_true(breaker.open(40, 1000));
    assert_int_equal(breaker.skipped_of(45), 5);
    assert_false(breaker.open(44, 1001));
    assert_int_equal(breaker.skipped_of(45), 5);
}

static void one_probe_is_let_through_per_pause(void**) {
    Breaker breaker{};
    assert_true(breaker.open(0, 1000));
    assert_true(breaker.take_probe(1000, 200));
    assert_false(breaker.take_probe(1199, 200));
    assert_true(breaker.take_probe(1200, 200));
}

static void a_clock_that_was_set_back_does_not_stop_the_probes(void**) {
    Breaker breaker{};
    assert_true(breaker.take_probe(100000, 200));
    assert_true(breaker.take_probe(5000, 200));
}

static void one_that_opens_again_soon_is_counted(void**) {
    Breaker breaker{};
    core::Millis now = 1000;
    for (unsigned flaps = 0; flaps < 9; ++flaps) {
        assert_true(breaker.open(0, now));
        assert_int_equal(breaker.flaps(), flaps < 5 ? flaps : 5);
        assert_true(breaker.close(now + 200));
        now += 5000;
    }
    now += 5000;  // it has held for longer
    assert_true(breaker.open(0, now));
    assert_int_equal(breaker.flaps(), 0);
}

static void only_the_first_failure_counts_as_one(void**) {
    Breaker breaker{};
    assert_true(breaker.open(0, 1000));
    assert_true(breaker.close(2000));
    assert_true(breaker.open(0, 3000));
    assert_false(breaker.open(0, 3001));
    assert_int_equal(breaker.flaps(), 1);
}

static void its_age_is_told(void**) {
    Breaker breaker{};
    assert_false(breaker.older_than(0, 1000));
    assert_true(breaker.open(0, 5000));
    assert_false(breaker.older_than(1000, 5999));
    assert_true(breaker.older_than(1000, 6000));
}

// Or it would stay open until the clock is where it was.
static void it_is_old_when_the_clock_was_set_back(void**) {
    Breaker breaker{};
    assert_true(breaker.open(0, 3600000));
    assert_true(breaker.older_than(1000, 5000));
}

static void each_server_has_breakers_of_its_own(void**) {
    static BreakerTable table{};
    assert_true(table.of(7, 1).reads.open(0, 1));
    assert_int_equal(table.of(8, 2).reads.opened(), 0);
    assert_true(table.of(7, 3).reads.opened() != 0);
    assert_true(&table.of(7, 4) == &table.of(7, 5));
    assert_true(&table.of(7, 6) != &table.of(8, 6));
    assert_int_equal(table.of(7, 7).writes.opened(), 0);
}

static void too_many_servers_replace_what_was_used_least_lately(void**) {
    static BreakerTable table{};
    for (std::size_t i = 1; i <= BreakerTable::count; ++i) {
        assert_true(table.of(i, static_cast<core::Millis>(i)).reads.open(0, 9));
    }
    const core::Millis later = BreakerTable::count + 1;
    assert_true(table.of(1, later).reads.opened() != 0);  // used again
    store::ServerBreakers& oldest = table.of(2, 2);
    store::ServerBreakers& fresh = table.of(1000, later + 1);
    assert_true(&fresh == &oldest);
    assert_int_equal(oldest.server, 1000);
    assert_int_equal(fresh.reads.opened(), 0);  // nothing is inherited
    assert_true(table.of(1, later + 2).reads.opened() != 0);
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(one_of_many_opens_it_and_one_closes_it),
        cmocka_unit_test(a_clock_at_zero_opens_it_as_well),
        cmocka_unit_test(what_is_skipped_counts_from_the_opening),
        cmocka_unit_test(one_probe_is_let_through_per_pause),
        cmocka_unit_test(a_clock_that_was_set_back_does_not_stop_the_probes),
        cmocka_unit_test(one_that_opens_again_soon_is_counted),
        cmocka_unit_test(only_the_first_failure_counts_as_one),
        cmocka_unit_test(its_age_is_told),
        cmocka_unit_test(it_is_old_when_the_clock_was_set_back),
        cmocka_unit_test(each_server_has_breakers_of_its_own),
        cmocka_unit_test(too_many_servers_replace_what_was_used_least_lately),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
