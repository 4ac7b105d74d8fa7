// method_test.cpp: which methods change nothing.
#include "core/method.hpp"

#include "unit.hpp"

using namespace cacheback::core;

static void methods_that_are_registered_as_safe_are_safe(void**) {
    for (const char* method : {"GET", "HEAD", "OPTIONS", "TRACE", "QUERY",
                               "PROPFIND", "REPORT", "SEARCH"}) {
        assert_true(is_safe_method(method));
    }
}

static void methods_that_change_something_are_not(void**) {
    for (const char* method :
         {"POST", "PUT", "DELETE", "PATCH", "MKCOL", "MOVE", "PURGE"}) {
        assert_false(is_safe_method(method));
    }
}

static void a_method_nobody_knows_is_not(void**) {
    assert_false(is_safe_method("FROB"));
    assert_false(is_safe_method("get"));
    assert_false(is_safe_method(""));
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(methods_that_are_registered_as_safe_are_safe),
        cmocka_unit_test(methods_that_change_something_are_not),
        cmocka_unit_test(a_method_nobody_knows_is_not),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
