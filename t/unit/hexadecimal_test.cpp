// hexadecimal_test.cpp: numbers in names and messages.
#include "core/hexadecimal.hpp"

#include "unit.hpp"

using cacheback::core::hexadecimal;

static void a_number_has_sixteen_digits(void**) {
    assert_text(hexadecimal(0), "0000000000000000");
    assert_text(hexadecimal(0x1f), "000000000000001f");
    assert_text(hexadecimal(0xfedcba9876543210), "fedcba9876543210");
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_number_has_sixteen_digits),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
