// cache_groups_test.cpp: the groups of a response, RFC 9875.
#include "core/cache_groups.hpp"

#include "unit.hpp"

using namespace cacheback::core;

namespace {

Groups groups_of(std::initializer_list<Field> fields) {
    return read_groups({fields.begin(), fields.size()}, "Cache-Groups",
                       "https://a.example");
}

std::string words_of(std::string_view value) {
    return joined(groups_of({{"Cache-Groups", value}}).words);
}

}  // namespace

static void each_string_is_a_word_with_its_origin_9875_2_1(void**) {
    assert_text(words_of("\"x\", \"y\""),
                "https://a.example#x https://a.example#y");
    assert_text(words_of(""), "");
    assert_text(joined({}), "");
}

static void names_are_told_apart_byte_by_byte(void**) {
    assert_text(words_of("\"A b\""), "https://a.example#A%20b");
    assert_text(words_of("\"a%20b\""), "https://a.example#a%2520b");
    assert_text(words_of(R"("\"#-._~\\")"), "https://a.example#%22%23-._~%5C");
    assert_text(words_of("\"\""), "https://a.example#");
}

static void all_lines_of_the_field_count(void**) {
    const Groups groups = groups_of({{"cache-groups", "\"x\""},
                                     {"Cache-Group", "\"z\""},
                                     {"Cache-Groups", ""},
                                     {"Cache-Groups", "\"y\";p=1"}});
    assert_text(joined(groups.words),
                "https://a.example#x https://a.example#y");
}

static void what_is_no_list_of_strings_is_no_group_at_all(void**) {
    assert_text(words_of("\"x\", y"), "");
    assert_text(words_of("\"x\", (\"y\")"), "");
    assert_text(words_of("\"x\","), "");
    assert_true(groups_of({{"Cache-Groups", "\"x\""}, {"Cache-Groups", "y"}})
                    .words.empty());
}

static void as_many_are_held_as_the_rfc_asks_and_more_9875_2(void**) {
    std::string value = "\"" + std::string(max_group_name, 'n') + "\"";
    for (std::size_t i = 1; i < max_groups; ++i) { value += ", \"x\""; }
    const Groups most = groups_of({{"Cache-Groups", value}});
    assert_int_equal(most.words.size(), max_groups);
    assert_false(most.too_many);
    static_assert(max_groups >= 32 && max_group_name >= 32);

    assert_true(groups_of({{"Cache-Groups", value + ", \"y\""}}).too_many);
    value.insert(1, "n");
    assert_true(groups_of({{"Cache-Groups", value}}).too_many);
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(each_string_is_a_word_with_its_origin_9875_2_1),
        cmocka_unit_test(names_are_told_apart_byte_by_byte),
        cmocka_unit_test(all_lines_of_the_field_count),
        cmocka_unit_test(what_is_no_list_of_strings_is_no_group_at_all),
        cmocka_unit_test(as_many_are_held_as_the_rfc_asks_and_more_9875_2),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
