// feed_message_test.cpp: what boxes tell each other, as commands and as
// replies.
#include <string>
#include <string_view>

#include "redis/feed_message.hpp"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
extern "C" {
#include <cmocka.h>
}

using namespace cacheback::redis;
using Kind = Change::Kind;

namespace {

std::string word(std::string_view text) {
    return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) +
           "\r\n";
}

std::string words(std::initializer_list<std::string_view> list) {
    std::string all = "*" + std::to_string(list.size()) + "\r\n";
    for (std::string_view one : list) { all += word(one); }
    return all;
}

std::string message(std::string_view position, const std::string& fields) {
    return "*2\r\n" + word(position) + fields;
}

std::string stream(const std::string& messages) {
    return "*1\r\n*2\r\n" + word("feed") + messages;
}

// The reply lives as long as its reader.
struct Read {
    explicit Read(const std::string& bytes) : reader(1024 * 1024) {
        assert_true(reader.feed(bytes));
        reply = reader.next();
        assert_non_null(reply);
    }
    ReplyReader reader;
    const Reply* reply;
};

void a_change_is_a_message_of_a_capped_stream(void**) {
    std::string out;
    append_change(out, "p:feed", {Kind::uncacheable, 60000, 0x1f, "a b"});
    assert_string_equal(out.c_str(),
                        words({"XADD", "p:feed", "MAXLEN", "~", "8192", "*",
                               "change", "uncacheable", "for", "60000", "box",
                               "000000000000001f", "key", "a b"})
                            .c_str());
}

void the_feed_is_read_behind_the_last_message(void**) {
    std::string out;
    append_feed_read(out, "p:feed", "5-1", 1000);
    assert_string_equal(out.c_str(), words({"XREAD", "COUNT", "24", "BLOCK",
                                            "1000", "STREAMS", "p:feed", "5-1"})
                                         .c_str());
}

void each_kind_of_change_is_read_as_it_was_written(void**) {
    for (const Change& sent :
         {Change{Kind::stored, 0, 1, "k"}, Change{Kind::removed, 0, 2, ""},
          Change{Kind::outdated, 0, 2, "k"},
          Change{Kind::released, 0, UINT64_MAX, "k\r\n\x01"},
          Change{Kind::uncacheable, 500, 3, "k"}}) {
        std::string command;
        append_change(command, "f", sent);
        // The fields stand behind XADD f MAXLEN ~ 8192 *.
        std::string fields =
            "*8\r\n" + command.substr(command.find("$6\r\nchange"));
        Read read(stream("*1\r\n" + message("7-0", fields)));
        const FeedPage page = read_feed(*read.reply);
        assert_true(page.sound);
        assert_true(page.position == "7-0");
        assert_int_equal(page.changes.size(), 1);
        assert_true(page.changes[0].kind == sent.kind);
        assert_int_equal(page.changes[0].length, sent.length);
        assert_true(page.changes[0].box == sent.box);
        assert_true(page.changes[0].key == sent.key);
    }
}

void no_message_in_time_is_an_empty_page(void**) {
    for (const char* nothing : {"*-1\r\n", "$-1\r\n"}) {
        Read read(nothing);
        const FeedPage page = read_feed(*read.reply);
        assert_true(page.sound);
        assert_true(page.position.empty());
        assert_true(page.changes.empty());
    }
}

void what_cannot_be_understood_is_passed_over(void**) {
    const std::string good =
        words({"change", "stored", "box", "2", "key", "k", "later", "field"});
    for (const std::string& bad :
         {words({"change", "exploded", "box", "1", "key", "k"}),
          words({"change", "stored", "box", "x", "key", "k"}),
          words({"change", "stored", "box", "", "key", "k"}),
          words({"change", "stored", "key", "k"}),
          words({"change", "stored", "box", "1"}),
          words({"change", "stored", "box", "1", "key", "k", "for", "-1"}),
          words({"change", "stored", "box", "1", "key", "k", "for", "1s"}),
          words({"change"}), words({}), std::string("*-1\r\n"),
          std::string("$-1\r\n"), std::string("*2\r\n:1\r\n:2\r\n")}) {
        Read read(
            stream("*2\r\n" + message("1-0", bad) + message("1-1", good)));
        const FeedPage page = read_feed(*read.reply);
        assert_true(page.sound);
        assert_true(page.position == "1-1");
        assert_int_equal(page.changes.size(), 1);
        assert_true(page.changes[0].box == 2);
    }
}

// It is kept, and what a server calls an error when it is asked for would be
// one for ever.
void a_position_is_two_numbers(void**) {
    const std::string fields =
        words({"change", "stored", "box", "1", "key", "k"});
    for (const char* position :
         {"", "7", "7-", "-0", "7-0 ", "x-0", "7-x", "7-0-0",
          "123456789012345678901-0", "0-123456789012345678901"}) {
        Read read(stream("*1\r\n" + message(position, fields)));
        assert_false(read_feed(*read.reply).sound);
    }
    Read read(
        stream("*1\r\n" +
               message("18446744073709551615-18446744073709551615", fields)));
    assert_true(read_feed(*read.reply).sound);
}

// Times are added to it.
void a_length_is_bounded(void**) {
    for (const char* length : {"9223372036854775807", "31536000001"}) {
        Read read(
            stream("*1\r\n" +
                   message("7-0", words({"change", "uncacheable", "for", length,
                                         "box", "1", "key", "k"}))));
        const FeedPage page = read_feed(*read.reply);
        assert_true(page.sound);
        assert_int_equal(page.changes.size(), 1);
        assert_int_equal(page.changes[0].length, 31536000000);
    }
}

void an_answer_that_is_no_page_is_unsound(void**) {
    for (const std::string& bad :
         {std::string("+OK\r\n"), std::string(":1\r\n"), std::string("*0\r\n"),
          std::string("*2\r\n:1\r\n:1\r\n"), std::string("*1\r\n:1\r\n"),
          std::string("*1\r\n*1\r\n$1\r\nf\r\n"),
          std::string("*1\r\n*2\r\n$1\r\nf\r\n:1\r\n"), stream("*1\r\n:1\r\n"),
          stream("*1\r\n*1\r\n:1\r\n"), stream("*1\r\n*2\r\n:1\r\n:1\r\n")}) {
        Read read(bad);
        assert_false(read_feed(*read.reply).sound);
    }
}

void the_end_of_the_feed_is_its_newest_message(void**) {
    Read some("*1\r\n" + message("9-3", words({"change", "stored"})));
    FeedPage page = read_feed_part(*some.reply);
    assert_true(page.sound);
    assert_true(page.position == "9-3");
    Read none("*0\r\n");
    page = read_feed_part(*none.reply);
    assert_true(page.sound);
    assert_true(page.position.empty());
    Read wrong(":0\r\n");
    assert_false(read_feed_part(*wrong.reply).sound);
}

void a_message_is_looked_for_by_its_position(void**) {
    std::string out;
    append_feed_look(out, "p:feed", "5-1");
    assert_true(out == words({"XRANGE", "p:feed", "5-1", "5-1"}));
    Read there("*1\r\n" + message("5-1", words({"change", "stored"})));
    assert_true(read_feed_part(*there.reply).position == "5-1");
}

void a_page_with_all_it_may_have_is_full(void**) {
    std::string messages = "*24\r\n";
    for (int i = 0; i < 24; ++i) {
        messages += message(std::to_string(i) + "-1", words({"x", "y"}));
    }
    Read full(stream(messages));
    assert_true(read_feed(*full.reply).sound);
    assert_true(read_feed(*full.reply).full);
    assert_true(read_feed(*full.reply).first == "0-1");
    assert_true(read_feed(*full.reply).position == "23-1");
    Read other(stream("*1\r\n" + message("1-1", words({"x", "y"}))));
    assert_false(read_feed(*other.reply).full);
}

void without_time_to_wait_the_server_is_not_asked_to(void**) {
    std::string out;
    append_feed_read(out, "p:feed", "5-1", 0);
    assert_true(out ==
                words({"XREAD", "COUNT", "24", "STREAMS", "p:feed", "5-1"}));
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_a_message_of_a_capped_stream),
        cmocka_unit_test(the_feed_is_read_behind_the_last_message),
        cmocka_unit_test(each_kind_of_change_is_read_as_it_was_written),
        cmocka_unit_test(no_message_in_time_is_an_empty_page),
        cmocka_unit_test(what_cannot_be_understood_is_passed_over),
        cmocka_unit_test(a_position_is_two_numbers),
        cmocka_unit_test(a_length_is_bounded),
        cmocka_unit_test(an_answer_that_is_no_page_is_unsound),
        cmocka_unit_test(the_end_of_the_feed_is_its_newest_message),
        cmocka_unit_test(a_message_is_looked_for_by_its_position),
        cmocka_unit_test(a_page_with_all_it_may_have_is_full),
        cmocka_unit_test(without_time_to_wait_the_server_is_not_asked_to),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
