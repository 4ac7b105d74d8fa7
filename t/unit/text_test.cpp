// text_test.cpp: the small rules of HTTP text.
#include "core/text.hpp"

#include "unit.hpp"

using namespace cacheback::core;

static std::string joined(std::string_view list) {
    ListMembers members(list);
    std::string_view member;
    std::string all;
    while (members.next(member)) { all += "[" + std::string(member) + "]"; }
    return all;
}

static void names_compare_without_case(void**) {
    assert_true(iequal("Cache-Control", "cACHE-cONTROL"));
    assert_false(iequal("Vary", "Var"));
    assert_false(iequal("Vary", "Varz"));
    assert_false(iequal("@", "`"));  // differ in the bit that makes the case
    assert_true(istarts_with("X-Accel-Expires", "x-accel-"));
    assert_false(istarts_with("X-Acc", "x-accel-"));
}

static void a_dash_and_an_underscore_are_the_same_to_cgi(void**) {
    assert_true(same_to_cgi("X_Forwarded-Host", "x-forwarded_host"));
    assert_false(same_to_cgi("X-Forwarded-Host", "X-Forwarded-Hos"));
    assert_false(same_to_cgi("X-Forwarded-Host", "X.Forwarded-Host"));
}

static void every_pair_of_bytes_compares_the_same_at_every_place(void**) {
    for (int a = 0; a < 256; ++a) {
        for (int b = 0; b < 256; ++b) {
            std::string left(10, 'x');
            std::string right(10, 'X');
            const auto at = static_cast<std::size_t>(a + b) % left.size();
            left[at] = static_cast<char>(a);
            right[at] = static_cast<char>(b);
            const bool same = lower(left[at]) == lower(right[at]);
            assert_int_equal(iequal(left, right), same);
        }
    }
}

static void trim_takes_spaces_and_tabs_off_both_ends(void**) {
    assert_text(trim(" \t a b\t "), "a b");
    assert_text(trim(" \t "), "");
    assert_text(trim(""), "");
    assert_text(trim("\ra"), "\ra");
}

static void a_token_has_no_separator_space_or_control(void**) {
    assert_true(is_token("X-Foo!#$%&'*+.^_`|~09"));
    for (const char* bad : {"", "a b", "a:b", "a\r", "a\"", "(a)", "\xe4"}) {
        assert_false(is_token(bad));
    }
    assert_false(is_token(std::string_view("a\0", 2)));
}

static void seconds_are_digits_alone(void**) {
    assert_int_equal(parse_seconds("0").value(), 0);
    assert_int_equal(parse_seconds("0060").value(), 60);
    for (const char* bad : {"", "-1", "+1", "1.5", "1s", " 1", "1 ", "0x1"}) {
        assert_false(parse_seconds(bad).has_value());
    }
}

static void too_many_seconds_become_two_to_the_31(void**) {
    assert_int_equal(parse_seconds("2147483647").value(), 2147483647);
    assert_int_equal(parse_seconds("2147483649").value(), max_seconds);
    assert_int_equal(parse_seconds(std::string(400, '9')).value(), max_seconds);
}

static void a_list_gives_its_trimmed_members_without_empty_ones(void**) {
    assert_text(joined("a, b ,\tc"), "[a][b][c]");
    assert_text(joined(", ,a,,"), "[a]");
    assert_text(joined(""), "");
}

static void a_comma_in_a_quoted_string_separates_nothing(void**) {
    assert_text(joined("a=\"x, y\", b"), "[a=\"x, y\"][b]");
    assert_text(joined("a=\"x\\\", y\", b"), "[a=\"x\\\", y\"][b]");
}

static void a_quote_that_never_closes_hides_nothing(void**) {
    assert_text(joined("a=\"x, no-store"), "[a=\"x][no-store]");
    assert_text(joined("a=\"\\\", b"), "[a=\"\\\"][b]");
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(names_compare_without_case),
        cmocka_unit_test(a_dash_and_an_underscore_are_the_same_to_cgi),
        cmocka_unit_test(every_pair_of_bytes_compares_the_same_at_every_place),
        cmocka_unit_test(trim_takes_spaces_and_tabs_off_both_ends),
        cmocka_unit_test(a_token_has_no_separator_space_or_control),
        cmocka_unit_test(seconds_are_digits_alone),
        cmocka_unit_test(too_many_seconds_become_two_to_the_31),
        cmocka_unit_test(a_list_gives_its_trimmed_members_without_empty_ones),
        cmocka_unit_test(a_comma_in_a_quoted_string_separates_nothing),
        cmocka_unit_test(a_quote_that_never_closes_hides_nothing),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
