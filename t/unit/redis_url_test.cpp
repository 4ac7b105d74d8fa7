// redis_url_test.cpp: the address of a Redis server as an operator writes it.
#include <string>

#include "store/fleet/redis_url.hpp"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
extern "C" {
#include <cmocka.h>
}

using cacheback::store::parse_redis_url;
using cacheback::store::RedisUrl;

namespace {

RedisUrl good(const char* text) {
    RedisUrl url;
    const std::string error = parse_redis_url(text, url);
    assert_string_equal(error.c_str(), "");
    return url;
}

std::string bad(const char* text) {
    RedisUrl url;
    return parse_redis_url(text, url);
}

void a_host_alone_means_port_6379_and_database_0(void**) {
    const RedisUrl url = good("redis://cache.example");
    assert_false(url.is_unix);
    assert_string_equal(url.host.c_str(), "cache.example");
    assert_int_equal(url.port, 6379);
    assert_int_equal(url.db, 0);
    assert_true(url.user.empty() && url.password.empty());
}

void port_and_database_are_read(void**) {
    const RedisUrl url = good("redis://127.0.0.1:6380/15");
    assert_string_equal(url.host.c_str(), "127.0.0.1");
    assert_int_equal(url.port, 6380);
    assert_int_equal(url.db, 15);
    assert_int_equal(good("redis://h/").db, 0);
}

void an_ipv6_address_stands_in_brackets(void**) {
    RedisUrl url = good("redis://[::1]:7000/1");
    assert_string_equal(url.host.c_str(), "::1");
    assert_int_equal(url.port, 7000);
    assert_string_equal(url.address().c_str(), "[::1]:7000");
    assert_string_equal(good("redis://[::1]").host.c_str(), "::1");
}

void user_and_password_are_read_and_decoded(void**) {
    const RedisUrl url = good("redis://ann:p%40ss%3Aw%2ford@h:1");
    assert_string_equal(url.user.c_str(), "ann");
    assert_string_equal(url.password.c_str(), "p@ss:w/ord");
    assert_string_equal(url.host.c_str(), "h");
}

void a_password_may_come_without_user(void**) {
    const RedisUrl url = good("redis://:secret@h");
    assert_true(url.user.empty());
    assert_string_equal(url.password.c_str(), "secret");
}

void a_user_may_come_without_password(void**) {
    const RedisUrl url = good("redis://ann@h");
    assert_string_equal(url.user.c_str(), "ann");
    assert_true(url.password.empty());
}

void a_password_may_hold_an_at_and_a_slash(void**) {
    const RedisUrl url = good("redis://:a@b/c@h/2");
    assert_string_equal(url.password.c_str(), "a@b/c");
    assert_string_equal(url.host.c_str(), "h");
    assert_int_equal(url.db, 2);
}

void a_socket_is_named_by_its_path(void**) {
    RedisUrl url = good("unix:/run/redis/redis.sock");
    assert_true(url.is_unix);
    assert_string_equal(url.path.c_str(), "/run/redis/redis.sock");
    assert_int_equal(url.db, 0);
    url = good("unix:/run/r.sock?db=3");
    assert_string_equal(url.path.c_str(), "/run/r.sock");
    assert_int_equal(url.db, 3);
    assert_string_equal(url.address().c_str(), "unix:/run/r.sock");
    assert_string_equal(url.masked().c_str(), "unix:/run/r.sock?db=3");
}

void logs_never_show_the_password(void**) {
    const RedisUrl url = good("redis://ann:secret@h:1/2");
    assert_string_equal(url.address().c_str(), "h:1");
    assert_string_equal(url.masked().c_str(), "redis://ann:***@h:1/2");
    assert_string_equal(good("redis://secret@h").masked().c_str(),
                        "redis://***@h:6379/0");
}

void errors_never_show_the_password(void**) {
    for (const char* text : {
             "redis://ann:secret@h:99999",
             "redis://ann:secret@",
             "redis://ann:secret",
             "redis://secret@h:0",
             "redis://:sec%ret@h",
             "redis://:secret@h/x",
             "rediss://:secret@h:0",
             "http://ann:secret@h",
             "ann:secret@h",
             "secret@h:6379",
             "redis:/:secret@h",
             "redis:ann:secret@h/0",
         }) {
        const std::string error = bad(text);
        assert_false(error.empty());
        assert_true(error.find("secret") == std::string::npos);
        assert_true(error.find("sec%ret") == std::string::npos);
    }
}

void an_unknown_form_is_told_the_known_ones(void**) {
    assert_string_equal(bad("127.0.0.1:6379").c_str(),
                        "invalid value \"127.0.0.1:6379\", expected "
                        "\"redis://[[user]:password@]host[:port][/db]\", "
                        "\"rediss://...\" for TLS, or "
                        "\"unix:path[?db=N]\"");
}

void two_s_ask_for_tls(void**) {
    const RedisUrl url = good("rediss://ann:secret@h:6380/2");
    assert_true(url.tls);
    assert_string_equal(url.host.c_str(), "h");
    assert_int_equal(url.port, 6380);
    assert_string_equal(url.masked().c_str(), "rediss://ann:***@h:6380/2");
    assert_false(good("redis://h").tls);
    assert_false(good("unix:/s").tls);
}

void the_default_port_is_the_callers(void**) {
    RedisUrl url;
    assert_string_equal(parse_redis_url("redis://h", url, 26379).c_str(), "");
    assert_int_equal(url.port, 26379);
    assert_string_equal(parse_redis_url("redis://h:1", url, 26379).c_str(), "");
    assert_int_equal(url.port, 1);
}

void mistakes_are_named(void**) {
    assert_string_equal(bad("redis://h:0").c_str(),
                        "invalid port, expected a number from 1 to 65535 in "
                        "\"redis://h:0\"");
    assert_string_equal(bad("redis://h:65536").c_str(),
                        "invalid port, expected a number from 1 to 65535 in "
                        "\"redis://h:***\"");
    assert_string_equal(bad("redis://h:").c_str(),
                        "invalid port, expected a number from 1 to 65535 in "
                        "\"redis://h:***\"");
    assert_string_equal(bad("redis://").c_str(), "no host in \"redis://\"");
    assert_string_equal(bad("redis://:6379").c_str(),
                        "no host in \"redis://:6379\"");
    assert_string_equal(bad("redis://h/x").c_str(),
                        "invalid database \"x\", expected a number such as "
                        "\"0\" in \"redis://h/x\"");
    assert_string_equal(bad("redis://h/-1").c_str(),
                        "invalid database \"-1\", expected a number such as "
                        "\"0\" in \"redis://h/-1\"");
    assert_string_equal(bad("redis://[::1").c_str(),
                        "invalid host \"[::1\", expected \"[address]\" in "
                        "\"redis://[::1\"");
    assert_string_equal(bad("redis://:a%2@h").c_str(),
                        "invalid percent-encoding in the login in "
                        "\"redis://:***@h\"");
    assert_string_equal(bad("redis://:a%00b@h").c_str(),
                        "invalid percent-encoding in the login in "
                        "\"redis://:***@h\"");
    assert_string_equal(bad("unix:").c_str(),
                        "no path of the socket in \"unix:\"");
    assert_string_equal(bad("unix:/s?x=1").c_str(),
                        "invalid argument \"x=1\", expected \"db=N\" in "
                        "\"unix:/s?x=1\"");
    assert_string_equal(bad("unix:/s?db=").c_str(),
                        "invalid database \"\", expected a number such as "
                        "\"0\" in \"unix:/s?db=\"");
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_host_alone_means_port_6379_and_database_0),
        cmocka_unit_test(port_and_database_are_read),
        cmocka_unit_test(an_ipv6_address_stands_in_brackets),
        cmocka_unit_test(user_and_password_are_read_and_decoded),
        cmocka_unit_test(a_password_may_come_without_user),
        cmocka_unit_test(a_user_may_come_without_password),
        cmocka_unit_test(a_password_may_hold_an_at_and_a_slash),
        cmocka_unit_test(a_socket_is_named_by_its_path),
        cmocka_unit_test(logs_never_show_the_password),
        cmocka_unit_test(errors_never_show_the_password),
        cmocka_unit_test(an_unknown_form_is_told_the_known_ones),
        cmocka_unit_test(two_s_ask_for_tls),
        cmocka_unit_test(the_default_port_is_the_callers),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
