// decision_test.cpp: how an entry stands, and what follows from it.
#include "core/decision.hpp"

#include "unit.hpp"

using namespace cacheback::core;

namespace {

constexpr Millis stored_at = 1790000000 * second;
constexpr Millis forever = 1000000 * second;

// Fresh for 60 s, then stale for 30 s, usable after errors for 90 s.
EntryMeta entry() {
    EntryMeta meta;
    meta.stored = stored_at;
    meta.windows.fresh_for = 60 * second;
    meta.windows.stale_for = 30 * second;
    meta.windows.error_for = 90 * second;
    meta.windows.ttl = 1000 * second;
    return meta;
}

State state_at(Millis age, const EntryMeta& meta, Millis ttl = forever) {
    return state_of(meta, ttl, stored_at + age);
}

}  // namespace

static void an_entry_is_fresh_until_its_fresh_limit(void**) {
    assert_true(state_at(0, entry()) == State::fresh);
    assert_true(state_at(60 * second - 1, entry()) == State::fresh);
}

static void an_entry_at_its_fresh_limit_is_stale(void**) {
    assert_true(state_at(60 * second, entry()) == State::stale);
    assert_true(state_at(90 * second - 1, entry()) == State::stale);
}

static void past_its_stale_window_it_waits_for_errors_only(void**) {
    assert_true(state_at(90 * second, entry()) == State::expired);
    assert_true(state_at(150 * second - 1, entry()) == State::expired);
}

static void past_all_windows_it_is_gone(void**) {
    assert_true(state_at(150 * second, entry()) == State::gone);
    EntryMeta longer_stale = entry();
    longer_stale.windows.error_for = 0;
    assert_true(state_at(90 * second - 1, longer_stale) == State::stale);
    assert_true(state_at(90 * second, longer_stale) == State::gone);
}

static void it_is_gone_at_the_shorter_of_both_times_to_live(void**) {
    EntryMeta meta = entry();
    meta.windows.ttl = 70 * second;
    assert_true(state_at(70 * second - 1, meta) == State::stale);
    assert_true(state_at(70 * second, meta) == State::gone);
    assert_true(state_at(65 * second, meta, 65 * second) == State::gone);
    assert_true(state_at(30 * second, entry(), 30 * second) == State::gone);
    assert_true(state_at(0, entry(), 0) == State::gone);
}

static void a_stale_forbidden_entry_waits_for_revalidation_until_its_ttl(
    void**) {
    EntryMeta meta = entry();
    meta.windows.stale_forbidden = true;
    meta.windows.stale_for = meta.windows.error_for = 0;
    assert_true(state_at(60 * second - 1, meta) == State::fresh);
    assert_true(state_at(60 * second, meta) == State::expired);
    assert_true(state_at(1000 * second - 1, meta) == State::expired);
    assert_true(state_at(1000 * second, meta) == State::gone);
}

static void a_stale_forbidden_entry_is_never_stale_whatever_its_windows(
    void**) {
    EntryMeta meta = entry();
    meta.windows.stale_forbidden = true;
    assert_true(state_at(70 * second, meta) == State::expired);
}

static void an_entry_from_up_to_a_minute_ahead_has_no_age(void**) {
    assert_true(state_at(-60 * second, entry()) == State::fresh);
    assert_int_equal(age_of(entry(), stored_at - 30 * second), 0);
    assert_int_equal(fresh_left(entry(), stored_at - 30 * second), 60 * second);
}

static void an_entry_from_further_ahead_is_gone(void**) {
    assert_true(state_at(-60 * second - 1, entry()) == State::gone);
}

static void age_is_what_it_came_with_plus_time_in_store(void**) {
    EntryMeta meta = entry();
    meta.windows.initial_age = 7;
    assert_int_equal(age_of(meta, stored_at), 7);
    assert_int_equal(age_of(meta, stored_at + 2999), 9);
    meta.windows.initial_age = max_seconds;
    assert_int_equal(age_of(meta, stored_at + 2999), max_seconds);
}

static void fresh_left_is_negative_when_stale(void**) {
    assert_int_equal(fresh_left(entry(), stored_at + 59 * second), second);
    assert_int_equal(fresh_left(entry(), stored_at + 70 * second),
                     -10 * second);
}

static void nothing_usable_is_fetched(void**) {
    assert_true(decide(State::gone, Lease::free) == Verdict::fetch);
    assert_true(decide(State::gone, Lease::taken) == Verdict::fetch);
}

static void fresh_is_served_whoever_fetches(void**) {
    assert_true(decide(State::fresh, Lease::free) == Verdict::serve_fresh);
    assert_true(decide(State::fresh, Lease::taken) == Verdict::serve_fresh);
}

static void stale_is_served_and_refreshed_by_one(void**) {
    assert_true(decide(State::stale, Lease::free) ==
                Verdict::serve_stale_and_refresh);
    assert_true(decide(State::stale, Lease::taken) == Verdict::serve_stale);
}

static void expired_is_fetched_while_the_client_waits(void**) {
    assert_true(decide(State::expired, Lease::free) == Verdict::fetch_expired);
    assert_true(decide(State::expired, Lease::taken) == Verdict::fetch_expired);
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_fresh_until_its_fresh_limit),
        cmocka_unit_test(an_entry_at_its_fresh_limit_is_stale),
        cmocka_unit_test(past_its_stale_window_it_waits_for_errors_only),
        cmocka_unit_test(past_all_windows_it_is_gone),
        cmocka_unit_test(it_is_gone_at_the_shorter_of_both_times_to_live),
        cmocka_unit_test(
            a_stale_forbidden_entry_waits_for_revalidation_until_its_ttl),
        cmocka_unit_test(
            a_stale_forbidden_entry_is_never_stale_whatever_its_windows),
        cmocka_unit_test(an_entry_from_up_to_a_minute_ahead_has_no_age),
        cmocka_unit_test(an_entry_from_further_ahead_is_gone),
        cmocka_unit_test(age_is_what_it_came_with_plus_time_in_store),
        cmocka_unit_test(fresh_left_is_negative_when_stale),
        cmocka_unit_test(nothing_usable_is_fetched),
        cmocka_unit_test(fresh_is_served_whoever_fetches),
        cmocka_unit_test(stale_is_served_and_refreshed_by_one),
        cmocka_unit_test(expired_is_fetched_while_the_client_waits),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
