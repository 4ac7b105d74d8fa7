// http_date_test.cpp: the three forms of HTTP dates, and what is none.
#include <cstdio>

#include "core/http_date.hpp"

#include "unit.hpp"

using namespace cacheback::core;

namespace {

constexpr Seconds example = 784111777;  // the date of RFC 9110 5.6.7
constexpr Seconds in_2026 = 1790000000;

Seconds parsed(std::string_view text, Seconds now = in_2026) {
    const auto time = parse_http_date(text, now);
    if (!time) { fail_msg("not a date: %s", std::string(text).c_str()); }
    return *time;
}

}  // namespace

static void all_three_forms_name_the_same_moment(void**) {
    assert_int_equal(parsed("Sun, 06 Nov 1994 08:49:37 GMT"), example);
    assert_int_equal(parsed("Sunday, 06-Nov-94 08:49:37 GMT"), example);
    assert_int_equal(parsed("Sun Nov  6 08:49:37 1994"), example);
}

static void case_and_space_around_do_not_matter(void**) {
    assert_int_equal(parsed(" sun, 06 nOV 1994 08:49:37 gmt\t"), example);
}

static void every_day_from_1600_to_2400_is_one_after_the_day_before(void**) {
    constexpr int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const char* names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    Seconds expected = parsed("Sat, 01 Jan 1600 00:00:00 GMT");
    for (int year = 1600; year <= 2400; ++year) {
        const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 0; month < 12; ++month) {
            const int days = lengths[month] + (month == 1 && leap ? 1 : 0);
            for (int day = 1; day <= days; ++day, expected += 86400) {
                char text[40];
                std::snprintf(text, sizeof(text),
                              "Mon, %02d %s %04d 00:00:00 GMT", day,
                              names[month], year);
                assert_int_equal(parsed(text), expected);
            }
            char beyond[40];
            std::snprintf(beyond, sizeof(beyond),
                          "Mon, %02d %s %04d 00:00:00 GMT", days + 1,
                          names[month], year);
            assert_false(parse_http_date(beyond, in_2026).has_value());
        }
    }
}

static void the_epoch_is_zero_and_the_first_year_is_far_before(void**) {
    assert_int_equal(parsed("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
    assert_int_equal(parsed("Sat, 01 Jan 0000 00:00:00 GMT"), -62167219200);
    assert_int_equal(parsed("Fri, 31 Dec 9999 23:59:59 GMT"), 253402300799);
}

static void another_zone_is_no_date(void**) {
    for (const char* bad :
         {"Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 AEST",
          "Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 06 Nov 1994 08:49:37",
          "Sunday, 06-Nov-94 08:49:37 PST"}) {
        assert_false(parse_http_date(bad, in_2026).has_value());
    }
}

static void what_is_not_exactly_one_of_the_forms_is_no_date(void**) {
    for (const char* bad : {"",
                            "0",
                            "-1",
                            "784111777",
                            "now",
                            "Sun, 6 Nov 1994 08:49:37 GMT",
                            "Sun, 06 Nov 94 08:49:37 GMT",
                            "Sun, 06-Nov-1994 08:49:37 GMT",
                            "Sun 06 Nov 1994 08:49:37 GMT",
                            "Sun,  06 Nov 1994 08:49:37 GMT",
                            "Sun, 06 Nov 1994 8:49:37 GMT",
                            "Sun, 06 Nov 1994 08.49.37 GMT",
                            "Sun, 06 Nov 1994 24:00:00 GMT",
                            "Sun, 06 Nov 1994 08:60:00 GMT",
                            "Sun, 06 Nov 1994 08:49:61 GMT",
                            "Sun, 00 Nov 1994 08:49:37 GMT",
                            "Sun, 06 Nov 1994 08:49:37 GMT x",
                            "Xyz, 06 Nov 1994 08:49:37 GMT",
                            "Sun, 06 Nuv 1994 08:49:37 GMT",
                            "Sun, 29 Feb 1900 08:49:37 GMT",
                            "Sun Nov 6 08:49:37 1994",
                            "Sun Nov  6 08:49:37 94",
                            "Sun Nov  6 08:49:37 1994 GMT",
                            "Sun, -6 Nov 1994 08:49:37 GMT"}) {
        assert_false(parse_http_date(bad, in_2026).has_value());
    }
}

static void every_shortened_date_is_no_date(void**) {
    for (std::string_view whole :
         {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
          "Sun Nov  6 08:49:37 1994"}) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            assert_false(
                parse_http_date(whole.substr(0, size), in_2026).has_value());
        }
    }
}

static void a_leap_second_is_told_as_the_second_before(void**) {
    assert_int_equal(parsed("Sat, 31 Dec 2016 23:59:60 GMT"),
                     parsed("Sat, 31 Dec 2016 23:59:59 GMT"));
}

static void asctime_pads_its_day_or_has_two_digits(void**) {
    assert_int_equal(parsed("Wed Nov 16 08:49:37 1994"),
                     parsed("Wed, 16 Nov 1994 08:49:37 GMT"));
    assert_int_equal(parsed("Sun Nov 06 08:49:37 1994"), example);
}

static void a_two_digit_year_is_at_most_fifty_years_ahead(void**) {
    assert_int_equal(parsed("Monday, 01-Jan-75 00:00:00 GMT"),
                     parsed("Mon, 01 Jan 2075 00:00:00 GMT"));
    assert_int_equal(parsed("Monday, 01-Jan-77 00:00:00 GMT"),
                     parsed("Mon, 01 Jan 1977 00:00:00 GMT"));
    // Near the end of a century "05" lies ahead, not 94 years behind.
    const Seconds in_2099 = parsed("Mon, 01 Jun 2099 00:00:00 GMT");
    assert_int_equal(parsed("Monday, 01-Jan-05 00:00:00 GMT", in_2099),
                     parsed("Mon, 01 Jan 2105 00:00:00 GMT"));
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(all_three_forms_name_the_same_moment),
        cmocka_unit_test(case_and_space_around_do_not_matter),
        cmocka_unit_test(
            every_day_from_1600_to_2400_is_one_after_the_day_before),
        cmocka_unit_test(the_epoch_is_zero_and_the_first_year_is_far_before),
        cmocka_unit_test(another_zone_is_no_date),
        cmocka_unit_test(what_is_not_exactly_one_of_the_forms_is_no_date),
        cmocka_unit_test(every_shortened_date_is_no_date),
        cmocka_unit_test(a_leap_second_is_told_as_the_second_before),
        cmocka_unit_test(asctime_pads_its_day_or_has_two_digits),
        cmocka_unit_test(a_two_digit_year_is_at_most_fifty_years_ahead),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
