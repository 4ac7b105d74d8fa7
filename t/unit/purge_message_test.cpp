// purge_message_test.cpp: purged tags, as commands and as replies.
#include "redis/purge_message.hpp"

#include "unit.hpp"

using namespace cacheback::redis;

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

MarksPage page_of(const std::string& bytes) {
    return read_marks(*Read(bytes).reply);
}

bool is_judgement(std::string_view text) {
    return read_judged(*Read(word(text)).reply).has_value();
}

}  // namespace

static void tags_are_sixteen_digits_each(void**) {
    assert_text(write_tags({0x1f, 0xfedcba9876543210}),
                "000000000000001f fedcba9876543210");
    assert_true(read_tags("000000000000001f fedcba9876543210") ==
                std::vector<std::uint64_t>({0x1f, 0xfedcba9876543210}));
    assert_text(write_tags({}), "");
}

static void what_is_no_tag_is_left_out(void**) {
    assert_true(read_tags("1f 00000000000000xy  000000000000001f").size() == 1);
    assert_true(read_tags("").empty());
}

static void a_purge_says_all_that_the_script_needs(void**) {
    std::string out;
    append_purge(out, {"p:m", "p:feed"}, true, 77, 0xab, {0x1f});
    const std::string end = word("2") + word("p:m") + word("p:feed") +
                            word("77") + word("00000000000000ab") +
                            word("8192") + word("000000000000001f") +
                            word("g") + word("tags-gone") + word("65536");
    assert_true(out.size() > end.size());
    assert_text(out.substr(out.size() - end.size()), end);

    out.clear();
    append_purge(out, {"p:m", "p:feed"}, false, 0, 1, {2});
    assert_true(out.find(word("s") + word("tags-stale")) != std::string::npos);
}

static void the_last_page_tells_since_when_all_are_known(void**) {
    const MarksPage page = page_of(
        words({"g000000000000001f", "1795400000002", "s0000000000000020",
               "1795400000001", "-", "1795400000000"}));
    assert_true(page.sound);
    assert_int_equal(page.marks.size(), 2);
    assert_int_equal(page.marks[0].tag, 0x1f);
    assert_true(page.marks[0].gone);
    assert_int_equal(page.marks[0].number, 1795400000002);
    assert_false(page.marks[1].gone);
    assert_int_equal(page.known_since.value(), 1795400000000);
    assert_int_equal(page.highest, 1795400000002);
    assert_int_equal(page.lowest, 1795400000000);
}

static void a_full_page_is_followed_by_another(void**) {
    std::string bytes = "*" + std::to_string(2 * marks_of_page) + "\r\n";
    for (std::size_t i = 0; i < marks_of_page; ++i) {
        bytes += word("g000000000000001f") + word(std::to_string(9000 - i));
    }
    const MarksPage page = page_of(bytes);
    assert_true(page.sound);
    assert_false(page.known_since.has_value());
    assert_int_equal(page.lowest, 9001 - marks_of_page);
}

static void marks_of_somebody_else_are_refused(void**) {
    assert_false(page_of(words({})).sound);
    assert_false(page_of(words({"g000000000000001f", "5"})).sound);
    assert_false(page_of(words({"-", "x"})).sound);
    assert_false(page_of(words({"-", "-1"})).sound);
    assert_false(page_of(words({"-", "1e300"})).sound);
    assert_true(page_of(words({"-", "4398046511103"})).sound);
    assert_false(page_of(words({"-", "4398046511104"})).sound);
    assert_false(page_of(words({"-", "1", "g"})).sound);
    assert_false(page_of("*2\r\n*0\r\n$1\r\n1\r\n").sound);
    assert_false(page_of("$1\r\n-\r\n").sound);
    assert_true(page_of(words({"other", "5", "-", "1"})).marks.empty());
}

static void a_judgement_is_four_numbers(void**) {
    const auto judged = read_judged(*Read(word("1 2 3 4")).reply);
    assert_true(judged.has_value());
    assert_int_equal(judged->known_since, 1);
    assert_int_equal(judged->stale, 2);
    assert_int_equal(judged->gone, 3);
    assert_int_equal(judged->last, 4);
    for (const char* bad :
         {"", "1 2 3", "1 2 3 4 5", "1 2 3 x", "1 2  4", "-1 2 3 4"}) {
        assert_false(is_judgement(bad));
    }
    assert_false(read_judged(*Read("*0\r\n").reply).has_value());
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_sixteen_digits_each),
        cmocka_unit_test(what_is_no_tag_is_left_out),
        cmocka_unit_test(a_purge_says_all_that_the_script_needs),
        cmocka_unit_test(the_last_page_tells_since_when_all_are_known),
        cmocka_unit_test(a_full_page_is_followed_by_another),
        cmocka_unit_test(marks_of_somebody_else_are_refused),
        cmocka_unit_test(a_judgement_is_four_numbers),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
