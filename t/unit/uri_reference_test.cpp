// uri_reference_test.cpp: what a Location refers to, within one origin.
#include "core/uri_reference.hpp"

#include "unit.hpp"

using namespace cacheback::core;

namespace {

std::string target_of(std::string_view reference,
                      std::string_view authority = "example.com",
                      std::string_view scheme = "http") {
    return same_origin_target({scheme, authority, "/a/b/c?d=1"}, reference)
        .value_or("(none)");
}

}  // namespace

static void a_path_is_of_the_same_origin(void**) {
    assert_text(target_of("/x"), "/x");
    assert_text(target_of("/x?y=1#z"), "/x?y=1");
    assert_text(target_of(" /x "), "/x");
}

static void a_relative_reference_is_resolved_3986_5_2(void**) {
    assert_text(target_of("x"), "/a/b/x");
    assert_text(target_of("./x"), "/a/b/x");
    assert_text(target_of("../x"), "/a/x");
    assert_text(target_of("../../../x"), "/x");
    assert_text(target_of("x/../y/./z/.."), "/a/b/y/");
    assert_text(target_of(".."), "/a/");
    assert_text(target_of("?x=1"), "/a/b/c?x=1");
    assert_text(target_of("#x"), "/a/b/c?d=1");
    assert_text(target_of("x:y"), "(none)");
    assert_text(target_of("./x:y"), "/a/b/x:y");
    assert_text(target_of("/x/..?y=/../z"), "/?y=/../z");
}

static void an_absolute_one_of_this_origin_counts(void**) {
    assert_text(target_of("http://example.com/x?y"), "/x?y");
    assert_text(target_of("HTTP://EXAMPLE.com/x"), "/x");
    assert_text(target_of("http://example.com:80/x"), "/x");
    assert_text(target_of("http://example.com:/x"), "/x");
    assert_text(target_of("http://example.com"), "/");
    assert_text(target_of("http://example.com?x"), "/?x");
    assert_text(target_of("//example.com/x"), "/x");
    assert_text(target_of("https://example.com:443/x", "example.com", "https"),
                "/x");
    assert_text(target_of("http://example.com:8080/x", "example.com:8080"),
                "/x");
    assert_text(target_of("http://[::1]:8080/x", "[::1]:8080"), "/x");
    assert_text(target_of("http://[::1]/x", "[::1]:80"), "/x");
}

static void one_of_another_origin_does_not(void**) {
    for (const char* other :
         {"https://example.com/x", "http://example.org/x",
          "http://example.com:8080/x", "//example.org/x", "ftp://example.com/x",
          "http://example.com.evil/x", "http://example.com@evil/x", "http:///x",
          "mailto:a@example.com", "http:/x"}) {
        assert_text(target_of(other), "(none)");
    }
    assert_text(target_of("http://example.com/x", "example.com:8080"),
                "(none)");
}

static void what_is_no_reference_refers_to_nothing(void**) {
    for (const char* bad : {"/a b", "/a\tb", "/a\\b", "/a\x7f"}) {
        assert_text(target_of(bad), "(none)");
    }
}

static void an_origin_is_scheme_host_and_port_6454_4(void**) {
    assert_text(origin_of("https", "Example.ORG"), "https://example.org");
    assert_text(origin_of("https", "example.org:443"), "https://example.org");
    assert_text(origin_of("http", "example.org:443"), "http://example.org:443");
    assert_text(origin_of("http", "example.org:"), "http://example.org");
    assert_text(origin_of("http", "[::1]:8080"), "http://[::1]:8080");
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_of_the_same_origin),
        cmocka_unit_test(a_relative_reference_is_resolved_3986_5_2),
        cmocka_unit_test(an_absolute_one_of_this_origin_counts),
        cmocka_unit_test(one_of_another_origin_does_not),
        cmocka_unit_test(what_is_no_reference_refers_to_nothing),
        cmocka_unit_test(an_origin_is_scheme_host_and_port_6454_4),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
