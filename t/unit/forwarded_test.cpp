// forwarded_test.cpp: whether a Forwarded field says what the key says.
#include "core/forwarded.hpp"

#include "unit.hpp"

using namespace cacheback::core;

static bool agrees(std::string_view value) {
    return forwarded_agrees(value, "one.test", "https");
}

static void who_it_is_for_and_by_says_nothing_of_the_way_in(void**) {
    assert_true(agrees(""));
    assert_true(agrees("for=192.0.2.1"));
    assert_true(agrees("for=\"[2001:db8::1]:4711\";by=203.0.113.43"));
    assert_true(agrees("for=localhost, for=protocol"));
}

static void the_host_and_scheme_of_the_key_agree(void**) {
    assert_true(agrees("for=192.0.2.1;host=one.test;proto=https"));
    assert_true(agrees("Host=\"One.Test\";PROTO=\"https\", proto=https"));
    assert_true(agrees("proto = https ; host =\"one.test\""));
}

static void another_host_does_not(void**) {
    assert_false(agrees("host=two.test"));
    assert_false(agrees("proto=https;host=one.test, host=two.test"));
    assert_false(agrees("host=one.test.evil"));
    assert_false(agrees("host=one.test:81"));
    assert_false(agrees("host=\"one\\.test\""));
    assert_false(agrees("host="));
    assert_false(agrees("host=\"\""));
}

static void another_scheme_does_not(void**) {
    for (const char* bad : {"proto=http", "proto=HTTPS", "proto=https,proto=x",
                            "for=a;proto=wss", "proto=", "proto=\"http"}) {
        assert_false(agrees(bad));
    }
}

static void what_one_reader_may_take_for_a_host_counts_in_quotes_too(void**) {
    assert_false(agrees("for=\"a;host=two.test\""));
    assert_false(agrees("for=a\";host=two.test;\""));
    assert_false(agrees("for=a proto=http"));
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(who_it_is_for_and_by_says_nothing_of_the_way_in),
        cmocka_unit_test(the_host_and_scheme_of_the_key_agree),
        cmocka_unit_test(another_host_does_not),
        cmocka_unit_test(another_scheme_does_not),
        cmocka_unit_test(
            what_one_reader_may_take_for_a_host_counts_in_quotes_too),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
