// storability_test.cpp: the rules of policy `cacheback`, one test each.
#include "core/storability.hpp"

#include "unit.hpp"

using namespace cacheback::core;

namespace {

constexpr Millis now = 1790000000 * second;
constexpr Millis day = 24 * 3600 * second;

Policy policy(std::optional<Millis> lifetime = 600 * second) {
    Policy policy;
    policy.lifetime = lifetime;
    policy.ttl = 30 * day;
    return policy;
}

Policy unlisted() { return policy(std::nullopt); }

Policy ignoring(unsigned fields) {
    Policy result = policy();
    result.ignore = fields;
    return result;
}

ResponseFacts answer(const FieldList& fields, unsigned status = 200) {
    ResponseFacts response;
    response.status = status;
    response.fields = fields;
    return response;
}

Storability judged(const FieldList& fields, const Policy& by = policy(),
                   unsigned status = 200, RequestFacts request = {}) {
    return judge(request, answer(fields, status), by, now);
}

void assert_refused(const Storability& verdict, Reason reason) {
    assert_text(word(verdict.refused), word(reason));
    assert_int_equal(verdict.may_store(), reason == Reason::none);
}

void assert_stored(const Storability& verdict) {
    assert_refused(verdict, Reason::none);
}

}  // namespace

static void a_plain_answer_gets_the_lifetime_of_the_location(void**) {
    const Storability verdict = judged({});
    assert_stored(verdict);
    assert_false(verdict.lifetime_named);
    assert_int_equal(verdict.windows.fresh_for, 600 * second);
    assert_int_equal(verdict.windows.ttl, 30 * day);
    assert_int_equal(verdict.windows.stale_for, 30 * day - 600 * second);
    assert_int_equal(verdict.windows.error_for, 30 * day - 600 * second);
    assert_false(verdict.windows.stale_forbidden);
}

static void a_named_lifetime_replaces_that_of_the_location(void**) {
    const Storability verdict =
        judged({{"Cache-Control", "max-age=60"}, {"Age", "20"}});
    assert_stored(verdict);
    assert_true(verdict.lifetime_named);
    assert_int_equal(verdict.windows.fresh_for, 40 * second);
    assert_int_equal(verdict.windows.initial_age, 20);
}

static void age_does_not_shorten_the_lifetime_of_the_location(void**) {
    const Storability verdict = judged({{"Age", "20"}});
    assert_int_equal(verdict.windows.fresh_for, 600 * second);
    assert_int_equal(verdict.windows.initial_age, 20);
}

static void an_answer_older_than_its_lifetime_is_stored_stale(void**) {
    const Storability verdict =
        judged({{"Cache-Control", "max-age=60"}, {"Age", "61"}});
    assert_stored(verdict);
    assert_int_equal(verdict.windows.fresh_for, 0);
    assert_int_equal(verdict.windows.stale_for, 30 * day);
}

static void partial_interim_and_conditional_answers_are_refused(void**) {
    const FieldList named{{"Cache-Control", "max-age=60"}};
    assert_refused(judged(named, policy(), 206), Reason::partial);
    for (unsigned status : {0U, 100U, 101U, 103U, 199U, 304U, 600U, 999U}) {
        assert_refused(judged(named, policy(), status), Reason::status);
    }
}

static void an_unlisted_status_needs_a_named_lifetime(void**) {
    const FieldList named{{"Cache-Control", "max-age=60"}};
    for (unsigned status : {200U, 201U, 204U, 302U, 403U, 451U, 500U, 599U}) {
        assert_refused(judged({}, unlisted(), status), Reason::status);
        assert_stored(judged(named, unlisted(), status));
        assert_stored(judged({}, policy(), status));
    }
    assert_refused(
        judged({{"Cache-Control", "no-cache"}, {"ETag", "\"x\""}}, unlisted()),
        Reason::status);
}

static void event_streams_are_refused(void**) {
    assert_refused(judged({{"Content-Type", "Text/Event-Stream; charset=x"}}),
                   Reason::event_stream);
    assert_refused(judged({{"X-Accel-Buffering", "no"}}), Reason::event_stream);
    assert_stored(judged({{"Content-Type", "text/event-streams"}}));
    assert_stored(judged({{"X-Accel-Buffering", "yes"}}));
}

static void no_store_is_refused(void**) {
    assert_refused(judged({{"Cache-Control", "no-store, max-age=60"}}),
                   Reason::no_store);
    assert_refused(
        judged({{"Cache-Control", "no-store"}, {"X-Accel-Expires", "60"}}),
        Reason::no_store);
}

static void private_is_refused_also_when_it_names_fields(void**) {
    assert_refused(judged({{"Cache-Control", "private, max-age=60"}}),
                   Reason::is_private);
    assert_refused(judged({{"Cache-Control", "private=\"x\", max-age=60"}}),
                   Reason::is_private);
}

static void the_field_for_us_wins_over_the_one_for_everybody(void**) {
    assert_stored(judged(
        {{"Cache-Control", "no-store"}, {"CDN-Cache-Control", "max-age=60"}}));
    assert_refused(judged({{"Cache-Control", "max-age=60"},
                           {"CDN-Cache-Control", "no-store"}}),
                   Reason::no_store);
}

static void set_cookie_is_refused(void**) {
    const FieldList fields{{"Set-Cookie", "a=b"},
                           {"Cache-Control", "max-age=60"}};
    assert_refused(judged(fields), Reason::set_cookie);
    assert_stored(judged(fields, ignoring(ignore_set_cookie)));
}

static void vary_star_is_refused(void**) {
    const FieldList fields{{"Vary", "Accept"}, {"Vary", "Cookie, *"}};
    assert_refused(judged(fields), Reason::vary);
    assert_stored(judged(fields, ignoring(ignore_vary)));
}

static void an_accel_redirect_needs_the_word_of_the_application(void**) {
    const auto redirected = [](const FieldList& fields, Policy by = policy()) {
        ResponseFacts response = answer(fields);
        response.by_accel_redirect = true;
        return judge({}, response, by, now);
    };
    assert_refused(redirected({}), Reason::accel_redirect);
    assert_refused(redirected({{"Cache-Control", "max-age=60"}}),
                   Reason::accel_redirect);
    assert_refused(redirected({{"Expires", "Fri, 31 Dec 9999 23:59:59 GMT"}}),
                   Reason::accel_redirect);
    assert_stored(redirected({{"Cache-Control", "public"}}));
    assert_stored(redirected({{"Cache-Control", "s-maxage=60"}}));
    assert_stored(redirected({{"X-Accel-Expires", "60"}}));
    assert_refused(redirected({{"Cache-Control", "public"}},
                              ignoring(ignore_cache_control)),
                   Reason::accel_redirect);
}

static void trailers_are_refused(void**) {
    const FieldList none;
    ResponseFacts response = answer(none);
    response.has_trailers = true;
    assert_refused(judge({}, response, policy(), now), Reason::trailers);
}

static void an_answer_to_a_cookie_needs_a_named_lifetime(void**) {
    RequestFacts request;
    request.had_cookie = true;
    assert_refused(judged({}, policy(), 200, request), Reason::cookie);
    assert_refused(judged({{"Cache-Control", "no-cache"}, {"ETag", "\"x\""}},
                          policy(), 200, request),
                   Reason::cookie);
    assert_stored(
        judged({{"Cache-Control", "max-age=60"}}, policy(), 200, request));
    assert_stored(judged({}, ignoring(ignore_cookie), 200, request));
}

static void a_lifetime_of_the_location_that_is_zero_stores_nothing(void**) {
    assert_refused(judged({}, policy(0)), Reason::no_lifetime);
    assert_stored(judged({{"Cache-Control", "max-age=60"}}, policy(0)));
}

static void a_named_zero_is_refused_without_a_stale_window(void**) {
    for (const char* zero :
         {"max-age=0", "s-maxage=0, max-age=60", "max-age=nonsense",
          "max-age=0, no-cache", "max-age=0, stale-if-error=60",
          "max-age=0, stale-while-revalidate=0"}) {
        assert_refused(judged({{"Cache-Control", zero}, {"ETag", "\"x\""}}),
                       Reason::zero_lifetime);
    }
    assert_refused(judged({{"Expires", "0"}}), Reason::zero_lifetime);
}

static void a_named_zero_with_a_stale_window_is_stored_stale(void**) {
    const Storability verdict =
        judged({{"Cache-Control", "max-age=0, stale-while-revalidate=30"}});
    assert_stored(verdict);
    assert_int_equal(verdict.windows.fresh_for, 0);
    assert_int_equal(verdict.windows.stale_for, 30 * second);
}

static void x_accel_expires_zero_is_refused_whatever_else_is_said(void**) {
    assert_refused(
        judged({{"X-Accel-Expires", "0"},
                {"Cache-Control", "max-age=9, stale-while-revalidate=30"}}),
        Reason::zero_lifetime);
}

static void the_stale_window_is_the_response_s_own_where_it_names_one(void**) {
    for (const char* control : {"max-age=60, stale-while-revalidate=30",
                                "s-maxage=60, stale-while-revalidate=30"}) {
        const Windows windows = judged({{"Cache-Control", control}}).windows;
        assert_int_equal(windows.stale_for, 30 * second);
        assert_int_equal(windows.error_for, 30 * day - 60 * second);
    }
    const Windows none =
        judged({{"Cache-Control", "max-age=60, stale-while-revalidate=0"}})
            .windows;
    assert_int_equal(none.stale_for, 0);
}

static void the_error_window_is_the_response_s_own_where_it_names_one(void**) {
    const Windows windows =
        judged({{"Cache-Control", "max-age=60, stale-if-error=90"}}).windows;
    assert_int_equal(windows.error_for, 90 * second);
    assert_int_equal(windows.stale_for, 30 * day - 60 * second);
}

static void revalidation_directives_forbid_stale_answers(void**) {
    for (const char* directive : {"must-revalidate", "proxy-revalidate"}) {
        const std::string control =
            std::string(
                "max-age=60, stale-while-revalidate=30, "
                "stale-if-error=30, ") +
            directive;
        const Storability verdict = judged({{"Cache-Control", control}});
        assert_stored(verdict);
        assert_true(verdict.windows.stale_forbidden);
        assert_int_equal(verdict.windows.fresh_for, 60 * second);
        assert_int_equal(verdict.windows.stale_for, 0);
        assert_int_equal(verdict.windows.error_for, 0);
    }
}

static void no_cache_is_stored_for_its_validator_and_never_fresh(void**) {
    for (const char* control : {"no-cache", "no-cache, max-age=60"}) {
        for (const Field& validator :
             {Field{"ETag", "\"x\""},
              Field{"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}}) {
            const Storability verdict =
                judged({{"Cache-Control", control}, validator});
            assert_stored(verdict);
            assert_int_equal(verdict.windows.fresh_for, 0);
            assert_true(verdict.windows.stale_forbidden);
        }
        assert_refused(judged({{"Cache-Control", control}}),
                       Reason::zero_lifetime);
        assert_refused(judged({{"Cache-Control", control}, {"ETag", " "}}),
                       Reason::zero_lifetime);
    }
}

static void no_cache_that_names_fields_forbids_nothing_else(void**) {
    const Storability verdict =
        judged({{"Cache-Control", "no-cache=\"x\", max-age=60"}});
    assert_stored(verdict);
    assert_int_equal(verdict.windows.fresh_for, 60 * second);
    assert_false(verdict.windows.stale_forbidden);
}

static void x_accel_expires_outweighs_a_no_cache_for_everybody(void**) {
    const Storability verdict =
        judged({{"Cache-Control", "no-cache"}, {"X-Accel-Expires", "60"}});
    assert_stored(verdict);
    assert_int_equal(verdict.windows.fresh_for, 60 * second);
    assert_true(verdict.windows.stale_forbidden);
}

static void never_fresh_never_stale_and_no_validator_is_refused(void**) {
    assert_refused(
        judged({{"Cache-Control",
                 "max-age=0, stale-while-revalidate=9, must-revalidate"}}),
        Reason::zero_lifetime);
}

static void ignored_fields_are_as_if_they_were_not_there(void**) {
    const Storability verdict =
        judged({{"Cache-Control", "no-store, private, no-cache, max-age=1"}},
               ignoring(ignore_cache_control));
    assert_stored(verdict);
    assert_false(verdict.lifetime_named);
    assert_false(verdict.windows.stale_forbidden);
    assert_int_equal(verdict.windows.fresh_for, 600 * second);
}

static void the_first_rule_that_refuses_gives_the_reason(void**) {
    FieldList fields{{"Content-Type", "text/event-stream"},
                     {"Cache-Control", "no-store, private, max-age=0"},
                     {"Set-Cookie", "a=b"},
                     {"Vary", "*"}};
    assert_refused(judged(fields, policy(), 206), Reason::partial);
    assert_refused(judged(fields), Reason::event_stream);
    assert_refused(judged({{"Vary", "*"},
                           {"Set-Cookie", "a=b"},
                           {"Cache-Control", "private, no-store"}}),
                   Reason::no_store);
    assert_refused(judged({{"Vary", "*"},
                           {"Set-Cookie", "a=b"},
                           {"Cache-Control", "private, max-age=0"}}),
                   Reason::is_private);
    assert_refused(judged({{"Vary", "*"},
                           {"Set-Cookie", "a=b"},
                           {"Cache-Control", "max-age=0"}}),
                   Reason::set_cookie);
    assert_refused(judged({{"Vary", "*"}, {"Cache-Control", "max-age=0"}}),
                   Reason::vary);
}

static void no_number_overflows_a_window(void**) {
    Policy longest = policy(INT64_MAX);
    longest.ttl = INT64_MAX;
    const std::string many(50, '9');
    const std::string control =
        "stale-while-revalidate=" + many + ", stale-if-error=" + many;
    const Storability verdict =
        judged({{"Cache-Control", control}, {"Age", many}}, longest);
    assert_stored(verdict);
    const Windows& windows = verdict.windows;
    for (Millis length : {windows.fresh_for, windows.stale_for,
                          windows.error_for, windows.ttl}) {
        assert_int_equal(length, max_seconds * second);
    }
    assert_int_equal(windows.initial_age, max_seconds);
}

static void a_negative_time_to_live_is_none(void**) {
    Policy none = policy();
    none.ttl = -5;
    assert_int_equal(judged({}, none).windows.ttl, 0);
    assert_int_equal(judged({}, none).windows.stale_for, 0);
}

// ---- what a background fetch has brought

namespace {

FetchFacts fetched(unsigned status) {
    FetchFacts fetch;
    fetch.status = status;
    fetch.complete = true;
    return fetch;
}

Storability refused(Reason reason = Reason::no_store) {
    Storability verdict;
    verdict.refused = reason;
    return verdict;
}

}  // namespace

static void a_storable_answer_replaces_the_item(void**) {
    for (unsigned status :
         {200U, 203U, 204U, 301U, 302U, 307U, 308U, 404U, 410U, 451U}) {
        assert_true(fetch_outcome(fetched(status), {}) ==
                    FetchOutcome::replace);
    }
}

static void a_missing_page_that_is_not_storable_removes_the_item(void**) {
    for (unsigned status : {404U, 410U}) {
        assert_true(fetch_outcome(fetched(status), refused()) ==
                    FetchOutcome::remove);
    }
}

static void a_good_page_that_is_not_storable_removes_and_marks(void**) {
    for (unsigned status : {200U, 203U, 301U, 308U}) {
        assert_true(fetch_outcome(fetched(status), refused()) ==
                    FetchOutcome::remove_and_mark);
    }
}

static void redirects_and_oddities_that_are_not_storable_keep_it(void**) {
    for (unsigned status : {204U, 206U, 302U, 303U, 307U, 400U, 405U, 101U}) {
        assert_true(fetch_outcome(fetched(status), refused()) ==
                    FetchOutcome::keep);
    }
}

static void an_answer_that_could_not_be_taken_in_keeps_the_item(void**) {
    for (unsigned status : {200U, 404U}) {
        for (Reason reason : {Reason::busy, Reason::incomplete}) {
            assert_true(fetch_outcome(fetched(status), refused(reason)) ==
                        FetchOutcome::keep);
        }
    }
}

static void a_passing_redirect_takes_the_place_of_its_like_only(void**) {
    for (unsigned status : {302U, 303U, 307U}) {
        FetchFacts fetch = fetched(status);
        assert_true(fetch_outcome(fetch, {}) == FetchOutcome::replace);
        fetch.stored_status = 200;
        assert_true(fetch_outcome(fetch, {}) == FetchOutcome::keep);
        fetch.stored_status = status;
        assert_true(fetch_outcome(fetch, {}) == FetchOutcome::replace);
    }
}

static void errors_keep_the_item_even_when_they_are_storable(void**) {
    for (unsigned status : {401U, 403U, 407U, 429U, 500U, 502U, 503U, 504U}) {
        assert_true(fetch_outcome(fetched(status), {}) == FetchOutcome::keep);
    }
}

static void a_304_renews_when_we_asked_for_it(void**) {
    FetchFacts fetch = fetched(304);
    fetch.conditional = true;
    assert_true(fetch_outcome(fetch, {}) == FetchOutcome::renew);
    assert_true(fetch_outcome(fetch, refused(Reason::status)) ==
                FetchOutcome::renew);
    fetch.conditional = false;
    assert_true(fetch_outcome(fetch, {}) == FetchOutcome::keep);
}

static void a_304_that_forbids_storing_ends_the_item(void**) {
    FetchFacts fetch = fetched(304);
    fetch.conditional = true;
    assert_true(fetch_outcome(fetch, refused(Reason::no_store)) ==
                FetchOutcome::remove_and_mark);
}

static void broken_disguised_and_nested_stale_answers_keep_the_item(void**) {
    for (unsigned status : {200U, 304U, 404U}) {
        FetchFacts fetch = fetched(status);
        fetch.conditional = true;
        fetch.from_error_page = true;
        assert_true(fetch_outcome(fetch, {}) == FetchOutcome::keep);
        fetch.from_error_page = false;
        fetch.nested_stale = true;
        assert_true(fetch_outcome(fetch, {}) == FetchOutcome::keep);
    }
    FetchFacts broken = fetched(200);
    broken.complete = false;
    assert_true(fetch_outcome(broken, {}) == FetchOutcome::keep);
    assert_true(fetch_outcome(broken, refused()) == FetchOutcome::keep);
}

static void only_what_an_answer_says_of_itself_marks_the_item(void**) {
    for (unsigned status : {200U, 203U, 301U, 308U}) {
        assert_true(marks_uncacheable(Reason::no_store, status));
        assert_true(marks_uncacheable(Reason::set_cookie, status));
        assert_true(marks_uncacheable(Reason::too_large, status));
        for (Reason other :
             {Reason::none, Reason::cookie, Reason::busy, Reason::incomplete,
              Reason::error_page, Reason::unkeyed, Reason::conditional}) {
            assert_false(marks_uncacheable(other, status));
        }
    }
    for (unsigned status : {302U, 401U, 404U, 500U, 503U}) {
        assert_false(marks_uncacheable(Reason::status, status));
    }
}

static void an_entry_is_kept_as_long_as_a_window_is_open(void**) {
    Windows windows;
    windows.fresh_for = 10;
    windows.stale_for = 20;
    windows.error_for = 5;
    windows.ttl = 100;
    assert_int_equal(kept_for(windows), 30);
    windows.error_for = 40;
    assert_int_equal(kept_for(windows), 50);
    windows.ttl = 45;
    assert_int_equal(kept_for(windows), 45);
    windows.stale_forbidden = true;
    windows.ttl = 100;
    assert_int_equal(kept_for(windows), 100);
}

namespace {

Policy bounds(Millis least, std::optional<Millis> most = std::nullopt) {
    Policy result = policy();
    result.min_lifetime = least;
    result.max_lifetime = most;
    return result;
}

}  // namespace

static void bounds_hold_for_named_lifetimes_only(void**) {
    const Policy narrow = bounds(60 * second, 90 * second);
    assert_int_equal(judged({}, narrow).windows.fresh_for, 600 * second);
    assert_int_equal(
        judged({{"Cache-Control", "max-age=5"}}, narrow).windows.fresh_for,
        60 * second);
    assert_int_equal(
        judged({{"X-Accel-Expires", "500"}}, narrow).windows.fresh_for,
        90 * second);
    Policy none = bounds(60 * second);
    none.lifetime = 0;
    assert_refused(judged({}, none), Reason::no_lifetime);
}

static void the_stale_window_follows_the_bounded_lifetime(void**) {
    const Storability verdict =
        judged({{"Cache-Control", "max-age=5"}}, bounds(60 * second));
    assert_int_equal(verdict.windows.stale_for, 30 * day - 60 * second);
}

static void a_lower_bound_makes_a_named_zero_storable(void**) {
    for (const char* value : {"max-age=0", "s-maxage=0, max-age=9"}) {
        const Storability verdict =
            judged({{"Cache-Control", value}}, bounds(60 * second));
        assert_stored(verdict);
        assert_int_equal(verdict.windows.fresh_for, 60 * second);
    }
    assert_stored(judged({{"Expires", "0"}}, bounds(60 * second)));
}

static void no_lower_bound_lifts_what_switches_caches_off(void**) {
    assert_refused(judged({{"X-Accel-Expires", "0"}}, bounds(60 * second)),
                   Reason::zero_lifetime);
}

static void no_lower_bound_overrides_a_prohibition(void**) {
    const Policy by = bounds(60 * second);
    assert_refused(judged({{"Cache-Control", "no-store, max-age=9"}}, by),
                   Reason::no_store);
    assert_refused(judged({{"Cache-Control", "private, max-age=9"}}, by),
                   Reason::is_private);
    const Storability verdict = judged(
        {{"Cache-Control", "no-cache, max-age=9"}, {"ETag", "\"a\""}}, by);
    assert_stored(verdict);
    assert_int_equal(verdict.windows.fresh_for, 0);
}

static void an_upper_bound_of_zero_makes_an_item_stale_at_once(void**) {
    // `cacheback_max_lifetime 0`: stale at once, and refreshed.
    const Storability verdict =
        judged({{"Cache-Control", "max-age=9"}}, bounds(0, Millis{0}));
    assert_stored(verdict);
    assert_int_equal(verdict.windows.fresh_for, 0);
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_answer_gets_the_lifetime_of_the_location),
        cmocka_unit_test(a_named_lifetime_replaces_that_of_the_location),
        cmocka_unit_test(age_does_not_shorten_the_lifetime_of_the_location),
        cmocka_unit_test(an_answer_older_than_its_lifetime_is_stored_stale),
        cmocka_unit_test(partial_interim_and_conditional_answers_are_refused),
        cmocka_unit_test(an_unlisted_status_needs_a_named_lifetime),
        cmocka_unit_test(event_streams_are_refused),
        cmocka_unit_test(no_store_is_refused),
        cmocka_unit_test(private_is_refused_also_when_it_names_fields),
        cmocka_unit_test(the_field_for_us_wins_over_the_one_for_everybody),
        cmocka_unit_test(set_cookie_is_refused),
        cmocka_unit_test(vary_star_is_refused),
        cmocka_unit_test(an_accel_redirect_needs_the_word_of_the_application),
        cmocka_unit_test(trailers_are_refused),
        cmocka_unit_test(an_answer_to_a_cookie_needs_a_named_lifetime),
        cmocka_unit_test(
            a_lifetime_of_the_location_that_is_zero_stores_nothing),
        cmocka_unit_test(a_named_zero_is_refused_without_a_stale_window),
        cmocka_unit_test(a_named_zero_with_a_stale_window_is_stored_stale),
        cmocka_unit_test(x_accel_expires_zero_is_refused_whatever_else_is_said),
        cmocka_unit_test(
            the_stale_window_is_the_response_s_own_where_it_names_one),
        cmocka_unit_test(
            the_error_window_is_the_response_s_own_where_it_names_one),
        cmocka_unit_test(revalidation_directives_forbid_stale_answers),
        cmocka_unit_test(no_cache_is_stored_for_its_validator_and_never_fresh),
        cmocka_unit_test(no_cache_that_names_fields_forbids_nothing_else),
        cmocka_unit_test(x_accel_expires_outweighs_a_no_cache_for_everybody),
        cmocka_unit_test(never_fresh_never_stale_and_no_validator_is_refused),
        cmocka_unit_test(ignored_fields_are_as_if_they_were_not_there),
        cmocka_unit_test(the_first_rule_that_refuses_gives_the_reason),
        cmocka_unit_test(no_number_overflows_a_window),
        cmocka_unit_test(a_negative_time_to_live_is_none),
        cmocka_unit_test(a_storable_answer_replaces_the_item),
        cmocka_unit_test(a_missing_page_that_is_not_storable_removes_the_item),
        cmocka_unit_test(a_good_page_that_is_not_storable_removes_and_marks),
        cmocka_unit_test(redirects_and_oddities_that_are_not_storable_keep_it),
        cmocka_unit_test(an_answer_that_could_not_be_taken_in_keeps_the_item),
        cmocka_unit_test(a_passing_redirect_takes_the_place_of_its_like_only),
        cmocka_unit_test(errors_keep_the_item_even_when_they_are_storable),
        cmocka_unit_test(a_304_renews_when_we_asked_for_it),
        cmocka_unit_test(a_304_that_forbids_storing_ends_the_item),
        cmocka_unit_test(
            broken_disguised_and_nested_stale_answers_keep_the_item),
        cmocka_unit_test(only_what_an_answer_says_of_itself_marks_the_item),
        cmocka_unit_test(an_entry_is_kept_as_long_as_a_window_is_open),
        cmocka_unit_test(bounds_hold_for_named_lifetimes_only),
        cmocka_unit_test(the_stale_window_follows_the_bounded_lifetime),
        cmocka_unit_test(a_lower_bound_makes_a_named_zero_storable),
        cmocka_unit_test(no_lower_bound_lifts_what_switches_caches_off),
        cmocka_unit_test(no_lower_bound_overrides_a_prohibition),
        cmocka_unit_test(an_upper_bound_of_zero_makes_an_item_stale_at_once),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
