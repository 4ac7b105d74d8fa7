// reply_error_test.cpp: error replies are told apart by their first word.
#include "redis/reply_error.hpp"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
extern "C" {
#include <cmocka.h>
}

using cacheback::redis::concerns_writes;
using cacheback::redis::error_kind;
using cacheback::redis::ErrorKind;

namespace {

void each_error_of_redis_has_its_kind(void**) {
    const struct {
        const char* text;
        ErrorKind kind;
    } cases[] = {
        {"LOADING Redis is loading the dataset in memory", ErrorKind::loading},
        {"READONLY You can't write against a read only replica.",
         ErrorKind::readonly},
        {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data "
         "is set to 'no'.",
         ErrorKind::master_down},
        {"CLUSTERDOWN Hash slot not served", ErrorKind::cluster_down},
        {"TRYAGAIN Multiple keys request during rehashing of slot",
         ErrorKind::try_again},
        {"NOAUTH Authentication required.", ErrorKind::no_auth},
        {"WRONGPASS invalid username-password pair or user is disabled.",
         ErrorKind::wrong_pass},
        {"ERR invalid password", ErrorKind::wrong_pass},
        {"NOPERM this user has no permissions to run the 'get' command",
         ErrorKind::no_perm},
        {"OOM command not allowed when used memory > 'maxmemory'.",
         ErrorKind::oom},
        {"MISCONF Redis is configured to save RDB snapshots",
         ErrorKind::misconf},
        {"NOSCRIPT No matching script.", ErrorKind::no_script},
        {"MOVED 3999 127.0.0.1:6381", ErrorKind::moved},
        {"ASK 3999 127.0.0.1:6381", ErrorKind::ask},
        {"BUSY Redis is busy running a script.", ErrorKind::busy},
        {"WRONGTYPE Operation against a key holding the wrong kind of value",
         ErrorKind::other},
    };
    for (const auto& one : cases) {
        if (error_kind(one.text) != one.kind) { fail_msg("%s", one.text); }
    }
}

void only_whole_words_count(void**) {
    assert_true(error_kind("OOMPH") == ErrorKind::other);
    assert_true(error_kind("ERR OOM") == ErrorKind::other);
    assert_true(error_kind("") == ErrorKind::other);
    assert_true(error_kind("OOM") == ErrorKind::oom);
}

void a_full_or_readonly_server_still_answers_reads(void**) {
    assert_true(concerns_writes(ErrorKind::oom));
    assert_true(concerns_writes(ErrorKind::readonly));
    assert_true(concerns_writes(ErrorKind::misconf));
    assert_true(concerns_writes(ErrorKind::no_perm));
    assert_false(concerns_writes(ErrorKind::loading));
    assert_false(concerns_writes(ErrorKind::other));
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(each_error_of_redis_has_its_kind),
        cmocka_unit_test(only_whole_words_count),
        cmocka_unit_test(a_full_or_readonly_server_still_answers_reads),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
