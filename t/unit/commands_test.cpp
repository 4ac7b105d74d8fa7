// commands_test.cpp: commands as bytes.
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "redis/commands.hpp"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
extern "C" {
#include <cmocka.h>
}

using namespace cacheback::redis;

namespace {

void a_command_is_an_array_of_counted_words(void**) {
    std::string out;
    append_command(out, {"GET", "key"});
    assert_string_equal(out.c_str(), "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n");
}

void commands_follow_one_another(void**) {
    std::string out;
    append_command(out, {"PING"});
    append_command(out, {"DEL", "a"});
    assert_string_equal(out.c_str(),
                        "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n");
}

void words_may_hold_any_byte(void**) {
    std::string out;
    append_command(out, {std::string_view("a\r\n\0b", 5), ""});
    assert_true(out ==
                std::string_view("*2\r\n$5\r\na\r\n\0b\r\n$0\r\n\r\n", 21));
}

void a_value_in_pieces_is_sent_as_one_word(void**) {
    std::string out;
    append_set(out, "k", {"head", "", "body"}, 1500);
    assert_string_equal(out.c_str(),
                        "*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$8\r\nheadbody\r\n"
                        "$2\r\nPX\r\n$4\r\n1500\r\n");
}

void a_value_without_pieces_is_empty(void**) {
    std::string out;
    append_set(out, "k", {}, 1);
    assert_string_equal(out.c_str(),
                        "*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n"
                        "$2\r\nPX\r\n$1\r\n1\r\n");
}

void the_longest_time_is_written_whole(void**) {
    std::string out;
    append_set(out, "k", {}, INT64_MAX);
    assert_non_null(strstr(out.c_str(), "$19\r\n9223372036854775807\r\n"));
}

void a_large_value_is_allocated_for_once(void**) {
    const std::string body(1024 * 1024, 'b');
    std::string out;
    append_set(out, "k", {body}, 1);
    assert_true(out.capacity() < body.size() + 4096);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_an_array_of_counted_words),
        cmocka_unit_test(commands_follow_one_another),
        cmocka_unit_test(words_may_hold_any_byte),
        cmocka_unit_test(a_value_in_pieces_is_sent_as_one_word),
        cmocka_unit_test(a_value_without_pieces_is_empty),
        cmocka_unit_test(the_longest_time_is_written_whole),
        cmocka_unit_test(a_large_value_is_allocated_for_once),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
