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
    Rules rules;
    rules.ttl = ttl;
    return state_of(meta, rules, stored_at + age);
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

// ---- the rows of the decision table

namespace {

constexpr Lease all_leases[] = {Lease::ours, Lease::working, Lease::kept};

}  // namespace

static void nothing_is_fetched_by_who_has_the_lease_and_awaited_else(void**) {
    assert_true(decide(State::gone, {}, Lease::ours, false) == Verdict::fetch);
    assert_true(decide(State::gone, {}, Lease::working, false) ==
                Verdict::wait);
}

static void nobody_waits_for_a_fetch_that_has_failed(void**) {
    assert_true(decide(State::gone, {}, Lease::kept, false) == Verdict::fetch);
    assert_true(decide(State::expired, {}, Lease::kept, false) ==
                Verdict::fetch_expired);
}

static void without_fetch_on_miss_a_miss_is_the_empty_answer(void**) {
    Rules rules;
    rules.fetch_on_miss = false;
    assert_true(decide(State::gone, rules, Lease::ours, false) ==
                Verdict::fill_and_serve_empty);
    assert_true(decide(State::gone, rules, Lease::working, false) ==
                Verdict::serve_empty);
    assert_true(decide(State::gone, rules, Lease::kept, false) ==
                Verdict::serve_empty);
}

static void a_fresh_item_is_served_whoever_has_the_lease(void**) {
    for (Lease lease : all_leases) {
        assert_true(decide(State::fresh, {}, lease, false) ==
                    Verdict::serve_fresh);
    }
}

static void a_stale_item_is_refreshed_by_who_has_the_lease(void**) {
    assert_true(decide(State::stale, {}, Lease::ours, true) ==
                Verdict::serve_stale_and_refresh);
    assert_true(decide(State::stale, {}, Lease::working, true) ==
                Verdict::serve_stale);
    assert_true(decide(State::stale, {}, Lease::kept, true) ==
                Verdict::serve_stale);
}

static void an_expired_item_is_fetched_or_awaited(void**) {
    assert_true(decide(State::expired, {}, Lease::ours, true) ==
                Verdict::fetch_expired);
    assert_true(decide(State::expired, {}, Lease::working, true) ==
                Verdict::wait);
}

static void after_a_failure_an_expired_item_may_stand_in(void**) {
    assert_true(decide(State::expired, {}, Lease::kept, true) ==
                Verdict::serve_stale);
}

static void offline_nobody_asks(void**) {
    Rules rules;
    rules.offline = true;
    for (Lease lease : all_leases) {
        assert_true(decide(State::gone, rules, lease, false) ==
                    Verdict::serve_empty);
        assert_true(decide(State::fresh, rules, lease, false) ==
                    Verdict::serve_fresh);
        assert_true(decide(State::stale, rules, lease, false) ==
                    Verdict::serve_stale);
        assert_true(decide(State::expired, rules, lease, false) ==
                    Verdict::serve_stale);
    }
}

static void an_item_older_than_the_threshold_is_expired(void**) {
    EntryMeta meta = entry();
    Rules rules;
    rules.ttl = forever;
    rules.threshold = 70 * second;
    assert_true(state_of(meta, rules, stored_at + 70 * second) == State::stale);
    assert_true(state_of(meta, rules, stored_at + 70 * second + 1) ==
                State::expired);
    // Fresh is fresh, however small the threshold.
    rules.threshold = 5;
    assert_true(state_of(meta, rules, stored_at + 9) == State::fresh);
}

static void an_item_stands_in_for_an_error_within_its_window(void**) {
    EntryMeta meta = entry();
    assert_true(
        serves_on_error(meta, nothing_asked, stored_at + 150 * second - 1));
    assert_false(
        serves_on_error(meta, nothing_asked, stored_at + 150 * second));
    meta.windows.stale_forbidden = true;
    assert_false(serves_on_error(meta, nothing_asked, stored_at + 61 * second));
}

static void these_answers_are_failures_of_the_origin(void**) {
    for (unsigned status : {500U, 502U, 503U, 504U}) {
        assert_true(is_origin_failure(status));
    }
    for (unsigned status : {200U, 404U, 429U, 499U, 501U, 505U}) {
        assert_false(is_origin_failure(status));
    }
}

static void a_rest_of_a_second_counts_towards_staleness(void**) {
    const auto ttl_at = [](Millis age) {
        return ttl_of(entry(), stored_at + age);
    };
    assert_int_equal(ttl_at(0), 60);
    assert_int_equal(ttl_at(1), 59);
    assert_int_equal(ttl_at(60 * second), 0);
    assert_int_equal(ttl_at(60 * second + 1), -1);
    assert_int_equal(ttl_at(61 * second), -1);
}

// ---- policy rfc9111; the numbers are sections of RFC 9111

namespace {

EntryMeta by_the_rfc() {
    EntryMeta meta = entry();
    meta.windows.policy = PolicyName::rfc9111;
    return meta;
}

RequestDirectives asking(void (*set)(RequestDirectives&)) {
    RequestDirectives asks;
    asks.any = true;
    set(asks);
    return asks;
}

// `age` in seconds.
State state_for_at(Seconds age, const RequestDirectives& asks,
                   const EntryMeta& meta = by_the_rfc()) {
    Rules rules;
    rules.ttl = forever;
    return state_for(meta, rules, asks, stored_at + age * second);
}

}  // namespace

static void who_asks_for_nothing_gets_the_state_as_it_is(void**) {
    for (Seconds age : {0, 59, 60, 89, 90, 149, 150, 999, 1000}) {
        Rules rules;
        rules.ttl = forever;
        assert_true(state_for_at(age, nothing_asked) ==
                    state_of(by_the_rfc(), rules, stored_at + age * second));
    }
}

static void past_its_windows_it_waits_for_validation_until_its_ttl_4_3(void**) {
    assert_true(state_at(150 * second, by_the_rfc()) == State::expired);
    assert_true(state_at(999 * second, by_the_rfc()) == State::expired);
    assert_true(state_at(1000 * second, by_the_rfc()) == State::gone);
}

static void no_cache_wants_it_validated_5_2_1_4(void**) {
    const auto asks = asking([](auto& a) { a.no_cache = true; });
    assert_true(state_for_at(0, asks) == State::expired);
    assert_true(state_for_at(60, asks) == State::expired);
    assert_true(state_for_at(1000, asks) == State::gone);
}

static void max_age_bounds_the_age_5_2_1_1(void**) {
    const auto asks = asking([](auto& a) { a.max_age = 20; });
    assert_true(state_for_at(20, asks) == State::fresh);
    assert_true(state_for_at(21, asks) == State::expired);
    EntryMeta aged = by_the_rfc();
    aged.windows.initial_age = 10;
    assert_true(state_for_at(10, asks, aged) == State::fresh);
    assert_true(state_for_at(11, asks, aged) == State::expired);
}

static void max_age_0_has_it_validated_in_its_first_second_too(void**) {
    const auto asks = asking([](auto& a) { a.max_age = 0; });
    assert_true(state_for_at(0, asks) == State::expired);
    assert_true(serves_waiters(by_the_rfc(), asks, stored_at));
    assert_false(serves_waiters(by_the_rfc(), asks, stored_at + 1 * second));
}

static void who_names_an_age_wants_nothing_stale_5_2_1_1(void**) {
    const auto asks = asking([](auto& a) { a.max_age = 500; });
    assert_true(state_for_at(59, asks) == State::fresh);
    assert_true(state_for_at(60, asks) == State::expired);
}

static void an_immutable_item_is_not_reloaded_while_fresh_8246_2(void**) {
    EntryMeta meta = by_the_rfc();
    meta.windows.immutable = true;
    const auto reload = asking([](auto& a) { a.max_age = 0; });
    const auto forced = asking([](auto& a) { a.no_cache = true; });
    assert_true(state_for_at(30, reload, meta) == State::fresh);
    assert_true(state_for_at(60, reload, meta) == State::expired);
    assert_true(state_for_at(30, forced, meta) == State::expired);
}

static void min_fresh_wants_some_time_left_5_2_1_3(void**) {
    const auto asks = asking([](auto& a) { a.min_fresh = 10; });
    assert_true(state_for_at(50, asks) == State::fresh);
    assert_true(state_for_at(51, asks) == State::expired);
    assert_true(state_for_at(60, asks) == State::expired);
}

static void who_passes_a_fresh_item_by_asks_for_its_own_sake_9211_2_2(void**) {
    const auto passes_by = [](Seconds age, const RequestDirectives& asks) {
        Rules rules;
        rules.ttl = forever;
        return is_fresh_for_others(entry(), rules, asks,
                                   stored_at + age * second);
    };
    const auto no_cache = asking([](auto& a) { a.no_cache = true; });
    assert_true(passes_by(59, no_cache));
    assert_false(passes_by(60, no_cache));
    assert_false(passes_by(59, nothing_asked));
    const auto young = asking([](auto& a) { a.max_age = 10; });
    assert_false(passes_by(10, young));
    assert_true(passes_by(11, young));
}

static void max_stale_takes_it_stale_5_2_1_2(void**) {
    const auto asks = asking([](auto& a) { a.max_stale = 100; });
    assert_true(state_for_at(59, asks) == State::fresh);
    assert_true(state_for_at(60, asks) == State::stale);
    assert_true(state_for_at(160, asks) == State::stale);
    assert_true(state_for_at(161, asks) == State::expired);
    const auto both = asking([](auto& a) {
        a.max_stale = 100;
        a.max_age = 70;
    });
    assert_true(state_for_at(70, both) == State::stale);
    assert_true(state_for_at(71, both) == State::expired);
}

static void max_stale_may_ask_for_less_than_the_origin_gives(void**) {
    const auto asks = asking([](auto& a) { a.max_stale = 10; });
    assert_true(state_for_at(70, asks) == State::stale);
    assert_true(state_for_at(71, asks) == State::expired);
}

static void max_stale_lifts_no_ban_and_no_threshold_4_2_4(void**) {
    const auto asks = asking([](auto& a) { a.max_stale = max_seconds; });
    EntryMeta forbidden = by_the_rfc();
    forbidden.windows.stale_forbidden = true;
    assert_true(state_for_at(60, asks, forbidden) == State::expired);
    Rules rules;
    rules.ttl = forever;
    rules.threshold = 100 * second;
    assert_true(state_for(by_the_rfc(), rules, asks,
                          stored_at + 101 * second) == State::expired);
}

static void on_error_a_client_may_take_it_longer_5861_4(void**) {
    const auto longer = asking([](auto& a) { a.stale_if_error = 200; });
    const auto at = [](Seconds age) { return stored_at + age * second; };
    assert_true(serves_on_error(by_the_rfc(), longer, at(149)));
    assert_true(serves_on_error(by_the_rfc(), longer, at(259)));
    assert_false(serves_on_error(by_the_rfc(), longer, at(260)));
    const auto shorter = asking([](auto& a) { a.stale_if_error = 0; });
    assert_true(serves_on_error(by_the_rfc(), shorter, at(149)));
    assert_false(serves_on_error(by_the_rfc(), shorter, at(150)));
    EntryMeta forbidden = by_the_rfc();
    forbidden.windows.stale_forbidden = true;
    assert_false(serves_on_error(forbidden, longer, at(61)));
}

static void who_wants_it_validated_takes_no_old_item_for_an_error_4_2_4(
    void**) {
    const auto no_cache = asking([](auto& a) { a.no_cache = true; });
    const auto young = asking([](auto& a) { a.max_age = 5; });
    assert_false(serves_on_error(by_the_rfc(), no_cache, stored_at));
    assert_true(serves_on_error(by_the_rfc(), young, stored_at + 5 * second));
    assert_false(serves_on_error(by_the_rfc(), young, stored_at + 6 * second));
}

static void who_waited_shares_what_is_fresh_4(void**) {
    assert_true(serves_waiters(by_the_rfc(), nothing_asked, stored_at));
    assert_false(
        serves_waiters(by_the_rfc(), nothing_asked, stored_at + 60 * second));
    const auto no_cache = asking([](auto& a) { a.no_cache = true; });
    const auto longer = asking([](auto& a) { a.min_fresh = 61; });
    assert_true(serves_waiters(by_the_rfc(), no_cache, stored_at));
    assert_false(serves_waiters(by_the_rfc(), longer, stored_at));
    // Policy cacheback: be its lifetime as short as it may.
    assert_true(
        serves_waiters(entry(), nothing_asked, stored_at + 60 * second));
}

static void nobody_stands_in_a_row_for_what_is_for_one_only_4(void**) {
    EntryMeta never = by_the_rfc();
    never.windows.fresh_for = 0;
    assert_true(is_for_one_only(never));
    assert_false(is_for_one_only(by_the_rfc()));
    EntryMeta ours = entry();
    ours.windows.fresh_for = 0;
    assert_false(is_for_one_only(ours));
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_rest_of_a_second_counts_towards_staleness),
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
        cmocka_unit_test(
            nothing_is_fetched_by_who_has_the_lease_and_awaited_else),
        cmocka_unit_test(nobody_waits_for_a_fetch_that_has_failed),
        cmocka_unit_test(without_fetch_on_miss_a_miss_is_the_empty_answer),
        cmocka_unit_test(a_fresh_item_is_served_whoever_has_the_lease),
        cmocka_unit_test(a_stale_item_is_refreshed_by_who_has_the_lease),
        cmocka_unit_test(an_expired_item_is_fetched_or_awaited),
        cmocka_unit_test(after_a_failure_an_expired_item_may_stand_in),
        cmocka_unit_test(offline_nobody_asks),
        cmocka_unit_test(an_item_older_than_the_threshold_is_expired),
        cmocka_unit_test(an_item_stands_in_for_an_error_within_its_window),
        cmocka_unit_test(these_answers_are_failures_of_the_origin),
        cmocka_unit_test(who_asks_for_nothing_gets_the_state_as_it_is),
        cmocka_unit_test(
            past_its_windows_it_waits_for_validation_until_its_ttl_4_3),
        cmocka_unit_test(no_cache_wants_it_validated_5_2_1_4),
        cmocka_unit_test(max_age_bounds_the_age_5_2_1_1),
        cmocka_unit_test(max_age_0_has_it_validated_in_its_first_second_too),
        cmocka_unit_test(who_names_an_age_wants_nothing_stale_5_2_1_1),
        cmocka_unit_test(an_immutable_item_is_not_reloaded_while_fresh_8246_2),
        cmocka_unit_test(min_fresh_wants_some_time_left_5_2_1_3),
        cmocka_unit_test(
            who_passes_a_fresh_item_by_asks_for_its_own_sake_9211_2_2),
        cmocka_unit_test(max_stale_takes_it_stale_5_2_1_2),
        cmocka_unit_test(max_stale_may_ask_for_less_than_the_origin_gives),
        cmocka_unit_test(max_stale_lifts_no_ban_and_no_threshold_4_2_4),
        cmocka_unit_test(on_error_a_client_may_take_it_longer_5861_4),
        cmocka_unit_test(
            who_wants_it_validated_takes_no_old_item_for_an_error_4_2_4),
        cmocka_unit_test(who_waited_shares_what_is_fresh_4),
        cmocka_unit_test(nobody_stands_in_a_row_for_what_is_for_one_only_4),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
