// rfc9111_test.cpp: policy rfc9111, one test for each rule. The numbers in the
// names are sections of RFC 9111, where no other RFC is named.
#include "core/rfc9111.hpp"

#include "unit.hpp"

using namespace cacheback::core;

namespace {

// Sun, 06 Nov 1994 08:49:37 GMT
constexpr Seconds now_s = 784111777;
constexpr Millis now = now_s * second + 500;
constexpr std::string_view date_now = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view a_second_ago = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view a_minute_ago = "Sun, 06 Nov 1994 08:48:37 GMT";
constexpr std::string_view in_a_minute = "Sun, 06 Nov 1994 08:50:37 GMT";
constexpr std::string_view an_hour_ago = "Sun, 06 Nov 1994 07:49:37 GMT";
constexpr std::string_view a_year_ago = "Sat, 06 Nov 1993 08:49:37 GMT";

struct Asked {
    unsigned status = 200;
    RequestFacts request;
    Policy policy = by_the_rfc();
    bool by_accel_redirect = false;
    bool has_trailers = false;

    static Policy by_the_rfc() {
        Policy policy;
        policy.name = PolicyName::rfc9111;
        return policy;
    }
};

Storability judged(const FieldList& fields, const Asked& asked = {}) {
    ResponseFacts response;
    response.status = asked.status;
    response.fields = fields;
    response.by_accel_redirect = asked.by_accel_redirect;
    response.has_trailers = asked.has_trailers;
    return judge(asked.request, response, asked.policy, now);
}

Storability of_status(unsigned status, const FieldList& fields) {
    Asked asked;
    asked.status = status;
    return judged(fields, asked);
}

Storability authorized(std::string_view cache_control) {
    Asked asked;
    asked.request.had_authorization = true;
    return judged({{"Cache-Control", cache_control}}, asked);
}

bool refused(const Storability& verdict, Reason reason) {
    return verdict.refused == reason;
}

// Seconds of freshness; -1 when it may not be stored.
Seconds fresh(const FieldList& fields, const Asked& asked = {}) {
    const Storability verdict = judged(fields, asked);
    return verdict.may_store() ? verdict.windows.fresh_for / second : -1;
}

Seconds age(const FieldList& fields, Millis delay = 0) {
    return rfc9111::corrected_initial_age(read_caching_fields(fields, 0, now),
                                          delay, now);
}

const FieldList hour{{"Cache-Control", "max-age=3600"}};

}  // namespace

// ---- 3: storing

static void every_final_status_is_stored_with_a_named_lifetime_3(void**) {
    for (unsigned status : {200U, 204U, 299U, 301U, 302U, 303U, 307U, 308U,
                            400U, 404U, 410U, 499U, 500U, 503U, 599U}) {
        assert_true(of_status(status, hour).may_store());
    }
}

static void what_is_no_final_status_is_not_stored_3(void**) {
    for (unsigned status : {100U, 102U, 103U, 199U, 304U, 600U, 0U}) {
        assert_true(refused(of_status(status, hour), Reason::status));
    }
}

static void a_206_is_not_stored_3_3(void**) {
    assert_true(refused(of_status(206, hour), Reason::partial));
}

static void no_store_is_not_stored_5_2_2_5(void**) {
    assert_true(refused(judged({{"Cache-Control", "max-age=60, no-store"}}),
                        Reason::no_store));
}

static void must_understand_sets_no_store_aside_5_2_2_3(void**) {
    const FieldList both{
        {"Cache-Control", "max-age=60, no-store, must-understand"}};
    assert_true(of_status(200, both).may_store());
    assert_true(of_status(404, both).may_store());
    assert_true(refused(of_status(599, both), Reason::no_store));
}

static void must_understand_alone_wants_a_known_status_3(void**) {
    const FieldList only{{"Cache-Control", "max-age=60, must-understand"}};
    assert_true(of_status(200, only).may_store());
    assert_true(refused(of_status(599, only), Reason::status));
    assert_true(refused(of_status(299, only), Reason::status));
}

static void statuses_of_rfc_9110_are_understood(void**) {
    for (unsigned status : {200U, 206U, 300U, 301U, 308U, 400U, 417U, 421U,
                            422U, 426U, 500U, 505U}) {
        assert_true(rfc9111::understands(status));
    }
    for (unsigned status :
         {199U, 207U, 299U, 306U, 309U, 418U, 425U, 451U, 499U, 506U, 599U}) {
        assert_false(rfc9111::understands(status));
    }
}

static void private_is_not_stored_5_2_2_7(void**) {
    assert_true(refused(judged({{"Cache-Control", "private, max-age=60"}}),
                        Reason::is_private));
}

static void private_with_field_names_is_stored_without_them_5_2_2_7(void**) {
    assert_int_equal(
        fresh({{"Cache-Control", "private=\"x-user\", max-age=60"}}), 60);
}

static void an_answer_to_authorization_is_not_shared_3_5(void**) {
    for (std::string_view silent :
         {"max-age=60", "proxy-revalidate, max-age=60", "immutable, max-age=9",
          "max-age=60, stale-while-revalidate=9"}) {
        assert_true(refused(authorized(silent), Reason::authorization));
    }
}

static void unless_the_origin_says_so_3_5(void**) {
    for (std::string_view shared :
         {"public, max-age=60", "must-revalidate, max-age=60", "s-maxage=60"}) {
        assert_true(authorized(shared).may_store());
    }
}

static void authorization_may_be_ignored(void**) {
    Asked asked;
    asked.request.had_authorization = true;
    asked.policy.ignore = ignore_authorization;
    assert_int_equal(fresh(hour, asked), 3600);
}

static void a_cookie_is_set_for_others_only_with_a_named_lifetime_7_3(void**) {
    const FieldList guessed{{"Last-Modified", an_hour_ago},
                            {"Date", date_now},
                            {"Set-Cookie", "a=b"}};
    assert_true(refused(judged(guessed), Reason::set_cookie));
    Asked asked;
    asked.policy.ignore = ignore_set_cookie;
    assert_int_equal(fresh(guessed, asked), 360);
    assert_int_equal(
        fresh({{"Cache-Control", "max-age=60"}, {"Set-Cookie", "a=b"}}), 60);
}

static void an_answer_to_a_cookie_is_kept_only_with_a_named_lifetime(void**) {
    Asked asked;
    asked.request.had_cookie = true;
    const FieldList guessed{{"Last-Modified", an_hour_ago}};
    assert_true(refused(judged(guessed, asked), Reason::cookie));
    assert_int_equal(fresh(hour, asked), 3600);
    asked.policy.ignore = ignore_cookie;
    assert_int_equal(fresh(guessed, asked), 360);
}

static void what_varies_on_everything_is_not_stored_4_1(void**) {
    assert_true(refused(
        judged({{"Cache-Control", "max-age=60"}, {"Vary", "accept, *"}}),
        Reason::vary));
}

static void streams_trailers_and_accel_results_stay_out(void**) {
    assert_true(refused(judged({{"Cache-Control", "max-age=60"},
                                {"Content-Type", "text/event-stream"}}),
                        Reason::event_stream));
    Asked trailers;
    trailers.has_trailers = true;
    assert_true(refused(judged(hour, trailers), Reason::trailers));
    Asked accel;
    accel.by_accel_redirect = true;
    assert_true(refused(judged(hour, accel), Reason::accel_redirect));
    assert_int_equal(fresh({{"Cache-Control", "public, max-age=60"}}, accel),
                     60);
    assert_int_equal(fresh({{"Cache-Control", "s-maxage=60"}}, accel), 60);
    assert_int_equal(fresh({{"X-Accel-Expires", "60"}}, accel), 60);
}

static void without_a_word_a_status_must_be_heuristically_cacheable_3(void**) {
    const FieldList modified{{"Last-Modified", an_hour_ago}};
    for (unsigned status : {201U, 202U, 302U, 303U, 307U, 400U, 403U, 500U,
                            502U, 503U, 504U, 599U}) {
        assert_true(refused(of_status(status, modified), Reason::status));
    }
}

static void the_policy_asks_no_configured_lifetime(void**) {
    Asked asked;  // only a renewal fills it in
    assert_true(refused(judged({}, asked), Reason::no_lifetime));
}

// ---- 4.2: freshness

static void these_statuses_are_heuristically_cacheable_9110_15_1(void**) {
    const FieldList modified{{"Last-Modified", an_hour_ago},
                             {"Date", date_now}};
    for (unsigned status :
         {200U, 203U, 204U, 300U, 301U, 308U, 404U, 405U, 410U, 414U, 501U}) {
        const Storability verdict = of_status(status, modified);
        assert_true(verdict.may_store());
        assert_int_equal(verdict.windows.fresh_for, 360 * second);
        assert_false(verdict.lifetime_named);
    }
    assert_true(rfc9111::is_heuristically_cacheable(206));
}

static void public_makes_any_status_so_4_2_2(void**) {
    const FieldList marked{{"Last-Modified", an_hour_ago},
                           {"Cache-Control", "public"}};
    assert_int_equal(of_status(599, marked).windows.fresh_for, 360 * second);
    assert_true(of_status(599, marked).may_store());
}

static void a_guess_is_a_tenth_and_a_day_at_most_4_2_2(void**) {
    assert_int_equal(fresh({{"Last-Modified", an_hour_ago}}), 360);
    assert_int_equal(
        fresh({{"Last-Modified", an_hour_ago}, {"Date", a_minute_ago}}),
        354 - 60);
    assert_int_equal(fresh({{"Last-Modified", a_year_ago}}), 24 * 3600);
    assert_int_equal(fresh({{"Last-Modified", in_a_minute}}), 0);
    assert_int_equal(fresh({{"ETag", "\"a\""}}), 0);
}

static void nobody_guesses_beside_a_named_lifetime_4_2_2(void**) {
    for (std::string_view expires :
         {std::string_view("0"), a_minute_ago, date_now}) {
        assert_int_equal(
            fresh({{"Last-Modified", an_hour_ago}, {"Expires", expires}}), 0);
    }
    assert_int_equal(
        fresh({{"Last-Modified", an_hour_ago}, {"Cache-Control", "max-age=5"}}),
        5);
}

static void s_maxage_before_max_age_before_expires_4_2_1(void**) {
    assert_int_equal(fresh({{"Expires", in_a_minute},
                            {"Cache-Control", "max-age=20, s-maxage=30"}}),
                     30);
    assert_int_equal(
        fresh({{"Expires", in_a_minute}, {"Cache-Control", "max-age=20"}}), 20);
    assert_int_equal(fresh({{"Expires", in_a_minute}, {"Date", date_now}}), 60);
}

static void a_targeted_field_before_both_9213_2_2(void**) {
    const FieldList all{{"Cache-Control", "no-store"},
                        {"Expires", a_minute_ago},
                        {"CDN-Cache-Control", "max-age=40"}};
    assert_int_equal(fresh(all), 40);
    assert_true(refused(judged({{"Cache-Control", "max-age=60"},
                                {"CDN-Cache-Control", "private"}}),
                        Reason::is_private));
    assert_int_equal(fresh({{"Cache-Control", "max-age=60"},
                            {"CDN-Cache-Control", "max-age=\"40\""}}),
                     60);
}

static void x_accel_expires_speaks_to_this_cache_before_all(void**) {
    assert_int_equal(fresh({{"Cache-Control", "no-cache, max-age=5"},
                            {"X-Accel-Expires", "70"}}),
                     70);
    assert_true(refused(judged({{"Cache-Control", "max-age=60"},
                                {"ETag", "\"a\""},
                                {"X-Accel-Expires", "0"}}),
                        Reason::zero_lifetime));
}

static void named_lifetimes_are_bounded(void**) {
    Asked asked;
    asked.policy.max_lifetime = 10 * second;
    assert_int_equal(fresh(hour, asked), 10);
    assert_int_equal(fresh({{"Last-Modified", an_hour_ago}}, asked), 10);
    asked.policy.max_lifetime.reset();
    asked.policy.min_lifetime = 7200 * second;
    assert_int_equal(fresh(hour, asked), 7200);
}

// ---- 4.2.3: age

static void the_age_is_what_it_came_with_4_2_3(void**) {
    assert_int_equal(age({{"Age", "30"}, {"Date", date_now}}), 30);
    assert_int_equal(age({{"Age", "2147483649"}}), max_seconds);
    assert_int_equal(age({{"Age", "abc"}}), 0);
    assert_int_equal(age({}), 0);
}

static void a_date_in_the_past_is_an_age_4_2_3(void**) {
    assert_int_equal(age({{"Date", a_minute_ago}}), 60);
    assert_int_equal(age({{"Date", a_minute_ago}, {"Age", "30"}}), 60);
    assert_int_equal(age({{"Date", a_minute_ago}, {"Age", "90"}}), 90);
}

static void a_date_in_the_future_is_none_4_2_3(void**) {
    assert_int_equal(age({{"Date", in_a_minute}}), 0);
}

static void two_clocks_of_whole_seconds_differ_by_one(void**) {
    assert_int_equal(age({{"Date", a_second_ago}}), 0);
}

static void the_time_it_took_counts_with_the_received_age_4_2_3(void**) {
    assert_int_equal(age({{"Age", "30"}}, 4999), 34);
    assert_int_equal(age({{"Age", "30"}, {"Date", a_minute_ago}}, 5000), 60);
    assert_int_equal(age({}, -5000), 0);
}

static void freshness_is_what_age_leaves_of_it_4_2(void**) {
    const Storability verdict =
        judged({{"Cache-Control", "max-age=100"}, {"Date", a_minute_ago}});
    assert_int_equal(verdict.windows.fresh_for, 40 * second);
    assert_int_equal(verdict.windows.initial_age, 60);
    assert_int_equal(
        fresh({{"Cache-Control", "max-age=50"}, {"Date", a_minute_ago}}), 0);
}

// ---- 4.2.4: stale

static void the_origin_forbids_stale_use_by_these_4_2_4(void**) {
    for (std::string_view word :
         {"no-cache", "must-revalidate", "proxy-revalidate", "s-maxage=60"}) {
        const std::string control =
            "max-age=60, stale-while-revalidate=9, " + std::string(word);
        const Storability verdict =
            judged({{"Cache-Control", control}, {"ETag", "\"a\""}});
        assert_true(verdict.may_store());
        assert_true(verdict.windows.stale_forbidden);
        assert_int_equal(verdict.windows.stale_for, 0);
        assert_int_equal(verdict.windows.error_for, 0);
    }
}

static void nothing_is_stale_in_the_background_unless_said_4_2_4(void**) {
    assert_int_equal(judged(hour).windows.stale_for, 0);
    assert_false(judged(hour).windows.stale_forbidden);
}

static void stale_while_revalidate_is_a_window_5861_3(void**) {
    const FieldList swr{
        {"Cache-Control", "max-age=60, stale-while-revalidate=30"}};
    assert_int_equal(judged(swr).windows.stale_for, 30 * second);
}

static void stale_if_error_is_a_window_of_its_own_5861_4(void**) {
    const FieldList both{{"Cache-Control",
                          "max-age=60, stale-while-revalidate=30, "
                          "stale-if-error=90"}};
    assert_int_equal(judged(both).windows.stale_for, 30 * second);
    assert_int_equal(judged(both).windows.error_for, 90 * second);
}

static void the_origin_away_is_a_reason_to_be_stale_4_2_4(void**) {
    Asked asked;
    asked.policy.stale_if_error = 50 * second;
    assert_int_equal(judged(hour, asked).windows.error_for, 50 * second);
    asked.policy.stale_if_error = 0;
    assert_int_equal(judged(hour, asked).windows.error_for, 0);
}

static void no_cache_is_stored_to_be_validated_5_2_2_4(void**) {
    const FieldList tagged{{"Cache-Control", "max-age=60, no-cache"},
                           {"ETag", "\"a\""}};
    assert_int_equal(fresh(tagged), 0);
    assert_true(judged(tagged).windows.stale_forbidden);
    assert_true(refused(judged({{"Cache-Control", "max-age=60, no-cache"}}),
                        Reason::zero_lifetime));
}

static void no_cache_with_field_names_may_be_used_5_2_2_4(void**) {
    const FieldList named{
        {"Cache-Control", "max-age=60, no-cache=\"set-cookie\""}};
    assert_int_equal(fresh(named), 60);
    assert_false(judged(named).windows.stale_forbidden);
}

static void immutable_is_kept_in_mind_8246(void**) {
    assert_true(
        judged({{"Cache-Control", "max-age=60, immutable"}}).windows.immutable);
    assert_false(judged(hour).windows.immutable);
}

// ---- what is of no use

static void what_is_never_fresh_needs_a_validator(void**) {
    assert_true(refused(judged({{"Cache-Control", "max-age=0"}}),
                        Reason::zero_lifetime));
    assert_true(refused(judged({{"Expires", "0"}}), Reason::zero_lifetime));
    assert_true(
        refused(judged({{"Cache-Control", "public"}}), Reason::no_lifetime));
    assert_int_equal(fresh({{"Cache-Control", "max-age=0"}, {"ETag", "\"a\""}}),
                     0);
    assert_int_equal(
        fresh({{"Cache-Control", "max-age=0"}, {"Last-Modified", an_hour_ago}}),
        0);
}

static void or_a_window_of_its_own(void**) {
    assert_int_equal(
        fresh({{"Cache-Control", "max-age=0, stale-while-revalidate=9"}}), 0);
    assert_int_equal(fresh({{"Cache-Control", "max-age=0, stale-if-error=9"}}),
                     0);
    assert_true(refused(judged({{"Cache-Control",
                                 "max-age=0, must-revalidate, "
                                 "stale-while-revalidate=9"}}),
                        Reason::zero_lifetime));
}

static void what_came_old_is_kept_for_who_takes_it_stale_5_2_1_2(void**) {
    assert_int_equal(
        fresh({{"Cache-Control", "max-age=1500"}, {"Age", "2000"}}), 0);
}

static void an_entry_is_kept_to_be_validated_until_its_ttl_4_3(void**) {
    const Storability verdict = judged(hour);
    assert_int_equal(kept_for(verdict.windows), verdict.windows.ttl);
    assert_true(verdict.windows.policy == PolicyName::rfc9111);
}

static void the_traits_of_the_policies(void**) {
    constexpr PolicyTraits ours = traits_of(PolicyName::cacheback);
    constexpr PolicyTraits rfc = traits_of(PolicyName::rfc9111);
    assert_true(ours.uses_lifetimes && !ours.serves_authorized &&
                !ours.heeds_requests && !ours.updates_by_head);
    assert_true(!rfc.uses_lifetimes && rfc.serves_authorized &&
                rfc.heeds_requests && rfc.updates_by_head);
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(every_final_status_is_stored_with_a_named_lifetime_3),
        cmocka_unit_test(what_is_no_final_status_is_not_stored_3),
        cmocka_unit_test(a_206_is_not_stored_3_3),
        cmocka_unit_test(no_store_is_not_stored_5_2_2_5),
        cmocka_unit_test(must_understand_sets_no_store_aside_5_2_2_3),
        cmocka_unit_test(must_understand_alone_wants_a_known_status_3),
        cmocka_unit_test(statuses_of_rfc_9110_are_understood),
        cmocka_unit_test(private_is_not_stored_5_2_2_7),
        cmocka_unit_test(
            private_with_field_names_is_stored_without_them_5_2_2_7),
        cmocka_unit_test(an_answer_to_authorization_is_not_shared_3_5),
        cmocka_unit_test(unless_the_origin_says_so_3_5),
        cmocka_unit_test(authorization_may_be_ignored),
        cmocka_unit_test(
            a_cookie_is_set_for_others_only_with_a_named_lifetime_7_3),
        cmocka_unit_test(
            an_answer_to_a_cookie_is_kept_only_with_a_named_lifetime),
        cmocka_unit_test(what_varies_on_everything_is_not_stored_4_1),
        cmocka_unit_test(streams_trailers_and_accel_results_stay_out),
        cmocka_unit_test(
            without_a_word_a_status_must_be_heuristically_cacheable_3),
        cmocka_unit_test(the_policy_asks_no_configured_lifetime),
        cmocka_unit_test(these_statuses_are_heuristically_cacheable_9110_15_1),
        cmocka_unit_test(public_makes_any_status_so_4_2_2),
        cmocka_unit_test(a_guess_is_a_tenth_and_a_day_at_most_4_2_2),
        cmocka_unit_test(nobody_guesses_beside_a_named_lifetime_4_2_2),
        cmocka_unit_test(s_maxage_before_max_age_before_expires_4_2_1),
        cmocka_unit_test(a_targeted_field_before_both_9213_2_2),
        cmocka_unit_test(x_accel_expires_speaks_to_this_cache_before_all),
        cmocka_unit_test(named_lifetimes_are_bounded),
        cmocka_unit_test(the_age_is_what_it_came_with_4_2_3),
        cmocka_unit_test(a_date_in_the_past_is_an_age_4_2_3),
        cmocka_unit_test(a_date_in_the_future_is_none_4_2_3),
        cmocka_unit_test(two_clocks_of_whole_seconds_differ_by_one),
        cmocka_unit_test(the_time_it_took_counts_with_the_received_age_4_2_3),
        cmocka_unit_test(freshness_is_what_age_leaves_of_it_4_2),
        cmocka_unit_test(the_origin_forbids_stale_use_by_these_4_2_4),
        cmocka_unit_test(nothing_is_stale_in_the_background_unless_said_4_2_4),
        cmocka_unit_test(stale_while_revalidate_is_a_window_5861_3),
        cmocka_unit_test(stale_if_error_is_a_window_of_its_own_5861_4),
        cmocka_unit_test(the_origin_away_is_a_reason_to_be_stale_4_2_4),
        cmocka_unit_test(no_cache_is_stored_to_be_validated_5_2_2_4),
        cmocka_unit_test(no_cache_with_field_names_may_be_used_5_2_2_4),
        cmocka_unit_test(immutable_is_kept_in_mind_8246),
        cmocka_unit_test(what_is_never_fresh_needs_a_validator),
        cmocka_unit_test(or_a_window_of_its_own),
        cmocka_unit_test(what_came_old_is_kept_for_who_takes_it_stale_5_2_1_2),
        cmocka_unit_test(an_entry_is_kept_to_be_validated_until_its_ttl_4_3),
        cmocka_unit_test(the_traits_of_the_policies),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
