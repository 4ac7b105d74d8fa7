// vary_record_test.cpp: what stands in the place of an item that varies.
#include "core/vary_record.hpp"

#include "unit.hpp"

using namespace cacheback::core;

static void a_record_is_read_as_it_was_written(void**) {
    const std::string bytes =
        write_vary_record({"0123456789abcdef", "accept,x-a"});
    assert_text(bytes, "cachevar 1 0123456789abcdef accept,x-a");
    assert_true(begins_vary_record(bytes));
    const auto record = read_vary_record(bytes);
    assert_true(record.has_value());
    assert_text(record->generation, "0123456789abcdef");
    assert_text(record->names, "accept,x-a");
}

static void what_is_no_record_is_not_read(void**) {
    for (const char* bad :
         {"", "cachevar", "cachevar 1 ", "cachevar 1 0123456789abcdef",
          "cachevar 1 0123456789abcdef ", "cachevar 1 0123456789abcdef B",
          "cachevar 1 0123456789abcdef b,a", "cachevar 1 0123456789ABCDEF a",
          "cachevar 1 0123456789abcde a", "cachevar 1 0123456789abcdef0 a",
          "cachevar 1 0123456789abcdef-a", "cachevar 2 0123456789abcdef a",
          "cacheent 1 0123456789abcdef a"}) {
        // A copy of its own, so that the sanitizer sees its end.
        const std::string copy(bad);
        assert_false(read_vary_record(copy).has_value());
    }
}

static void an_entry_begins_no_record(void**) {
    assert_false(begins_vary_record("cacheent"));
    assert_false(begins_vary_record("cachevar"));
    assert_false(begins_vary_record(""));
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_read_as_it_was_written),
        cmocka_unit_test(what_is_no_record_is_not_read),
        cmocka_unit_test(an_entry_begins_no_record),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
