// targeted_field_test.cpp: CDN-Cache-Control as a structured dictionary.
#include "core/targeted_field.hpp"

#include "unit.hpp"

using namespace cacheback::core;

namespace {

constexpr std::string_view name = "CDN-Cache-Control";

struct Read {
    bool counts;
    CacheControl control;
};

Read read(std::initializer_list<std::string_view> lines) {
    FieldList fields;
    fields.add("Content-Type", "max-age=1");
    for (std::string_view line : lines) {
        fields.add("cdn-cache-control", line);
    }
    Read result{};
    result.counts = read_targeted(fields, name, result.control);
    return result;
}

}  // namespace

static void a_valid_dictionary_counts(void**) {
    const Read all = read(
        {"max-age=60, s-maxage=70;x=1, stale-while-revalidate=30 ,\t"
         "stale-if-error=40, no-store, no-cache=?1, private, public, "
         "must-revalidate, proxy-revalidate, must-understand, no-transform, "
         "immutable, ext=(a \"b\" 1.5);q=?0, *k_1.-=:aGk=:"});
    assert_true(all.counts);
    const CacheControl& control = all.control;
    assert_int_equal(control.max_age.value(), 60);
    assert_int_equal(control.s_maxage.value(), 70);
    assert_int_equal(control.stale_while_revalidate.value(), 30);
    assert_int_equal(control.stale_if_error.value(), 40);
    assert_true(control.no_store && control.no_cache && control.is_private &&
                control.is_public && control.must_revalidate &&
                control.proxy_revalidate && control.must_understand &&
                control.no_transform && control.immutable);
}

static void an_absent_or_empty_field_does_not_count(void**) {
    assert_false(read({}).counts);
    assert_false(read({""}).counts);
    assert_false(read({"  ", ""}).counts);
}

static void a_malformed_field_is_ignored_as_a_whole(void**) {
    for (const char* bad : {"max-age=60,",
                            ",max-age=60",
                            "max-age=60,,public",
                            "Max-Age=60",
                            "max-age =60",
                            "max-age= 60",
                            "max-age=",
                            "max-age=60 public",
                            "max-age=\"60",
                            "max-age=60, ext=(1",
                            "max-age=60, ext=(1\"a\")",
                            "max-age=60, e=?2",
                            "max-age=60, e=:a",
                            "max-age=60, e=\"\\x\"",
                            "max-age=60, e=\"\xc3\xa4\"",
                            "max-age=60, e=1.",
                            "max-age=60, e=-",
                            "max-age=60, e=1.1234",
                            "max-age=1234567890123456",
                            "max-age=60;",
                            "max-age=60;=1",
                            "max-age=60, e=@",
                            "max-age=60, 1=2",
                            "max-age=60; private; ;"}) {
        const Read result = read({bad});
        assert_false(result.counts);
        assert_false(result.control.max_age.has_value());
    }
}

static void one_malformed_line_spoils_the_others(void**) {
    assert_false(read({"max-age=60", "Public"}).counts);
}

static void a_directive_of_the_wrong_type_spoils_the_field(void**) {
    for (const char* bad :
         {"max-age=\"60\"", "max-age=60.0", "max-age", "max-age=(60)",
          "max-age=?1", "max-age=abc", "public=1", "no-store=\"x\"",
          "private=x", "no-cache=1", "stale-while-revalidate=\"1\"",
          "stale-if-error=1.0", "s-maxage=:aGk=:"}) {
        const Read result = read({bad});
        assert_false(result.counts);
        assert_false(result.control.is_public);
    }
}

static void a_false_directive_is_not_set(void**) {
    const Read result = read({"no-store=?0, private=?0, max-age=5"});
    assert_true(result.counts);
    assert_false(result.control.no_store || result.control.is_private);
}

static void fields_are_named_in_a_string(void**) {
    const Read result = read({"no-cache=\"x-a\", private=\"x-b\""});
    assert_true(result.control.no_cache_fields);
    assert_true(result.control.private_fields);
    assert_false(result.control.no_cache || result.control.is_private);
    assert_true(read({"private=\"\""}).control.is_private);
    assert_true(read({"private=\"x b\""}).control.is_private);
    assert_true(read({"no-cache=\"x b\""}).control.no_cache);
}

static void the_last_of_repeated_keys_counts_over_all_lines(void**) {
    const Read result = read({"max-age=5, max-age=6", "max-age=7"});
    assert_int_equal(result.control.max_age.value(), 7);
}

static void a_negative_number_is_none_at_all(void**) {
    assert_int_equal(read({"max-age=-5"}).control.max_age.value(), 0);
}

static void a_number_beyond_two_to_the_31_is_clamped(void**) {
    assert_int_equal(read({"max-age=999999999999999"}).control.max_age.value(),
                     max_seconds);
}

static void unknown_directives_alone_still_count(void**) {
    assert_true(read({"ext=1"}).counts);
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_valid_dictionary_counts),
        cmocka_unit_test(an_absent_or_empty_field_does_not_count),
        cmocka_unit_test(a_malformed_field_is_ignored_as_a_whole),
        cmocka_unit_test(one_malformed_line_spoils_the_others),
        cmocka_unit_test(a_directive_of_the_wrong_type_spoils_the_field),
        cmocka_unit_test(a_false_directive_is_not_set),
        cmocka_unit_test(fields_are_named_in_a_string),
        cmocka_unit_test(the_last_of_repeated_keys_counts_over_all_lines),
        cmocka_unit_test(a_negative_number_is_none_at_all),
        cmocka_unit_test(a_number_beyond_two_to_the_31_is_clamped),
        cmocka_unit_test(unknown_directives_alone_still_count),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
