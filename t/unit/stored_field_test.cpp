// stored_field_test.cpp: which fields an entry holds, and their kinds.
#include "core/stored_field.hpp"

#include "unit.hpp"

using namespace cacheback::core;

static void each_typed_field_has_its_kind_in_any_case(void**) {
    const struct {
        const char* name;
        FieldKind kind;
    } known[] = {
        {"Content-Type", FieldKind::content_type},
        {"CONTENT-ENCODING", FieldKind::content_encoding},
        {"location", FieldKind::location},
        {"ETag", FieldKind::etag},
        {"Cache-Control", FieldKind::cache_control},
        {"Expires", FieldKind::expires},
        {"Link", FieldKind::link},
        {"WWW-Authenticate", FieldKind::www_authenticate},
        {"Vary", FieldKind::vary},
        {"Refresh", FieldKind::refresh},
        {"Last-Modified", FieldKind::last_modified},
        {"Date", FieldKind::date},
        {"Content-Range", FieldKind::content_range},
    };
    for (const auto& field : known) {
        assert_true(kind_of(field.name) == field.kind);
    }
    for (const char* other : {"", "X-ETag", "etaG2", "linx", "Content-Typf",
                              "Content-Encodinh", "Last-Modifiee", "Datf"}) {
        assert_true(kind_of(other) == FieldKind::other);
    }
}

static void the_numbers_of_the_kinds_are_part_of_the_format(void**) {
    assert_int_equal(static_cast<int>(FieldKind::other), 0);
    assert_int_equal(static_cast<int>(FieldKind::content_type), 1);
    assert_int_equal(static_cast<int>(FieldKind::content_encoding), 2);
    assert_int_equal(static_cast<int>(FieldKind::location), 3);
    assert_int_equal(static_cast<int>(FieldKind::etag), 4);
    assert_int_equal(static_cast<int>(FieldKind::cache_control), 5);
    assert_int_equal(static_cast<int>(FieldKind::expires), 6);
    assert_int_equal(static_cast<int>(FieldKind::link), 7);
    assert_int_equal(static_cast<int>(FieldKind::www_authenticate), 8);
    assert_int_equal(static_cast<int>(FieldKind::vary), 9);
    assert_int_equal(static_cast<int>(FieldKind::refresh), 10);
    assert_int_equal(static_cast<int>(FieldKind::last_modified), 11);
    assert_int_equal(static_cast<int>(FieldKind::date), 12);
    assert_int_equal(static_cast<int>(FieldKind::content_range), 13);
}

static void fields_of_one_connection_or_of_nginx_are_never_stored(void**) {
    for (const char* name : {"Connection",
                             "Keep-Alive",
                             "TE",
                             "Trailer",
                             "Transfer-Encoding",
                             "Upgrade",
                             "Proxy-Authenticate",
                             "Proxy-Authentication-Info",
                             "Proxy-Authorization",
                             "Proxy-Connection",
                             "HTTP2-Settings",
                             "Content-Length",
                             "Content-Range",
                             "Age",
                             "Server",
                             "Accept-Ranges",
                             "Set-Cookie",
                             "Set-Cookie2",
                             "X-Accel-Expires",
                             "x-accel-anything",
                             ""}) {
        assert_true(never_stored(name, PolicyName::cacheback));
    }
}

static void by_the_rfc_cookies_and_content_range_are_stored_3_1_7_3(void**) {
    for (const char* name : {"Set-Cookie", "Set-Cookie2", "Content-Range"}) {
        assert_false(never_stored(name, PolicyName::rfc9111));
    }
    for (const char* name :
         {"Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding",
          "Upgrade", "Proxy-Authenticate", "Proxy-Authentication-Info",
          "Proxy-Authorization", "Proxy-Connection", "HTTP2-Settings",
          "Content-Length", "Age", "Server", "Accept-Ranges", "X-Accel-Expires",
          ""}) {
        assert_true(never_stored(name, PolicyName::rfc9111));
    }
}

static void a_targeted_field_names_fields_to_leave_out_too(void**) {
    const FieldList targeted{
        {"CDN-Cache-Control", "max-age=60, no-cache=\"x-a, x-b\""}};
    assert_true(is_named_out(targeted, "X-B"));
    assert_false(is_named_out(targeted, "X-C"));
}

static void other_fields_are_stored(void**) {
    for (const char* name :
         {"Content-Type", "ETag", "X-Acc", "Cookie", "Dates", "Proxy",
          "Content-Location", "Aged", "Server-Timing", "Upgrade-Insecure",
          "Strict-Transport-Security", "Cache-Control", "Vary", "Date",
          "Last-Modified", "Proxy-Status"}) {
        assert_false(never_stored(name, PolicyName::cacheback));
    }
}

static void nothing_that_ends_a_field_is_safe(void**) {
    assert_true(is_safe("X-A", ""));
    assert_true(is_safe("X-A", "b\tc \xff"));
    assert_false(is_safe("X-A", "b\rc"));
    assert_false(is_safe("X-A", "b\nc"));
    assert_false(is_safe("X-A", std::string_view("b\0c", 3)));
    assert_false(is_safe("X A", "b"));
    assert_false(is_safe("X-A:", "b"));
    assert_false(is_safe("", "b"));
}

static void every_byte_of_a_value_is_looked_at(void**) {
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        const bool safe = c != '\r' && c != '\n' && c != '\0';
        for (std::size_t at = 0; at < 20; ++at) {
            std::string value(20, 'v');
            value[at / 2] = '\t';  // the first to stop the quick look
            value[at] = c;
            assert_int_equal(is_safe("X-A", value), safe);
        }
    }
}

static void what_connection_and_cache_control_name_is_left_out(void**) {
    const FieldList response{{"Connection", "close, X-Hop"},
                             {"Cache-Control", "max-age=1"},
                             {"cache-control", "no-cache=\"X-A, X-B\""}};
    assert_true(is_named_out(response, "x-hop"));
    assert_true(is_named_out(response, "X-B"));
    assert_false(is_named_out(response, "X-C"));
    assert_false(is_named_out({}, "X-C"));
}

static void connection_alone_names_what_is_for_one_connection_9110_7_6_1(
    void**) {
    const FieldList response{{"connection", "close, X-Hop"},
                             {"Connection", "X-Hop2"},
                             {"Cache-Control", "no-cache=\"X-A\""}};
    assert_true(is_of_connection(response, "x-hop"));
    assert_true(is_of_connection(response, "X-HOP2"));
    assert_false(is_of_connection(response, "X-A"));
    assert_false(is_of_connection(response, "X-Ho"));
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(each_typed_field_has_its_kind_in_any_case),
        cmocka_unit_test(the_numbers_of_the_kinds_are_part_of_the_format),
        cmocka_unit_test(fields_of_one_connection_or_of_nginx_are_never_stored),
        cmocka_unit_test(
            by_the_rfc_cookies_and_content_range_are_stored_3_1_7_3),
        cmocka_unit_test(a_targeted_field_names_fields_to_leave_out_too),
        cmocka_unit_test(other_fields_are_stored),
        cmocka_unit_test(nothing_that_ends_a_field_is_safe),
        cmocka_unit_test(every_byte_of_a_value_is_looked_at),
        cmocka_unit_test(what_connection_and_cache_control_name_is_left_out),
        cmocka_unit_test(
            connection_alone_names_what_is_for_one_connection_9110_7_6_1),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
