// reply_reader_test.cpp: replies are read however they are cut, lies refused.
#include <string>
#include <string_view>
#include <vector>

#include "redis/reply_reader.hpp"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
extern "C" {
#include <cmocka.h>
}

using cacheback::redis::Reply;
using cacheback::redis::ReplyReader;

namespace {

constexpr std::size_t plenty = 1024 * 1024;

// A reply as text that shows type and content.
std::string show(const Reply& reply) {
    switch (reply.kind) {
    case Reply::Kind::nil: return "nil";
    case Reply::Kind::string: return "'" + std::string(reply.text) + "'";
    case Reply::Kind::status: return "+" + std::string(reply.text);
    case Reply::Kind::error: return "-" + std::string(reply.text);
    case Reply::Kind::integer: return std::to_string(reply.integer);
    case Reply::Kind::array: break;
    }
    std::string text = "[";
    for (std::size_t i = 0; i < reply.count; ++i) {
        text += (i == 0 ? "" : " ") + show(reply.elements[i]);
    }
    return text + "]";
}

// All replies in `bytes`, fed in pieces that end at `cut` and at the end.
std::string read(std::string_view bytes, std::size_t cut) {
    ReplyReader reader(plenty);
    std::string seen;
    for (std::string_view piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
        assert_true(reader.feed(piece));
        while (const Reply* reply = reader.next()) {
            seen += show(*reply) + ";";
        }
    }
    assert_true(reader.error().empty());
    return seen;
}

std::string error_of(std::string_view bytes, std::size_t limit = plenty) {
    ReplyReader reader(limit);
    if (!reader.feed(bytes)) { return std::string(reader.error()); }
    while (reader.next() != nullptr) {}
    return std::string(reader.error());
}

void assert_contains(const std::string& text, std::string_view part) {
    if (text.find(part) == std::string::npos) {
        fail_msg("\"%s\" is not in \"%s\"", std::string(part).c_str(),
                 text.c_str());
    }
}

void replies_cut_at_every_byte_are_the_same_replies(void**) {
    const std::string_view bytes =
        "+OK\r\n"
        "-ERR no\r\n"
        ":-42\r\n"
        "$-1\r\n"
        "$0\r\n\r\n"
        "$5\r\na\r\nb\n\r\n"
        "*-1\r\n"
        "*0\r\n"
        "*4\r\n$1\r\nx\r\n:7\r\n*2\r\n$-1\r\n+in\r\n$2\r\nyz\r\n"
        "+END\r\n";
    const std::string expected =
        "+OK;-ERR no;-42;nil;'';'a\r\nb\n';nil;[];"
        "['x' 7 [nil +in] 'yz'];+END;";
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        assert_string_equal(read(bytes, cut).c_str(), expected.c_str());
    }
}

void replies_fed_byte_by_byte_are_the_same_replies(void**) {
    const std::string_view bytes = "$3\r\nabc\r\n*1\r\n:1\r\n";
    ReplyReader reader(plenty);
    std::string seen;
    for (char byte : bytes) {
        assert_true(reader.feed({&byte, 1}));
        while (const Reply* reply = reader.next()) { seen += show(*reply); }
    }
    assert_string_equal(seen.c_str(), "'abc'[1]");
}

void a_large_value_arrives_whole(void**) {
    const std::string value(300 * 1024, 'v');
    const std::string bytes =
        "$" + std::to_string(value.size()) + "\r\n" + value + "\r\n+next\r\n";
    ReplyReader reader(plenty);
    const Reply* reply = nullptr;
    for (std::size_t at = 0; at < bytes.size(); at += 16384) {
        assert_null(reply);
        assert_true(reader.feed(std::string_view(bytes).substr(at, 16384)));
        reply = reader.next();
    }
    assert_non_null(reply);
    assert_true(reply->text == value);
    reply = reader.next();
    assert_non_null(reply);
    assert_true(reply->text == "next");
}

void an_array_of_the_most_elements_is_read(void**) {
    std::string bytes = "*1024\r\n";
    for (int i = 0; i < 1024; ++i) { bytes += ":1\r\n"; }
    ReplyReader reader(plenty);
    assert_true(reader.feed(bytes));
    const Reply* reply = reader.next();
    assert_non_null(reply);
    assert_int_equal(reply->count, 1024);
    // The count starts anew with each reply.
    assert_true(reader.feed(bytes));
    assert_non_null(reader.next());
}

void an_array_of_too_many_elements_is_refused_before_it_arrives(void**) {
    assert_contains(error_of("*1025\r\n"), "too many elements");
    assert_contains(error_of("*2000000000\r\n"), "too many elements");
}

void elements_of_nested_arrays_count_together(void**) {
    assert_contains(error_of("*2\r\n*1023\r\n"), "too many elements");
    assert_contains(error_of("*1000\r\n*1000\r\n"), "too many elements");
}

void deep_nesting_is_refused(void**) {
    std::string bytes;
    for (int i = 0; i < 7; ++i) { bytes += "*1\r\n"; }
    assert_string_equal(read(bytes + ":1\r\n", 3).c_str(), "[[[[[[[1]]]]]]];");
    assert_contains(error_of(bytes + "*1\r\n"), "nested too deep");
}

void what_is_no_protocol_is_refused(void**) {
    assert_contains(error_of("HTTP/1.1 400 Bad Request\r\n"), "H");
    assert_false(error_of("$abc\r\n").empty());
    assert_false(error_of(":12x\r\n").empty());
    assert_false(error_of("$-2\r\n").empty());
}

void a_reply_longer_than_the_limit_is_refused_while_it_arrives(void**) {
    ReplyReader reader(1000);
    assert_true(reader.feed("$9999999999\r\n"));
    std::size_t fed = 0;
    const std::string piece(100, 'x');
    while (reader.error().empty()) {
        assert_true(reader.feed(piece));
        assert_null(reader.next());
        fed += piece.size();
        assert_true(fed < 2000);
    }
    assert_contains(std::string(reader.error()), "more than 1000 bytes");
    assert_false(reader.feed("x"));
}

void an_endless_line_is_refused(void**) {
    assert_contains(error_of("+" + std::string(2000, 'x'), 1000),
                    "more than 1000 bytes");
}

void many_small_replies_are_no_long_one(void**) {
    std::string bytes;
    for (int i = 0; i < 1000; ++i) { bytes += "+OK\r\n"; }
    assert_string_equal(error_of(bytes, 100).c_str(), "");
}

void after_reset_a_broken_stream_is_forgotten(void**) {
    ReplyReader reader(plenty);
    assert_true(reader.feed("garbage"));
    assert_null(reader.next());
    assert_false(reader.error().empty());
    reader.reset();
    assert_true(reader.error().empty());
    assert_true(reader.feed("+OK\r\n"));
    const Reply* reply = reader.next();
    assert_non_null(reply);
    assert_true(reply->text == "OK");
}

void a_value_may_be_moved_out_and_the_next_one_is_read(void**) {
    ReplyReader reader(1024 * 1024);
    const std::string value(100000, 'v');
    for (int i = 0; i < 2; ++i) {
        assert_true(reader.feed("$100000\r\n" + value + "\r\n"));
        const Reply* reply = reader.next();
        assert_non_null(reply);
        const char* bytes = reply->text.data();
        const std::string moved = std::move(*reply->owner);
        assert_true(moved == value);
        assert_ptr_equal(moved.data(), bytes);
    }
    assert_true(reader.feed("*1\r\n$1\r\nx\r\n"));
    const Reply* reply = reader.next();
    assert_null(reply->owner);
    assert_null(reply->elements[0].owner);  // several share what keeps them
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(replies_cut_at_every_byte_are_the_same_replies),
        cmocka_unit_test(replies_fed_byte_by_byte_are_the_same_replies),
        cmocka_unit_test(a_large_value_arrives_whole),
        cmocka_unit_test(an_array_of_the_most_elements_is_read),
        cmocka_unit_test(
            an_array_of_too_many_elements_is_refused_before_it_arrives),
        cmocka_unit_test(elements_of_nested_arrays_count_together),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(what_is_no_protocol_is_refused),
        cmocka_unit_test(
            a_reply_longer_than_the_limit_is_refused_while_it_arrives),
        cmocka_unit_test(an_endless_line_is_refused),
        cmocka_unit_test(many_small_replies_are_no_long_one),
        cmocka_unit_test(after_reset_a_broken_stream_is_forgotten),
        cmocka_unit_test(a_value_may_be_moved_out_and_the_next_one_is_read),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
