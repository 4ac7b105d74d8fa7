// vary_test.cpp: which requests an entry answers.
#include "core/vary.hpp"

#include "unit.hpp"

using namespace cacheback::core;

static std::string names_of(std::string_view section) {
    std::string all;
    for_each_vary_name(names_of_vary(section), [&](std::string_view name) {
        all += "[" + std::string(name) + "]";
    });
    return all;
}

static void a_star_in_any_line_and_position_varies_on_everything(void**) {
    const FieldList star{{"Vary", "Accept"}, {"vARY", "Cookie, * "}};
    const FieldList none{{"Vary", "Accept, , Cookie"}, {"X-Vary", "*"}};
    assert_true(varies_on_everything(star));
    assert_false(varies_on_everything(none));
    assert_false(varies_on_everything({}));
}

static void a_member_that_is_no_field_name_counts_as_a_star(void**) {
    for (const char* bad : {"Accept Cookie", "Accept;q=1", "\"Accept\""}) {
        const FieldList fields{{"Vary", bad}};
        assert_true(varies_on_everything(fields));
    }
}

static void a_response_that_does_not_vary_matches_every_request(void**) {
    const FieldList response{{"ETag", "\"x\""}};
    const FieldList request{{"Accept", "a"}};
    assert_text(make_vary(response, request), "");
    assert_true(vary_matches("", request));
    assert_true(vary_matches("", {}));
}

static void names_are_lower_case_sorted_and_there_once(void**) {
    const FieldList response{{"Vary", "Cookie, ACCEPT"},
                             {"Vary", "accept,X-Z,cookie"}};
    assert_text(names_of(make_vary(response, {})), "[accept][cookie][x-z]");
}

static void the_same_values_match_and_others_do_not(void**) {
    const FieldList response{{"Vary", "Accept, X-A"}};
    const FieldList request{{"accept", "text/html"}, {"X-A", "1"}};
    const std::string section = make_vary(response, request);
    assert_true(vary_matches(section, request));
    const FieldList more{{"Other", "x"}, {"X-a", "1"}, {"Accept", "text/html"}};
    assert_true(vary_matches(section, more));
    for (const char* other :
         {"text/htm", "text/html,", "text/html, b", "TEXT/HTML", "text", ""}) {
        const FieldList changed{{"Accept", other}, {"X-A", "1"}};
        // An empty member at the end is no member (RFC 9110 5.6.1.2).
        const bool same = std::string_view(other) == "text/html,";
        assert_int_equal(vary_matches(section, changed), same);
    }
    const FieldList second_differs{{"Accept", "text/html"}, {"X-A", "2"}};
    assert_false(vary_matches(section, second_differs));
}

static void an_absent_field_matches_only_an_absent_one(void**) {
    const FieldList response{{"Vary", "X-A"}};
    const FieldList empty{{"X-A", ""}};
    const FieldList full{{"X-A", "1"}};
    const std::string absent = make_vary(response, {});
    assert_true(vary_matches(absent, {}));
    assert_false(vary_matches(absent, empty));
    assert_false(vary_matches(absent, full));
    const std::string present = make_vary(response, empty);
    assert_true(vary_matches(present, empty));
    assert_false(vary_matches(present, {}));
    assert_false(vary_matches(make_vary(response, full), {}));
    assert_false(vary_matches(make_vary(response, full), empty));
}

static void lines_are_joined_and_space_around_members_is_dropped(void**) {
    const FieldList response{{"Vary", "X-A"}};
    const FieldList one{{"X-A", "a, b ,\tc"}};
    const FieldList lines{{"X-A", "a"}, {"Y", "q"}, {"x-a", " b,c "}};
    const FieldList tight{{"X-A", "a,b,c"}};
    const FieldList swapped{{"X-A", "b"}, {"X-A", "a,c"}};
    for (const FieldList* stored : {&one, &lines, &tight}) {
        const std::string section = make_vary(response, *stored);
        assert_true(vary_matches(section, one));
        assert_true(vary_matches(section, lines));
        assert_true(vary_matches(section, tight));
        assert_false(vary_matches(section, swapped));
    }
}

// True when requests with these two values are answered by one variant.
static bool is_same(std::string_view name, std::string_view one,
                    std::string_view other) {
    const FieldList response{{"Vary", name}};
    const FieldList first{{name, one}};
    const FieldList second{{name, other}};
    return vary_matches(make_vary(response, first), second);
}

static void a_comma_too_many_may_mean_something(void**) {
    for (const char* other : {"en,", ",en", "en,,", " , en"}) {
        assert_false(is_same("X-A", other, "en"));
        assert_true(is_same("Accept", other, "en"));
        assert_true(is_same("Accept-Language", other, "en"));
    }
    assert_true(is_same("X-A", "a , ,b,", "a,,b ,"));
    assert_false(is_same("X-A", ",", ""));
    const FieldList response{{"Vary", "Accept"}};
    const FieldList lines{{"Accept", ""}, {"Accept", "a"}, {"Accept", ","}};
    const FieldList one{{"Accept", "a"}};
    assert_true(vary_matches(make_vary(response, lines), one));
}

static void fields_of_one_value_are_compared_as_they_were_sent(void**) {
    for (const char* name : {"Cookie", "User-Agent", "Authorization"}) {
        assert_true(is_same(name, "a, b", "a, b"));
        assert_false(is_same(name, "a, b", "a,b"));
        assert_false(is_same(name, "a,", "a"));
        const FieldList response{{"Vary", name}};
        const FieldList two{{name, "a"}, {name, "b"}};
        const FieldList one{{name, "a,b"}};
        assert_false(vary_matches(make_vary(response, two), one));
        assert_true(vary_matches(make_vary(response, two), two));
    }
}

static void case_means_nothing_in_languages_and_codings_alone(void**) {
    assert_true(is_same("Accept-Language", "en-GB", "EN-gb"));
    assert_true(is_same("Accept-Encoding", "gzip", "GZIP"));
    assert_false(is_same("X-A", "en-GB", "EN-gb"));
    assert_false(is_same("Accept", "text/html", "TEXT/HTML"));
}

static void order_means_nothing_where_weights_do(void**) {
    assert_true(is_same("Accept-Language", "de, en", "en,de"));
    assert_true(is_same("Accept-Language", "de;q=0.5, en", "en, de ; Q=0.5"));
    assert_true(is_same("Accept-Encoding", "gzip, br", "br, gzip"));
    assert_false(is_same("Accept-Language", "de;q=0.5, en", "de, en;q=0.5"));
    assert_false(is_same("X-A", "de, en", "en, de"));
}

static void weights_are_numbers(void**) {
    assert_true(is_same("Accept-Language", "en;q=1", "en"));
    assert_true(is_same("Accept-Language", "en;q=1.000", "en"));
    assert_true(is_same("Accept-Language", "en;q=0.80", "en;q=0.8"));
    assert_true(is_same("Accept-Language", "en;q=0", "en;q=0.000"));
    assert_false(is_same("Accept-Language", "en;q=0", "en"));
    assert_false(is_same("Accept-Language", "en;q=0.8", "en;q=0.08"));
    assert_false(is_same("Accept-Language", "en;q=0.8", "en;q=0.801"));
    // No weights: part of the text.
    for (const char* bad : {"en;q=2", "en;q=1.5", "en;q=.8", "en;q=0.8888",
                            "en;q=", "en;q=0,8", "en;q=0x8"}) {
        assert_false(is_same("Accept-Language", bad, "en"));
        assert_false(is_same("Accept-Language", bad, "en;q=0.8"));
    }
}

static void a_member_counts_once(void**) {
    assert_true(is_same("Accept-Encoding", "gzip, br, GZIP", "br, gzip"));
    assert_false(is_same("Accept-Encoding", "gzip, gzip;q=0.5", "gzip"));
}

static void a_weighted_field_that_is_absent_is_not_an_empty_one(void**) {
    const FieldList response{{"Vary", "Accept-Language"}};
    const FieldList empty{{"Accept-Language", ""}};
    assert_false(vary_matches(make_vary(response, {}), empty));
    assert_true(vary_matches(make_vary(response, {}), {}));
}

static void what_is_normal_stays_as_it_is(void**) {
    const FieldList response{{"Vary", "Accept-Language, X-A"}};
    const FieldList request{{"Accept-Language", "fr;q=0.25, EN, de;q=0.5"},
                            {"x-a", "B, a"}};
    const std::string section = make_vary(response, request);
    std::vector<std::string> values;
    VaryItems items(section);
    VaryItem item;
    while (items.next(item)) { values.emplace_back(item.value); }
    assert_text(values[0], "en,de;q=0.5,fr;q=0.25");
    assert_text(values[1], "B,a");
    const FieldList again{{"Accept-Language", values[0]}, {"X-A", values[1]}};
    assert_text(make_vary(response, again), section);
    assert_true(vary_is_valid(section));
}

static void too_many_names_vary_on_everything(void**) {
    std::string names;
    while (names.size() < max_vary_names - 8) { names += "x-abcde,"; }
    const FieldList most{{"Vary", names}};
    assert_false(varies_on_everything(most));
    names += "x-abcdefghi";
    const FieldList more{{"Vary", names}};
    assert_true(varies_on_everything(more));
}

static void the_one_of_an_encoded_response_is_counted_with_them(void**) {
    std::string names;
    while (names.size() < max_vary_names - 8) {
        names += "x-" + std::to_string(names.size()) + ",";
    }
    const FieldList most{{"Vary", names}};
    assert_false(varies_on_everything(most));
    const FieldList encoded{{"Vary", names}, {"Content-Encoding", "gzip"}};
    assert_true(varies_on_everything(encoded));
    assert_true(are_vary_names(vary_names(most)));
    assert_false(are_vary_names(vary_names(encoded)));
}

static void a_304_adds_to_what_its_entry_varies_on(void**) {
    const FieldList stored{{"Vary", "X-B"}};
    const FieldList request{{"X-A", "1"}, {"X-B", "2"}};
    const FieldList both{{"Vary", "X-A, X-B"}};
    const std::string section = make_vary(stored, request);
    const FieldList same{{"Vary", "x-b"}};
    const FieldList other{{"Vary", "X-A"}};
    assert_text(renewed_vary(section, {}, {}), section);
    assert_text(renewed_vary(section, same, {}), section);
    assert_text(renewed_vary(section, other, request),
                make_vary(both, request));
    assert_text(renewed_vary(section, other, request, true), section);
    assert_text(renewed_vary("", other, request), make_vary(other, request));
}

static void a_list_of_names_is_told_from_others(void**) {
    const FieldList response{{"Vary", "User-Agent, Accept"}};
    assert_text(vary_names(response), "accept,user-agent");
    assert_text(names_of_vary(make_vary(response, {})), "accept,user-agent");
    assert_true(are_vary_names("accept,user-agent"));
    for (const char* bad : {"", ",", "a,", ",a", "b,a", "a,a", "A", "a b"}) {
        assert_false(are_vary_names(bad));
    }
    assert_false(are_vary_names(std::string(max_vary_names + 1, 'a')));
}

static void an_encoded_response_varies_on_accept_encoding_unasked(void**) {
    const FieldList gzip{{"content-encoding", "gzip"}};
    const FieldList identity{{"Content-Encoding", " identity "}};
    const FieldList said{{"Content-Encoding", "br"},
                         {"Vary", "Accept-Encoding"}};
    const FieldList request{{"Accept-Encoding", "gzip"}};
    assert_text(names_of(make_vary(gzip, request)), "[accept-encoding]");
    assert_text(names_of(make_vary(said, request)), "[accept-encoding]");
    assert_text(make_vary(identity, request), "");
    assert_true(vary_matches(make_vary(gzip, request), request));
    assert_false(vary_matches(make_vary(gzip, request), {}));
}

static void an_ignored_vary_leaves_the_encoding_to_vary_on(void**) {
    const FieldList response{{"Vary", "Cookie, *"},
                             {"Content-Encoding", "gzip"}};
    assert_text(names_of(make_vary(response, {}, true)), "[accept-encoding]");
}

static void what_is_made_is_valid_and_no_damaged_one_matches(void**) {
    const FieldList response{{"Vary", "Accept, X-A"}};
    const FieldList request{{"X-A", "1"}};
    const std::string section = make_vary(response, request);
    assert_true(vary_is_valid(section));
    assert_true(vary_is_valid(""));
    for (std::size_t size = 1; size < section.size(); ++size) {
        const std::string_view cut = std::string_view(section).substr(0, size);
        // Where one item ends a shorter section is whole again.
        const bool whole = size == 6 + 6;
        assert_int_equal(vary_is_valid(cut), whole);
        if (!whole) { assert_false(vary_matches(cut, request)); }
    }
    assert_false(vary_matches(section + 'x', request));
    assert_false(vary_is_valid(section + section));  // not sorted
    std::string upper = section;
    upper[6] = 'A';
    assert_false(vary_is_valid(upper));
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_star_in_any_line_and_position_varies_on_everything),
        cmocka_unit_test(a_member_that_is_no_field_name_counts_as_a_star),
        cmocka_unit_test(a_response_that_does_not_vary_matches_every_request),
        cmocka_unit_test(names_are_lower_case_sorted_and_there_once),
        cmocka_unit_test(the_same_values_match_and_others_do_not),
        cmocka_unit_test(an_absent_field_matches_only_an_absent_one),
        cmocka_unit_test(lines_are_joined_and_space_around_members_is_dropped),
        cmocka_unit_test(a_comma_too_many_may_mean_something),
        cmocka_unit_test(fields_of_one_value_are_compared_as_they_were_sent),
        cmocka_unit_test(case_means_nothing_in_languages_and_codings_alone),
        cmocka_unit_test(order_means_nothing_where_weights_do),
        cmocka_unit_test(weights_are_numbers),
        cmocka_unit_test(a_member_counts_once),
        cmocka_unit_test(a_weighted_field_that_is_absent_is_not_an_empty_one),
        cmocka_unit_test(what_is_normal_stays_as_it_is),
        cmocka_unit_test(too_many_names_vary_on_everything),
        cmocka_unit_test(the_one_of_an_encoded_response_is_counted_with_them),
        cmocka_unit_test(a_304_adds_to_what_its_entry_varies_on),
        cmocka_unit_test(a_list_of_names_is_told_from_others),
        cmocka_unit_test(an_encoded_response_varies_on_accept_encoding_unasked),
        cmocka_unit_test(an_ignored_vary_leaves_the_encoding_to_vary_on),
        cmocka_unit_test(what_is_made_is_valid_and_no_damaged_one_matches),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
