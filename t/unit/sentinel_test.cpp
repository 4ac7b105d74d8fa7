// sentinel_test.cpp: whom to believe when Sentinels tell who the master is.
#include "redis/sentinel.hpp"

#include "unit.hpp"

using namespace cacheback::redis;

namespace {

// The answer to SENTINEL MASTER with these words.
std::optional<SentinelMaster> read(const std::vector<std::string>& words) {
    std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words) {
        bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    }
    ReplyReader reader(4096);
    assert_true(reader.feed(bytes));
    const Reply* reply = reader.next();
    assert_non_null(reply);
    return read_sentinel_master(*reply);
}

const SentinelMaster* choose(const std::vector<SentinelMaster>& answers) {
    return choose_master(answers);
}

}  // namespace

static void a_sentinel_names_address_port_and_epoch(void**) {
    const auto master = read({"name", "main", "ip", "10.0.0.1", "port", "7000",
                              "flags", "master", "config-epoch", "12"});
    assert_true(master.has_value());
    assert_string_equal(master->host.c_str(), "10.0.0.1");
    assert_int_equal(master->port, 7000);
    assert_int_equal(master->epoch, 12);
}

static void what_lacks_one_of_them_is_no_answer(void**) {
    assert_false(read({"ip", "10.0.0.1", "port", "7000"}).has_value());
    assert_false(read({"port", "7000", "config-epoch", "1"}).has_value());
    assert_false(read({"ip", "h", "config-epoch", "1"}).has_value());
    assert_false(
        read({"ip", "", "port", "1", "config-epoch", "1"}).has_value());
    assert_false(read({}).has_value());
}

static void a_port_that_is_none_is_no_answer(void**) {
    for (const char* port : {"0", "65536", "-1", "x", "", "70 "}) {
        assert_false(
            read({"ip", "h", "port", port, "config-epoch", "1"}).has_value());
    }
}

// It is looked up, and written to the log.
static void a_host_is_a_name_or_an_address(void**) {
    for (const char* host : {"h\x1b[2J", "a b", "h\n", "h/"}) {
        assert_false(
            read({"ip", host, "port", "1", "config-epoch", "1"}).has_value());
    }
}

static void a_name_without_a_value_is_ignored(void**) {
    assert_true(read({"ip", "h", "port", "1", "config-epoch", "1", "flags"})
                    .has_value());
}

static void an_error_is_no_answer(void**) {
    ReplyReader reader(4096);
    assert_true(reader.feed("-ERR No such master with that name\r\n"));
    assert_false(read_sentinel_master(*reader.next()).has_value());
}

static void the_latest_failover_is_believed(void**) {
    const std::vector<SentinelMaster> answers = {
        {"old", 1, 4}, {"new", 1, 5}, {"old", 1, 4}};
    assert_string_equal(choose(answers)->host.c_str(), "new");
}

static void what_most_say_of_it_is_believed(void**) {
    const std::vector<SentinelMaster> answers = {
        {"a", 1, 5}, {"b", 1, 5}, {"b", 1, 5}, {"a", 1, 4}, {"a", 1, 4}};
    assert_string_equal(choose(answers)->host.c_str(), "b");
    const std::vector<SentinelMaster> ports = {
        {"a", 1, 5}, {"a", 2, 5}, {"a", 2, 5}};
    assert_int_equal(choose(ports)->port, 2);
}

static void of_none_nobody_is_believed(void**) { assert_null(choose({})); }

static void the_question_names_the_master(void**) {
    std::string out;
    append_sentinel_master(out, "main");
    assert_string_equal(
        out.c_str(), "*3\r\n$8\r\nSENTINEL\r\n$6\r\nMASTER\r\n$4\r\nmain\r\n");
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_sentinel_names_address_port_and_epoch),
        cmocka_unit_test(what_lacks_one_of_them_is_no_answer),
        cmocka_unit_test(a_port_that_is_none_is_no_answer),
        cmocka_unit_test(a_host_is_a_name_or_an_address),
        cmocka_unit_test(a_name_without_a_value_is_ignored),
        cmocka_unit_test(an_error_is_no_answer),
        cmocka_unit_test(the_latest_failover_is_believed),
        cmocka_unit_test(what_most_say_of_it_is_believed),
        cmocka_unit_test(of_none_nobody_is_believed),
        cmocka_unit_test(the_question_names_the_master),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
