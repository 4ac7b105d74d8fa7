// section_memo_test.cpp: sections that were made before.
#include "core/section_memo.hpp"

#include "unit.hpp"

using cacheback::core::SectionMemo;

static void a_section_is_found_by_its_hash_alone(void**) {
    SectionMemo memo;
    assert_null(memo.find(7));
    memo.keep(7, "en");
    assert_non_null(memo.find(7));
    assert_text(*memo.find(7), "en");
    assert_null(memo.find(7 + SectionMemo::places));
    assert_null(memo.find(0));
}

static void the_last_one_takes_the_place(void**) {
    SectionMemo memo;
    memo.keep(7, "en");
    memo.keep(7 + SectionMemo::places, "de");
    assert_null(memo.find(7));
    assert_text(*memo.find(7 + SectionMemo::places), "de");
}

static void what_is_too_long_is_not_kept(void**) {
    SectionMemo memo;
    memo.keep(7, std::string(SectionMemo::max_section + 1, 'x'));
    assert_null(memo.find(7));
    memo.keep(7, std::string(SectionMemo::max_section, 'x'));
    assert_non_null(memo.find(7));
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_section_is_found_by_its_hash_alone),
        cmocka_unit_test(the_last_one_takes_the_place),
        cmocka_unit_test(what_is_too_long_is_not_kept),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
