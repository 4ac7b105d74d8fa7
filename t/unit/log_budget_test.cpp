// log_budget_test.cpp: how many lines there may be about one thing.
#include "store/fleet/log_budget.hpp"

#include "unit.hpp"

using namespace cacheback;
using store::LogBudget;

static unsigned taken(LogBudget& budget, unsigned tries, core::Millis now) {
    unsigned count = 0;
    while (tries-- > 0) { count += budget.take(now) ? 1 : 0; }
    return count;
}

static void so_many_are_let_through_at_once(void**) {
    LogBudget budget(3, 1000);
    assert_int_equal(taken(budget, 10, 5000), 3);
    assert_int_equal(taken(budget, 10, 5999), 0);
}

static void one_more_comes_with_each_pause(void**) {
    LogBudget budget(3, 1000);
    assert_int_equal(taken(budget, 3, 5000), 3);
    assert_int_equal(taken(budget, 10, 6500), 1);
    assert_int_equal(taken(budget, 10, 6999), 0);
    assert_int_equal(taken(budget, 10, 7000), 1);
    assert_int_equal(taken(budget, 10, 9100), 2);
}

static void there_are_never_more_than_at_first(void**) {
    LogBudget budget(3, 1000);
    assert_int_equal(taken(budget, 2, 5000), 2);
    assert_int_equal(taken(budget, 10, 900000), 3);
    assert_int_equal(taken(budget, 10, 900999), 0);
}

static void over_an_hour_they_are_bounded(void**) {
    LogBudget budget(5, 10000);
    unsigned count = 0;
    for (core::Millis now = 1; now <= 3600000; now += 7) {
        count += budget.take(now) ? 1 : 0;
    }
    assert_in_range(count, 360, 365);
}

static void what_was_not_told_is_counted_once(void**) {
    LogBudget budget(1, 1000);
    assert_int_equal(taken(budget, 8, 5000), 1);
    assert_int_equal(budget.take_left_out(), 7);
    assert_int_equal(budget.take_left_out(), 0);
}

static void a_clock_that_was_set_back_does_not_silence_it(void**) {
    LogBudget budget(1, 1000);
    assert_int_equal(taken(budget, 2, 900000), 1);
    assert_int_equal(taken(budget, 2, 5000), 0);
    assert_int_equal(taken(budget, 2, 6000), 1);
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(so_many_are_let_through_at_once),
        cmocka_unit_test(one_more_comes_with_each_pause),
        cmocka_unit_test(there_are_never_more_than_at_first),
        cmocka_unit_test(over_an_hour_they_are_bounded),
        cmocka_unit_test(what_was_not_told_is_counted_once),
        cmocka_unit_test(a_clock_that_was_set_back_does_not_silence_it),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
