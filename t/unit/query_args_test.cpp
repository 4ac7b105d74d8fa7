// query_args_test.cpp: arguments in their normal form.
#include "core/query_args.hpp"

#include "unit.hpp"

using namespace cacheback::core;

static std::string normal(
    std::string_view query,
    std::initializer_list<std::string_view> ignored = {}) {
    std::vector<ArgPattern> patterns;
    for (std::string_view each : ignored) {
        patterns.push_back(parse_arg_pattern(each));
    }
    return normal_args(query, {patterns.data(), patterns.size()});
}

static void arguments_are_sorted_by_name(void**) {
    assert_text(normal("b=2&a=1&c=3"), "a=1&b=2&c=3");
    assert_text(normal("a=1&b=2"), "a=1&b=2");
    assert_text(normal("a=1"), "a=1");
    assert_text(normal(""), "");
}

static void those_of_one_name_keep_their_order(void**) {
    assert_text(normal("b=9&a=2&b=1&a=1"), "a=2&a=1&b=9&b=1");
    // More than a sort by insertion would get right by chance.
    std::string query = "a=0";
    std::string expected = "a=99";
    for (int i = 99; i > 0; --i) {
        query += "&b=" + std::to_string(i) + "&a=" + std::to_string(i);
        if (i < 99) { expected += "&a=" + std::to_string(i); }
    }
    expected = "a=0&" + expected;
    for (int i = 99; i > 0; --i) { expected += "&b=" + std::to_string(i); }
    assert_text(normal(query), expected);
}

static void the_name_counts_not_what_follows_it(void**) {
    // '-' stands before '=' in ASCII: texts would sort the other way.
    assert_text(normal("a-b=1&a=2"), "a=2&a-b=1");
    assert_text(normal("a&a=&a=1"), "a&a=&a=1");
    assert_text(normal("=2&b=1&=1"), "=2&=1&b=1");
}

static void a_named_argument_is_left_out(void**) {
    assert_text(normal("a=1&fbclid=x&b=2", {"fbclid"}), "a=1&b=2");
    assert_text(normal("fbclid", {"fbclid"}), "");
    assert_text(normal("fbclid=1&fbclid=2", {"fbclid"}), "");
    assert_text(normal("fbclid2=1&fbcli=2", {"fbclid"}), "fbcli=2&fbclid2=1");
    assert_text(normal("a=fbclid", {"fbclid"}), "a=fbclid");
}

static void a_star_leaves_out_all_that_begin_so(void**) {
    assert_text(normal("utm_source=x&a=1&utm_=y&utm=z", {"utm_*"}),
                "a=1&utm=z");
    assert_text(normal("b=2&a=1", {"*"}), "");
}

static void several_patterns_work_together(void**) {
    assert_text(normal("gclid=1&utm_a=2&z=3&a=4", {"utm_*", "gclid"}),
                "a=4&z=3");
}

static void names_are_compared_as_they_came(void**) {
    assert_text(normal("%61=1&A=2", {"a"}), "%61=1&A=2");
    assert_text(normal("a*=1&ab=2", {"a*b"}), "a*=1&ab=2");
}

static void empty_pieces_are_left_out(void**) {
    assert_text(normal("&&b=2&&a=1&"), "a=1&b=2");
    assert_text(normal("&"), "");
}

static void values_stay_as_they_were_written(void**) {
    assert_text(normal("q=a=b%26+%20?/&p=%"), "p=%&q=a=b%26+%20?/");
}

static void a_target_is_split_at_its_first_question_mark(void**) {
    assert_text(split_target("/a?b?c").path, "/a");
    assert_text(split_target("/a?b?c").query, "b?c");
    assert_text(split_target("/a").path, "/a");
    assert_text(split_target("/a").query, "");
    assert_text(split_target("/a?").path, "/a");
    assert_text(split_target("/a?").query, "");
    assert_text(split_target("").path, "");
}

static void a_fragment_stays_for_the_origin_gets_it_too(void**) {
    assert_text(split_target("/a?b#c?d").query, "b#c?d");
    assert_text(split_target("/a#c?d").path, "/a#c");
    assert_text(split_target("/a#c?d").query, "d");
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_sorted_by_name),
        cmocka_unit_test(those_of_one_name_keep_their_order),
        cmocka_unit_test(the_name_counts_not_what_follows_it),
        cmocka_unit_test(a_named_argument_is_left_out),
        cmocka_unit_test(a_star_leaves_out_all_that_begin_so),
        cmocka_unit_test(several_patterns_work_together),
        cmocka_unit_test(names_are_compared_as_they_came),
        cmocka_unit_test(empty_pieces_are_left_out),
        cmocka_unit_test(values_stay_as_they_were_written),
        cmocka_unit_test(a_target_is_split_at_its_first_question_mark),
        cmocka_unit_test(a_fragment_stays_for_the_origin_gets_it_too),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
