// freshness_test.cpp: what a response says of its lifetime, and its age.
#include "core/freshness.hpp"
#include "core/policy.hpp"

#include "unit.hpp"

using namespace cacheback::core;

namespace {

// Sun, 06 Nov 1994 08:49:37 GMT, and half a second.
constexpr Millis now = 784111777 * second + 500;
constexpr std::string_view date_now = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view a_minute_ago = "Sun, 06 Nov 1994 08:48:37 GMT";
constexpr std::string_view in_a_minute = "Sun, 06 Nov 1994 08:50:37 GMT";
constexpr std::string_view in_two_minutes = "Sun, 06 Nov 1994 08:51:37 GMT";

std::optional<NamedLifetime> named(const FieldList& fields,
                                   unsigned ignore = 0) {
    const CachingFields read = read_caching_fields(fields, ignore, now);
    return named_lifetime(read, received_age(read), now);
}

// Seconds left; -1 when no lifetime is named.
Seconds left(const FieldList& fields, unsigned ignore = 0) {
    const auto lifetime = named(fields, ignore);
    return lifetime ? lifetime->fresh_for / second : -1;
}

Seconds age(const FieldList& fields) {
    return received_age(read_caching_fields(fields, 0, now));
}

}  // namespace

static void nothing_named_is_no_lifetime(void**) {
    assert_int_equal(left({{"Cache-Control", "public"}, {"ETag", "x"}}), -1);
}

static void the_nearest_field_names_the_lifetime(void**) {
    FieldList all{{"Expires", in_a_minute},
                  {"Cache-Control", "max-age=20, s-maxage=30"},
                  {"CDN-Cache-Control", "max-age=40"},
                  {"X-Accel-Expires", "50"},
                  {"Date", date_now}};
    assert_int_equal(left(all), 50);
    unsigned ignore = ignore_x_accel_expires;
    assert_int_equal(left(all, ignore), 40);
    ignore |= ignore_cdn_cache_control;
    assert_int_equal(left(all, ignore), 30);
    ignore |= ignore_cache_control;
    assert_int_equal(left(all, ignore), 60);
    ignore |= ignore_expires;
    assert_int_equal(left(all, ignore), -1);
}

static void s_maxage_wins_over_max_age(void**) {
    assert_int_equal(left({{"Cache-Control", "max-age=20, s-maxage=0"}}), 0);
    assert_int_equal(left({{"Cache-Control", "max-age=20"}}), 20);
}

static void a_valid_targeted_field_silences_cache_control_and_expires(void**) {
    FieldList fields{{"CDN-Cache-Control", "public"},
                     {"Cache-Control", "max-age=20, no-store"},
                     {"Expires", in_a_minute}};
    assert_int_equal(left(fields), -1);
    const CachingFields read = read_caching_fields(fields, 0, now);
    assert_true(read.control.is_public);
    assert_false(read.control.no_store);
}

static void a_broken_targeted_field_leaves_cache_control_its_say(void**) {
    assert_int_equal(left({{"CDN-Cache-Control", "max-age=\"40\""},
                           {"Cache-Control", "max-age=20"}}),
                     20);
}

static void x_accel_expires_reads_as_in_nginx(void**) {
    assert_int_equal(left({{"X-Accel-Expires", " 60 "}}), 60);
    assert_int_equal(left({{"X-Accel-Expires", "@784111837"}}), 60);
    for (const char* nothing :
         {"off", "", "-1", "1m", "@", "@-5", "@1x", "@9999999999999"}) {
        assert_int_equal(left({{"X-Accel-Expires", nothing},
                               {"Cache-Control", "max-age=20"}}),
                         20);
    }
    assert_true(named({{"X-Accel-Expires", "0"}})->zero);
    assert_true(named({{"X-Accel-Expires", "@784111777"}})->zero);
    assert_true(named({{"X-Accel-Expires", "60"}})->by_accel);
    assert_true(named({{"X-Accel-Expires", "@784111837"}})->by_accel);
    assert_false(named({{"Cache-Control", "max-age=1"}})->by_accel);
}

static void of_two_x_accel_expires_the_first_counts(void**) {
    assert_int_equal(
        left({{"X-Accel-Expires", "5"}, {"X-Accel-Expires", "60"}}), 5);
    assert_int_equal(
        left({{"X-Accel-Expires", "@784111782"}, {"X-Accel-Expires", "60"}}),
        5);
}

static void received_age_is_subtracted(void**) {
    for (const char* control : {"max-age=60", "s-maxage=60"}) {
        assert_int_equal(left({{"Cache-Control", control}, {"Age", "25"}}), 35);
    }
    assert_int_equal(left({{"CDN-Cache-Control", "max-age=60"}, {"Age", "25"}}),
                     35);
    assert_int_equal(left({{"X-Accel-Expires", "60"}, {"Age", "25"}}), 35);
    assert_int_equal(left({{"Expires", in_a_minute}, {"Age", "25"}}), 35);
}

static void a_point_in_time_does_not_age(void**) {
    assert_int_equal(left({{"X-Accel-Expires", "@784111837"}, {"Age", "25"}}),
                     60);
}

static void an_age_beyond_the_lifetime_leaves_nothing_but_is_not_zero(void**) {
    const auto lifetime =
        named({{"Cache-Control", "max-age=60"}, {"Age", "90"}});
    assert_int_equal(lifetime->fresh_for, 0);
    assert_false(lifetime->zero);
}

static void the_clock_of_the_origin_makes_no_age(void**) {
    for (std::string_view date :
         {a_minute_ago, in_a_minute, std::string_view("nonsense")}) {
        assert_int_equal(age({{"Date", date}}), 0);
        assert_int_equal(age({{"Date", date}, {"Age", "10"}}), 10);
        assert_int_equal(
            left({{"Date", date}, {"Cache-Control", "max-age=100"}}), 100);
    }
}

static void the_first_age_counts_and_junk_is_none(void**) {
    assert_int_equal(age({{"Age", "7, 20"}}), 7);
    assert_int_equal(age({{"Age", "7"}, {"Age", "20"}}), 7);
    for (const char* junk : {"", "x", "-7", "+7", "7.5", "7a", "7;a=b"}) {
        assert_int_equal(age({{"Age", junk}}), 0);
    }
    assert_int_equal(age({{"Age", "junk"}, {"Age", "20"}}), 0);
    assert_int_equal(age({{"Age", "99999999999999999999"}}), max_seconds);
}

static void expires_counts_from_date_or_from_now(void**) {
    assert_int_equal(left({{"Expires", in_two_minutes}}), 120);
    // Their clock is a minute ahead of ours; only its distance matters.
    assert_int_equal(left({{"Expires", in_two_minutes}, {"Date", in_a_minute}}),
                     60);
    assert_int_equal(left({{"Expires", in_a_minute}, {"Date", a_minute_ago}}),
                     120);
}

static void an_expires_that_is_no_date_or_past_is_zero(void**) {
    for (std::string_view past : {std::string_view("0"), std::string_view("-1"),
                                  std::string_view(""), a_minute_ago}) {
        assert_true(named({{"Expires", past}})->zero);
    }
    assert_true(named({{"Expires", date_now}, {"Date", date_now}})->zero);
}

static void of_two_expires_the_earlier_counts(void**) {
    assert_int_equal(
        left({{"Expires", in_two_minutes}, {"Expires", in_a_minute}}), 60);
    assert_true(named({{"Expires", in_a_minute}, {"Expires", "0"}})->zero);
    assert_true(named({{"Expires", "0"}, {"Expires", in_a_minute}})->zero);
}

static void lifetimes_are_clamped_at_two_to_the_31_seconds(void**) {
    assert_int_equal(left({{"Cache-Control", "max-age=99999999999999999999"}}),
                     max_seconds);
    assert_int_equal(left({{"Expires", "Fri, 31 Dec 9999 23:59:59 GMT"}}),
                     max_seconds);
    assert_int_equal(left({{"X-Accel-Expires", "@999999999999"}}), max_seconds);
}

namespace {

NamedLifetime bounded(const FieldList& fields, Millis least,
                      std::optional<Millis> most = std::nullopt) {
    Policy policy;
    policy.min_lifetime = least;
    policy.max_lifetime = most;
    return within_bounds(*named(fields), policy);
}

}  // namespace

static void a_lifetime_within_the_bounds_stays(void**) {
    const FieldList hour{{"Cache-Control", "max-age=3600"}};
    assert_int_equal(bounded(hour, 0).fresh_for, 3600 * second);
    assert_int_equal(bounded(hour, second, 7200 * second).fresh_for,
                     3600 * second);
    assert_int_equal(bounded(hour, 3600 * second, 3600 * second).fresh_for,
                     3600 * second);
}

static void a_shorter_lifetime_is_lifted_and_a_longer_one_cut(void**) {
    const FieldList minute{{"Cache-Control", "max-age=60"}};
    assert_int_equal(bounded(minute, 90 * second).fresh_for, 90 * second);
    assert_int_equal(bounded(minute, 0, 30 * second).fresh_for, 30 * second);
}

static void where_bounds_cross_the_upper_one_holds(void**) {
    const FieldList minute{{"Cache-Control", "max-age=60"}};
    assert_int_equal(bounded(minute, 90 * second, 10 * second).fresh_for,
                     10 * second);
}

static void a_lifetime_of_zero_is_lifted_as_well(void**) {
    const FieldList zero{{"Cache-Control", "max-age=0"}};
    assert_true(bounded(zero, 0).zero);
    assert_false(bounded(zero, second).zero);
    assert_int_equal(bounded(zero, second).fresh_for, second);
    assert_true(bounded(zero, 0, 60 * second).zero);
}

static void bounds_hold_for_what_age_has_left(void**) {
    const FieldList old{{"Cache-Control", "max-age=7200"}, {"Age", "7190"}};
    assert_int_equal(bounded(old, 60 * second).fresh_for, 60 * second);
    assert_int_equal(bounded(old, 0, 60 * second).fresh_for, 10 * second);
}

static void bounds_do_not_lead_beyond_two_to_the_31_seconds(void**) {
    const FieldList minute{{"Cache-Control", "max-age=60"}};
    assert_int_equal(bounded(minute, 2 * max_seconds * second).fresh_for,
                     max_seconds * second);
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(nothing_named_is_no_lifetime),
        cmocka_unit_test(the_nearest_field_names_the_lifetime),
        cmocka_unit_test(s_maxage_wins_over_max_age),
        cmocka_unit_test(
            a_valid_targeted_field_silences_cache_control_and_expires),
        cmocka_unit_test(a_broken_targeted_field_leaves_cache_control_its_say),
        cmocka_unit_test(x_accel_expires_reads_as_in_nginx),
        cmocka_unit_test(of_two_x_accel_expires_the_first_counts),
        cmocka_unit_test(received_age_is_subtracted),
        cmocka_unit_test(a_point_in_time_does_not_age),
        cmocka_unit_test(
            an_age_beyond_the_lifetime_leaves_nothing_but_is_not_zero),
        cmocka_unit_test(the_clock_of_the_origin_makes_no_age),
        cmocka_unit_test(the_first_age_counts_and_junk_is_none),
        cmocka_unit_test(expires_counts_from_date_or_from_now),
        cmocka_unit_test(an_expires_that_is_no_date_or_past_is_zero),
        cmocka_unit_test(of_two_expires_the_earlier_counts),
        cmocka_unit_test(lifetimes_are_clamped_at_two_to_the_31_seconds),
        cmocka_unit_test(a_lifetime_within_the_bounds_stays),
        cmocka_unit_test(a_shorter_lifetime_is_lifted_and_a_longer_one_cut),
        cmocka_unit_test(where_bounds_cross_the_upper_one_holds),
        cmocka_unit_test(a_lifetime_of_zero_is_lifted_as_well),
        cmocka_unit_test(bounds_hold_for_what_age_has_left),
        cmocka_unit_test(bounds_do_not_lead_beyond_two_to_the_31_seconds),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
