// reason_test.cpp: the words of $cacheback_reason.
#include <set>
#include <string>

#include "core/reason.hpp"

#include "unit.hpp"

using namespace cacheback::core;

static void no_reason_is_an_empty_word(void**) {
    assert_text(word(Reason::none), "");
}

static void the_words_of_the_contract_stay(void**) {
    assert_text(word(Reason::cookie), "cookie");
    assert_text(word(Reason::collapsed), "collapsed");
    assert_text(word(Reason::error), "error");
    assert_text(word(Reason::redis), "redis");
    assert_text(word(Reason::zero_lifetime), "zero-lifetime");
    assert_text(word(Reason::is_private), "private");
    assert_text(word(Reason::no_store), "no-store");
    assert_text(word(Reason::unkeyed), "unkeyed");
    assert_text(word(Reason::min_uses), "min-uses");
    assert_text(word(Reason::slow_client), "slow-client");
}

static void every_reason_has_one_lower_case_word_of_its_own(void**) {
    std::set<std::string> words;
    const auto last = static_cast<unsigned>(Reason::offline);
    for (unsigned i = 1; i <= last; ++i) {
        const std::string text(word(static_cast<Reason>(i)));
        assert_true(text.size() >= 4);
        assert_true(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") ==
                    std::string::npos);
        assert_true(words.insert(text).second);
    }
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(no_reason_is_an_empty_word),
        cmocka_unit_test(the_words_of_the_contract_stay),
        cmocka_unit_test(every_reason_has_one_lower_case_word_of_its_own),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
