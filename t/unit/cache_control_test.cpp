// cache_control_test.cpp: directives as they are sent, mistakes included.
#include "core/cache_control.hpp"

#include "unit.hpp"

using namespace cacheback::core;

static CacheControl of(std::initializer_list<std::string_view> lines) {
    CacheControl control;
    for (std::string_view line : lines) { control.read(line); }
    return control;
}

static CacheControl of(std::string_view line) { return of({line}); }

static void every_directive_is_read_without_regard_to_case(void**) {
    const CacheControl all =
        of("No-Store, NO-CACHE, private, public, must-revalidate, "
           "proxy-revalidate, must-understand, no-transform, immutable, "
           "Max-Age=1, s-maxage=2, stale-while-revalidate=3, "
           "stale-if-error=4");
    assert_true(all.no_store && all.no_cache && all.is_private &&
                all.is_public && all.must_revalidate && all.proxy_revalidate &&
                all.must_understand && all.no_transform && all.immutable);
    assert_int_equal(all.max_age.value(), 1);
    assert_int_equal(all.s_maxage.value(), 2);
    assert_int_equal(all.stale_while_revalidate.value(), 3);
    assert_int_equal(all.stale_if_error.value(), 4);
}

static void unknown_directives_say_nothing(void**) {
    const CacheControl none =
        of("max-agee=1, xmax-age=2, no-storee, community=\"UCI\", =5, =");
    assert_false(none.max_age.has_value());
    assert_false(none.no_store);
}

static void several_lines_are_one_list(void**) {
    const CacheControl both = of({"max-age=60", "private"});
    assert_int_equal(both.max_age.value(), 60);
    assert_true(both.is_private);
}

static void a_quoted_number_is_a_number(void**) {
    assert_int_equal(of("max-age=\"60\"").max_age.value(), 60);
}

static void a_directive_within_a_quoted_string_is_none(void**) {
    const CacheControl control = of("ext=\"max-age=100, no-store\", max-age=1");
    assert_int_equal(control.max_age.value(), 1);
    assert_false(control.no_store);
}

static void a_malformed_number_counts_as_zero(void**) {
    for (const char* bad :
         {"max-age", "max-age=", "max-age=-1", "max-age=+1", "max-age=1.5",
          "max-age=1s", "max-age='60'", "max-age=\"60", "max-age =60",
          "max-age= 60", "max-age=\"\"", "max-age=60;x"}) {
        assert_int_equal(of(bad).max_age.value_or(-1), 0);
    }
}

static void an_overflowing_number_becomes_two_to_the_31(void**) {
    assert_int_equal(of("max-age=99999999999999999999999").max_age.value(),
                     max_seconds);
}

static void of_repeated_numbers_the_smallest_counts(void**) {
    assert_int_equal(of("max-age=60, max-age=10").max_age.value(), 10);
    assert_int_equal(of("max-age=10, max-age=60").max_age.value(), 10);
    assert_int_equal(of({"max-age=60", "max-age=x"}).max_age.value(), 0);
}

static void no_cache_and_private_may_name_fields(void**) {
    const CacheControl named =
        of("no-cache=\"Set-Cookie, X-A\", private=\"X-B\"");
    assert_true(named.no_cache_fields && named.private_fields);
    assert_false(named.no_cache || named.is_private);
    assert_true(of("private=X-B").private_fields);
}

static void an_empty_list_of_fields_means_the_whole_response(void**) {
    const CacheControl whole = of("no-cache=\"\", private=");
    assert_true(whole.no_cache && whole.is_private);
    assert_false(whole.no_cache_fields || whole.private_fields);
}

static void what_is_no_list_of_names_means_the_whole_response_4_2_1(void**) {
    for (const char* list : {"\"", "\"x-a", "\"x a\"", "\"x-a, b c\"",
                             "\"x-a: 1\"", "(x-a)", "\",\""}) {
        const CacheControl no_cache = of(std::string("no-cache=") + list);
        assert_true(no_cache.no_cache && !no_cache.no_cache_fields);
        const CacheControl is_private = of(std::string("private=") + list);
        assert_true(is_private.is_private && !is_private.private_fields);
    }
    assert_true(of("no-cache=\" , X-A,\tX-B ,\"").no_cache_fields);
}

static void an_unqualified_form_beside_a_qualified_one_still_counts(void**) {
    const CacheControl both = of("no-cache=\"x\", no-cache");
    assert_true(both.no_cache && both.no_cache_fields);
}

static void a_strange_argument_keeps_prohibitions_and_voids_permits(void**) {
    const CacheControl control =
        of("no-store=x, must-revalidate=1, public=x, immutable=x");
    assert_true(control.no_store && control.must_revalidate);
    assert_false(control.is_public || control.immutable);
}

static void the_fields_that_are_named_out_are_found(void**) {
    assert_true(names_field("no-cache=\"Set-Cookie, X-A\"", "x-a"));
    assert_true(names_field("max-age=1, private=\"X-B\"", "X-B"));
    assert_true(names_field("private=x-b", "X-B"));
    assert_false(names_field("no-cache, private=\"X-B\"", "X-A"));
    assert_false(names_field("ext=\"X-A\"", "X-A"));
    assert_false(names_field("", "X-A"));
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(every_directive_is_read_without_regard_to_case),
        cmocka_unit_test(unknown_directives_say_nothing),
        cmocka_unit_test(several_lines_are_one_list),
        cmocka_unit_test(a_quoted_number_is_a_number),
        cmocka_unit_test(a_directive_within_a_quoted_string_is_none),
        cmocka_unit_test(a_malformed_number_counts_as_zero),
        cmocka_unit_test(an_overflowing_number_becomes_two_to_the_31),
        cmocka_unit_test(of_repeated_numbers_the_smallest_counts),
        cmocka_unit_test(no_cache_and_private_may_name_fields),
        cmocka_unit_test(an_empty_list_of_fields_means_the_whole_response),
        cmocka_unit_test(
            what_is_no_list_of_names_means_the_whole_response_4_2_1),
        cmocka_unit_test(
            an_unqualified_form_beside_a_qualified_one_still_counts),
        cmocka_unit_test(
            a_strange_argument_keeps_prohibitions_and_voids_permits),
        cmocka_unit_test(the_fields_that_are_named_out_are_found),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
