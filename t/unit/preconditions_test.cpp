// preconditions_test.cpp: a client's conditions and what is stored. The numbers
// in the names are sections of RFC 9110.
#include "core/preconditions.hpp"

#include "unit.hpp"

using namespace cacheback::core;

namespace {

constexpr Seconds now = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr Seconds changed = now - 3600;
constexpr std::string_view at_change = "Sun, 06 Nov 1994 07:49:37 GMT";
constexpr std::string_view before_change = "Sun, 06 Nov 1994 07:49:36 GMT";
constexpr std::string_view after_change = "Sun, 06 Nov 1994 07:49:38 GMT";
constexpr std::string_view at_date = "Sun, 06 Nov 1994 08:49:37 GMT";

Validators page(std::string_view etag = "\"a\"") {
    Validators held;
    held.etag = etag;
    held.last_modified = changed;
    held.date = now;
    return held;
}

Precondition none_match(std::string_view tags, const Validators& held) {
    Preconditions asked;
    asked.if_none_match = tags;
    return evaluate(asked, held, 200, now);
}

Precondition match(std::string_view tags, const Validators& held) {
    Preconditions asked;
    asked.if_match = tags;
    return evaluate(asked, held, 200, now);
}

Precondition modified_since(std::string_view date, const Validators& held) {
    Preconditions asked;
    asked.if_modified_since = date;
    return evaluate(asked, held, 200, now);
}

Precondition unmodified_since(std::string_view date, const Validators& held) {
    Preconditions asked;
    asked.if_unmodified_since = date;
    return evaluate(asked, held, 200, now);
}

}  // namespace

static void a_request_without_conditions_gets_the_response(void**) {
    assert_true(evaluate({}, page(), 200, now) == Precondition::met);
}

static void if_none_match_compares_weakly_13_1_2(void**) {
    assert_true(none_match("\"a\"", page()) == Precondition::not_modified);
    assert_true(none_match("W/\"a\"", page()) == Precondition::not_modified);
    assert_true(none_match("\"a\"", page("W/\"a\"")) ==
                Precondition::not_modified);
    assert_true(none_match("\"b\"", page()) == Precondition::met);
    assert_true(none_match("\"a\"", page("")) == Precondition::met);
}

static void a_tag_with_one_quote_is_another_tag_8_8_3(void**) {
    assert_true(none_match("\"a", page()) == Precondition::met);
    assert_true(none_match("a\"", page()) == Precondition::met);
    assert_true(none_match("\"", page("\"\"")) == Precondition::met);
    assert_true(none_match("\"\"", page("\"\"")) == Precondition::not_modified);
}

static void if_none_match_is_a_list_13_1_2(void**) {
    assert_true(none_match("\"x\", \"a\", \"y\"", page()) ==
                Precondition::not_modified);
    assert_true(none_match("\"x\",W/\"a\"", page()) ==
                Precondition::not_modified);
    assert_true(none_match("\"x\", \"y\"", page()) == Precondition::met);
    // A comma within a tag separates nothing.
    assert_true(none_match("\"x,a\"", page("\"x,a\"")) ==
                Precondition::not_modified);
    assert_true(none_match("\"x,a\"", page()) == Precondition::met);
}

static void a_star_is_any_representation_13_1_1_13_1_2(void**) {
    assert_true(none_match("*", page("")) == Precondition::not_modified);
    assert_true(match("*", page("")) == Precondition::met);
}

static void tags_without_quotes_match_what_they_were_made_from(void**) {
    assert_true(none_match("a", page()) == Precondition::not_modified);
    assert_true(none_match("\"a\"", page("a")) == Precondition::not_modified);
    assert_true(none_match("b", page()) == Precondition::met);
}

static void if_modified_since_asks_for_what_is_newer_13_1_3(void**) {
    assert_true(modified_since(before_change, page()) == Precondition::met);
    assert_true(modified_since(at_change, page()) ==
                Precondition::not_modified);
    assert_true(modified_since(after_change, page()) ==
                Precondition::not_modified);
    assert_true(modified_since("Sunday, 06-Nov-94 07:49:37 GMT", page()) ==
                Precondition::not_modified);
}

static void without_last_modified_the_date_decides_9111_4_3_2(void**) {
    Validators held = page();
    held.last_modified = no_time;
    assert_true(modified_since(at_date, held) == Precondition::not_modified);
    assert_true(modified_since(after_change, held) == Precondition::met);
}

static void a_date_that_is_none_asks_nothing_13_1_3(void**) {
    assert_true(modified_since("yesterday", page()) == Precondition::met);
    assert_true(unmodified_since("yesterday", page()) == Precondition::met);
}

static void if_none_match_silences_if_modified_since_13_2_2(void**) {
    Preconditions asked;
    asked.if_none_match = "\"a\"";
    asked.if_modified_since = before_change;
    assert_true(evaluate(asked, page(), 200, now) ==
                Precondition::not_modified);
    asked.if_none_match = "\"b\"";
    asked.if_modified_since = at_change;
    assert_true(evaluate(asked, page(), 200, now) == Precondition::met);
}

static void if_match_compares_strongly_13_1_1(void**) {
    assert_true(match("\"x\", \"a\"", page()) == Precondition::met);
    assert_true(match("\"x\"", page()) == Precondition::failed);
    assert_true(match("W/\"a\"", page()) == Precondition::failed);
    assert_true(match("\"a\"", page("W/\"a\"")) == Precondition::failed);
    assert_true(match("\"a\"", page("")) == Precondition::failed);
}

static void if_unmodified_since_fails_when_it_has_changed_13_1_4(void**) {
    assert_true(unmodified_since(before_change, page()) ==
                Precondition::failed);
    assert_true(unmodified_since(at_change, page()) == Precondition::met);
    assert_true(unmodified_since(after_change, page()) == Precondition::met);
}

static void what_has_no_date_of_change_is_not_asked_for_it_13_1_4(void**) {
    Validators held = page();
    held.last_modified = no_time;
    assert_true(unmodified_since(before_change, held) == Precondition::met);
}

static void if_match_silences_if_unmodified_since_13_2_2(void**) {
    Preconditions asked;
    asked.if_match = "\"a\"";
    asked.if_unmodified_since = before_change;
    assert_true(evaluate(asked, page(), 200, now) == Precondition::met);
}

static void a_failed_condition_comes_before_a_304_13_2_2(void**) {
    Preconditions asked;
    asked.if_match = "\"b\"";
    asked.if_none_match = "\"a\"";
    assert_true(evaluate(asked, page(), 200, now) == Precondition::failed);
    asked.if_match = "\"a\"";
    assert_true(evaluate(asked, page(), 200, now) ==
                Precondition::not_modified);
}

static void only_a_2xx_can_be_conditional_13_2_1(void**) {
    Preconditions asked;
    asked.if_none_match = "*";
    for (unsigned status : {300U, 301U, 404U, 410U, 500U}) {
        assert_true(evaluate(asked, page(), status, now) == Precondition::met);
    }
    for (unsigned status : {200U, 203U, 299U}) {
        assert_true(evaluate(asked, page(), status, now) ==
                    Precondition::not_modified);
    }
}

static void if_range_takes_a_strong_tag_alone_13_1_5(void**) {
    assert_true(range_applies("\"a\"", page(), now));
    assert_false(range_applies("\"b\"", page(), now));
    assert_false(range_applies("W/\"a\"", page("W/\"a\""), now));
    assert_false(range_applies("\"a\"", page("W/\"a\""), now));
    assert_false(range_applies("\"a\"", page(""), now));
}

static void if_range_takes_the_very_date_when_it_is_strong_13_1_5(void**) {
    assert_true(range_applies(at_change, page(), now));
    assert_false(range_applies(after_change, page(), now));
    Validators held = page();
    held.date = held.last_modified;  // within the second: weak, 8.8.2.2
    assert_false(range_applies(at_change, held, now));
    held.last_modified = no_time;
    assert_false(range_applies(at_change, held, now));
    assert_false(range_applies("", page(), now));
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_request_without_conditions_gets_the_response),
        cmocka_unit_test(if_none_match_compares_weakly_13_1_2),
        cmocka_unit_test(a_tag_with_one_quote_is_another_tag_8_8_3),
        cmocka_unit_test(if_none_match_is_a_list_13_1_2),
        cmocka_unit_test(a_star_is_any_representation_13_1_1_13_1_2),
        cmocka_unit_test(tags_without_quotes_match_what_they_were_made_from),
        cmocka_unit_test(if_modified_since_asks_for_what_is_newer_13_1_3),
        cmocka_unit_test(without_last_modified_the_date_decides_9111_4_3_2),
        cmocka_unit_test(a_date_that_is_none_asks_nothing_13_1_3),
        cmocka_unit_test(if_none_match_silences_if_modified_since_13_2_2),
        cmocka_unit_test(if_match_compares_strongly_13_1_1),
        cmocka_unit_test(if_unmodified_since_fails_when_it_has_changed_13_1_4),
        cmocka_unit_test(what_has_no_date_of_change_is_not_asked_for_it_13_1_4),
        cmocka_unit_test(if_match_silences_if_unmodified_since_13_2_2),
        cmocka_unit_test(a_failed_condition_comes_before_a_304_13_2_2),
        cmocka_unit_test(only_a_2xx_can_be_conditional_13_2_1),
        cmocka_unit_test(if_range_takes_a_strong_tag_alone_13_1_5),
        cmocka_unit_test(if_range_takes_the_very_date_when_it_is_strong_13_1_5),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
