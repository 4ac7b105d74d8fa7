// structured_field_test.cpp: lists and their strings; dictionaries are in
// targeted_field_test.cpp.
#include "core/structured_field.hpp"

#include "unit.hpp"

using namespace cacheback::core;
using Type = StructuredValue::Type;

namespace {

// The strings of a list, each in brackets; "(other)" for what is none, and
// "(failed)" for what is no list.
std::string strings_of(std::string_view line) {
    StructuredReader reader(line);
    StructuredValue value;
    std::string all;
    while (reader.next(value)) {
        all += value.type == Type::string ? "[" + unescaped(value.text) + "]"
                                          : "(other)";
    }
    return reader.failed() ? "(failed)" : all;
}

}  // namespace

static void a_list_of_strings_is_read_8941_4_2_1(void**) {
    assert_text(strings_of(""), "");
    assert_text(strings_of("  \"a\"  "), "[a]");
    assert_text(strings_of("\"a\",\"b\" \t,\t \"\""), "[a][b][]");
    assert_text(strings_of("\"a, b\""), "[a, b]");
}

static void backslashes_quote_only_themselves_and_quotes_8941_4_2_5(void**) {
    assert_text(strings_of(R"("\"\\")"), "[\"\\]");
    assert_text(strings_of(R"("\a")"), "(failed)");
    assert_text(strings_of("\"a\\"), "(failed)");
    assert_text(unescaped("\\"), "\\");
}

static void parameters_are_passed_over(void**) {
    assert_text(strings_of("\"a\";x;y=1; z=\"b\", \"c\""), "[a][c]");
    assert_text(strings_of("\"a\";X"), "(failed)");
    assert_text(strings_of("\"a\";x="), "(failed)");
}

static void other_members_are_told_apart(void**) {
    assert_text(strings_of("a, 1, ?1, (\"a\" \"b\");c, :YQ==:, 1.5, \"d\""),
                "(other)(other)(other)(other)(other)(other)[d]");
}

static void what_is_no_list_fails(void**) {
    for (const char* bad :
         {"\"a\" \"b\"", "\"a\",", ",\"a\"", "\"a\",,\"b\"", "\"a", "a\"",
          "\"a\x7f\"", "\"\xc3\xa4\"", "\"a\tb\"", "(\"a\"", "=", "?2"}) {
        assert_text(strings_of(bad), "(failed)");
    }
}

static void nothing_is_read_behind_a_failure(void**) {
    StructuredReader reader("\"a\" \"b\", \"c\"");
    StructuredValue value;
    assert_false(reader.next(value));
    assert_true(reader.failed());
    assert_false(reader.next(value));
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_list_of_strings_is_read_8941_4_2_1),
        cmocka_unit_test(
            backslashes_quote_only_themselves_and_quotes_8941_4_2_5),
        cmocka_unit_test(parameters_are_passed_over),
        cmocka_unit_test(other_members_are_told_apart),
        cmocka_unit_test(what_is_no_list_fails),
        cmocka_unit_test(nothing_is_read_behind_a_failure),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
