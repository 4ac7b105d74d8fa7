// request_directives_test.cpp: what a request asks of caches. The numbers in
// the names are sections of RFC 9111.
#include "core/request_directives.hpp"

#include "unit.hpp"

using namespace cacheback::core;

static RequestDirectives asked(std::string_view cache_control) {
    return read_request_directives(FieldList{{"Cache-Control", cache_control}});
}

static void a_request_without_directives_asks_for_nothing(void**) {
    assert_false(read_request_directives(FieldList{}).any);
    assert_false(asked("").any);
    assert_false(
        asked("nothing-to-see-here, no-transform, x=\"no-store\"").any);
    assert_false(nothing_asked.any);
}

static void every_directive_is_read_in_any_case_5_2_1(void**) {
    const RequestDirectives all = asked(
        "No-Cache, NO-STORE, Only-If-Cached, Max-Age=1, max-stale=2, "
        "min-fresh=3, stale-if-error=4");
    assert_true(all.any && all.no_cache && all.no_store && all.only_if_cached);
    assert_int_equal(all.max_age.value(), 1);
    assert_int_equal(all.max_stale.value(), 2);
    assert_int_equal(all.min_fresh.value(), 3);
    assert_int_equal(all.stale_if_error.value(), 4);
}

static void each_directive_alone_asks_for_something(void**) {
    for (std::string_view each :
         {"no-cache", "no-store", "only-if-cached", "max-age=0", "max-stale",
          "min-fresh=0", "stale-if-error=0"}) {
        assert_true(asked(each).any);
    }
}

static void max_stale_without_a_number_takes_any_age_5_2_1_2(void**) {
    assert_int_equal(asked("max-stale").max_stale.value(), max_seconds);
    assert_int_equal(asked("max-stale, max-stale=5").max_stale.value(), 5);
    assert_int_equal(asked("max-stale=5, max-stale").max_stale.value(), 5);
}

static void of_a_repeated_directive_the_strictest_counts_4_2_1(void**) {
    const RequestDirectives both = asked(
        "max-age=5, max-age=3, min-fresh=5, min-fresh=8, max-stale=9, "
        "max-stale=2");
    assert_int_equal(both.max_age.value(), 3);
    assert_int_equal(both.min_fresh.value(), 8);
    assert_int_equal(both.max_stale.value(), 2);
}

static void what_cannot_be_read_counts_as_the_strictest(void**) {
    for (std::string_view junk :
         {"=abc", "=-1", "=1.5", "", "=", " =5", "= 5"}) {
        const std::string line =
            "max-age" + std::string(junk) + ", min-fresh" + std::string(junk);
        assert_int_equal(asked(line).max_age.value(), 0);
        assert_int_equal(asked(line).min_fresh.value(), max_seconds);
    }
    assert_int_equal(asked("max-stale=x").max_stale.value(), 0);
    assert_int_equal(asked("stale-if-error").stale_if_error.value(), 0);
}

static void numbers_may_be_quoted_and_overflow_to_2_31_1_2_2(void**) {
    assert_int_equal(asked("max-age=\"7\"").max_age.value(), 7);
    assert_int_equal(asked("max-age=99999999999999999999").max_age.value(),
                     max_seconds);
}

static void several_lines_are_one_list(void**) {
    const RequestDirectives both = read_request_directives(FieldList{
        {"Cache-Control", "extension"}, {"cache-control", "no-cache"}});
    assert_true(both.no_cache);
}

static void pragma_is_heard_where_there_is_no_cache_control_5_4(void**) {
    assert_true(
        read_request_directives(FieldList{{"Pragma", "x, No-Cache"}}).no_cache);
    assert_false(
        read_request_directives(FieldList{{"Pragma", "no-cached"}}).any);
    assert_false(read_request_directives(
                     FieldList{{"Pragma", "no-cache"}, {"Cache-Control", "x"}})
                     .any);
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_request_without_directives_asks_for_nothing),
        cmocka_unit_test(every_directive_is_read_in_any_case_5_2_1),
        cmocka_unit_test(each_directive_alone_asks_for_something),
        cmocka_unit_test(max_stale_without_a_number_takes_any_age_5_2_1_2),
        cmocka_unit_test(of_a_repeated_directive_the_strictest_counts_4_2_1),
        cmocka_unit_test(what_cannot_be_read_counts_as_the_strictest),
        cmocka_unit_test(numbers_may_be_quoted_and_overflow_to_2_31_1_2_2),
        cmocka_unit_test(several_lines_are_one_list),
        cmocka_unit_test(pragma_is_heard_where_there_is_no_cache_control_5_4),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
