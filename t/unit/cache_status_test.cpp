// cache_status_test.cpp: the members of Cache-Status (RFC 9211).
#include "core/cache_status.hpp"

#include "unit.hpp"

using namespace cacheback::core;

namespace {

std::string name_of(std::string_view text) {
    return cache_name(text).value_or("(none)");
}

CacheStatus forwarded(Forward why) {
    CacheStatus status;
    status.forward = why;
    return status;
}

}  // namespace

static void a_token_stays_as_it_is(void**) {
    assert_text(name_of("ExampleCache"), "ExampleCache");
    assert_text(name_of("*edge-1.example.com:443/x"),
                "*edge-1.example.com:443/x");
}

static void what_is_no_token_becomes_a_string(void**) {
    assert_text(name_of("CDN Company Here"), "\"CDN Company Here\"");
    assert_text(name_of("1st"), "\"1st\"");
    assert_text(name_of("a\"b\\c"), "\"a\\\"b\\\\c\"");
}

static void a_string_in_quotes_must_be_right_within(void**) {
    assert_text(name_of("\"CDN \\\"x\\\" Here\""), "\"CDN \\\"x\\\" Here\"");
    for (const char* bad :
         {"\"", "\"open", "\"a\"b\"", "\"a\\\"", "\"a\\b\""}) {
        assert_text(name_of(bad), "(none)");
    }
}

static void neither_token_nor_string_is_no_name(void**) {
    for (const char* bad : {"", "caf\xc3\xa9", "a\tb", "a\x7f"}) {
        assert_text(name_of(bad), "(none)");
    }
}

static void a_hit_says_how_long_it_stays_fresh(void**) {
    CacheStatus status;
    status.hit = true;
    status.ttl = 376;
    assert_text(cache_status("ExampleCache", status),
                "ExampleCache; hit; ttl=376");
}

static void a_stale_hit_has_a_negative_ttl(void**) {
    CacheStatus status;
    status.hit = true;
    status.ttl = -412;
    assert_text(cache_status("ExampleCache", status),
                "ExampleCache; hit; ttl=-412");
}

static void each_way_to_the_origin_has_its_word(void**) {
    const std::pair<Forward, const char*> words[] = {
        {Forward::bypass, "bypass"},     {Forward::method, "method"},
        {Forward::uri_miss, "uri-miss"}, {Forward::vary_miss, "vary-miss"},
        {Forward::miss, "miss"},         {Forward::request, "request"},
        {Forward::stale, "stale"},       {Forward::partial, "partial"},
    };
    for (const auto& [why, word] : words) {
        assert_text(cache_status("c", forwarded(why)),
                    std::string("c; fwd=") + word);
    }
}

static void a_validated_response_names_the_origins_status(void**) {
    CacheStatus status = forwarded(Forward::stale);
    status.forward_status = 304;
    assert_text(cache_status("ExampleCache", status),
                "ExampleCache; fwd=stale; fwd-status=304");
}

static void a_collapsed_request_says_whether_it_worked(void**) {
    CacheStatus status = forwarded(Forward::uri_miss);
    status.collapsed = true;
    assert_text(cache_status("ExampleCache", status),
                "ExampleCache; fwd=uri-miss; collapsed");
    status.collapsed = false;
    assert_text(cache_status("ExampleCache", status),
                "ExampleCache; fwd=uri-miss; collapsed=?0");
}

static void all_that_is_known_stands_in_one_member(void**) {
    CacheStatus status = forwarded(Forward::uri_miss);
    status.forward_status = 200;
    status.ttl = 60;
    status.stored = true;
    status.key = "http://h/o?a=1";
    status.detail = "conditional";
    assert_text(cache_status("c", status),
                "c; fwd=uri-miss; fwd-status=200; ttl=60; stored; "
                "key=\"http://h/o?a=1\"; detail=conditional");
}

static void no_key_can_end_the_member_or_the_field(void**) {
    CacheStatus status;
    status.key = std::string_view("a\", b; \\\r\n\xc3\xa9\0", 13);
    assert_text(cache_status("c", status),
                "c; key=\"a\\\", b; \\\\%0D%0A%C3%A9%00\"");
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_token_stays_as_it_is),
        cmocka_unit_test(what_is_no_token_becomes_a_string),
        cmocka_unit_test(a_string_in_quotes_must_be_right_within),
        cmocka_unit_test(neither_token_nor_string_is_no_name),
        cmocka_unit_test(a_hit_says_how_long_it_stays_fresh),
        cmocka_unit_test(a_stale_hit_has_a_negative_ttl),
        cmocka_unit_test(each_way_to_the_origin_has_its_word),
        cmocka_unit_test(a_validated_response_names_the_origins_status),
        cmocka_unit_test(a_collapsed_request_says_whether_it_worked),
        cmocka_unit_test(all_that_is_known_stands_in_one_member),
        cmocka_unit_test(no_key_can_end_the_member_or_the_field),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
