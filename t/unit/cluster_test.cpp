// cluster_test.cpp: which node of a cluster holds which keys.
#include "redis/cluster.hpp"

#include "unit.hpp"

using namespace cacheback::redis;

namespace {

// As a node of three with replicas says it.
constexpr const char* three =
    "a1 10.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-5460\n"
    "b2 10.0.0.2:7001@17001,two.example master - 0 5 2 connected 5461-10922\n"
    "c3 10.0.0.3:7002@17002 master - 0 5 3 connected 10923-16382 16383\n"
    "d4 10.0.0.4:7003@17003 slave a1 0 5 1 connected\n";

std::optional<ClusterMap> read(const std::string& text) {
    return read_cluster_nodes(text, "10.9.9.9");
}

}  // namespace

// The values of Redis' own CLUSTER KEYSLOT.
static void a_key_lies_in_the_slot_that_redis_says(void**) {
    assert_int_equal(slot_of("123456789"), 0x31c3);
    assert_int_equal(slot_of(""), 0);
    assert_int_equal(slot_of("foo"), 12182);
    assert_int_equal(slot_of("somekey"), 11058);
}

static void what_stands_in_the_first_braces_decides(void**) {
    assert_int_equal(slot_of("p:{foo}:lease"), slot_of("foo"));
    assert_int_equal(slot_of("{foo}{bar}"), slot_of("foo"));
    assert_int_equal(slot_of("a{{foo}"), slot_of("{foo"));
}

static void empty_or_open_braces_do_not(void**) {
    assert_int_equal(slot_of("foo{}{bar}"), 8363);
    assert_int_not_equal(slot_of("{}a"), slot_of("{}b"));
    assert_int_not_equal(slot_of("{a"), slot_of("a"));
}

static void each_master_names_its_slots(void**) {
    const auto map = read(three);
    assert_true(map.has_value());
    assert_int_equal(map->nodes.size(), 3);
    assert_string_equal(map->nodes[0].host.c_str(), "10.0.0.1");
    assert_int_equal(map->nodes[0].port, 7000);
    assert_string_equal(map->nodes[1].name.c_str(), "two.example");
    assert_int_equal(map->ranges.size(), 4);
    assert_int_equal(map->ranges[1].first, 5461);
    assert_int_equal(map->ranges[1].last, 10922);
    assert_int_equal(map->ranges[1].node, 1);
    assert_int_equal(map->ranges[3].first, 16383);
    assert_int_equal(map->ranges[3].last, 16383);
    assert_int_equal(map->ranges[3].node, 2);
}

static void replicas_and_masters_without_slots_are_left_out(void**) {
    const auto map = read(
        "a 10.0.0.1:1@2 master - 0 0 1 connected 0-16383\n"
        "b 10.0.0.2:1@2 master - 0 0 0 connected\n"
        "c 10.0.0.3:1@2 slave a 0 0 1 connected\n"
        "d :0@0 master,noaddr - 0 0 1 disconnected 5\n");
    assert_true(map.has_value());
    assert_int_equal(map->nodes.size(), 1);
}

static void its_epoch_is_the_highest_of_all_nodes(void**) {
    assert_int_equal(read(three)->epoch, 3);
    assert_int_equal(read("a 10.0.0.1:1@2 master - 0 0 7 connected 0-9\n"
                          "b 10.0.0.2:1@2 master,fail - 0 0 11 disconnected\n"
                          "c 10.0.0.3:1@2 slave a 0 0 8 connected\n")
                         ->epoch,
                     11);
    assert_int_equal(
        read("a 10.0.0.1:1@2 master - 0 0 none connected 0-9\n")->epoch, 0);
}

static void a_slot_on_its_way_is_still_where_it_was(void**) {
    const auto map = read(
        "a 10.0.0.1:1@2 myself,master - 0 0 1 connected 0-9 [3->-bb] "
        "[4-<-cc]\n");
    assert_int_equal(map->ranges.size(), 1);
    assert_int_equal(map->ranges[0].last, 9);
}

static void a_node_that_does_not_know_itself_is_the_one_that_was_asked(void**) {
    const auto map =
        read("a :7000@17000 myself,master - 0 0 0 connected 0-9\n");
    assert_string_equal(map->nodes[0].host.c_str(), "10.9.9.9");
    assert_false(
        read("a :7000@17000 master - 0 0 0 connected 0-9\n").has_value());
}

static void an_address_of_ipv6_has_colons_of_its_own(void**) {
    const auto map =
        read("a ::1:7000@17000 myself,master - 0 0 0 connected 0-9\n");
    assert_string_equal(map->nodes[0].host.c_str(), "::1");
    assert_int_equal(map->nodes[0].port, 7000);
}

static void names_are_not_taken_for_what_stands_behind_them(void**) {
    const auto map = read(
        "a 10.0.0.1:1@2,,tls-port=0,shard-id=x myself,master - 0 0 1 c 0-9\n");
    assert_string_equal(map->nodes[0].name.c_str(), "");
    const auto named =
        read("a 10.0.0.1:1@2,shard-id=x myself,master - 0 0 1 c 0-9\n");
    assert_string_equal(named->nodes[0].name.c_str(), "");
}

static void what_is_no_map_is_none(void**) {
    for (const char* text : {
             "",
             "\n",
             "garbage",
             "a b c d e f g h i",
             "a 10.0.0.1 myself,master - 0 0 1 connected 0-9\n",
             "a 10.0.0.1:x@2 master - 0 0 1 connected 0-9\n",
             "a 10.0.0.1:1@2 master - 0 0 1 connected 9-0\n",
             "a 10.0.0.1:1@2 master - 0 0 1 connected 0-16384\n",
             "a 10.0.0.1:1@2 master - 0 0 1 connected x\n",
             "a 10.0.0.1:1@2 slave b 0 0 1 connected\n",
         }) {
        assert_false(read(text).has_value());
    }
}

// What is said of the slots is carried out for each of them.
static void a_slot_has_one_holder(void**) {
    assert_false(read("a 10.0.0.1:1@2 master - 0 0 1 connected 0-16383\n"
                      "b 10.0.0.2:1@2 master - 0 0 1 connected 7\n")
                     .has_value());
    assert_false(
        read("a 10.0.0.1:1@2 master - 0 0 1 connected 0-16383 0-16383\n")
            .has_value());
}

static void a_map_has_so_many_nodes_at_most(void**) {
    std::string text;
    for (std::size_t i = 0; i < most_nodes; ++i) {
        text += "a h" + std::to_string(i) + ":1@2 master - 0 0 1 connected " +
                std::to_string(i) + "\n";
    }
    assert_true(read(text).has_value());
    text += "a h:1@2 master - 0 0 1 connected 16383\n";
    assert_false(read(text).has_value());
}

// It is looked up, and written to the log.
static void a_host_is_a_name_or_an_address(void**) {
    for (const std::string host :
         {"h\x1b[2J", "h\r", "h\x80", "h\"", "h/", ""}) {
        assert_false(read("a " + host + ":1@2 master - 0 0 1 connected 0-9\n")
                         .has_value());
        if (host.empty()) { continue; }
        assert_false(read_redirection("MOVED 1 " + host + ":1").has_value());
        assert_false(
            read("a 10.0.0.1:1@2," + host + " master - 0 0 1 connected 0-9\n")
                .has_value());
    }
    assert_false(read_redirection("MOVED 1 " + std::string(256, 'h') + ":1")
                     .has_value());
    assert_true(read_redirection("MOVED 1 a-B_c.9:1").has_value());
    assert_true(read_redirection("MOVED 1 fe80::1%eth0:1").has_value());
}

static void an_error_names_slot_and_node(void**) {
    const auto moved = read_redirection("MOVED 3999 127.0.0.1:6381");
    assert_true(moved.has_value());
    assert_false(moved->ask);
    assert_int_equal(moved->slot, 3999);
    assert_string_equal(moved->host.c_str(), "127.0.0.1");
    assert_int_equal(moved->port, 6381);
    const auto ask = read_redirection("ASK 1 [::1]:2");
    assert_true(ask->ask);
    assert_string_equal(ask->host.c_str(), "::1");
}

static void an_error_without_a_host_means_the_one_that_was_asked(void**) {
    assert_string_equal(read_redirection("MOVED 3999 :6381")->host.c_str(), "");
    assert_string_equal(read_redirection("MOVED 3999 ?:6381")->host.c_str(),
                        "");
}

static void other_errors_name_nobody(void**) {
    for (const char* text :
         {"", "MOVED", "MOVED 1", "MOVED x h:1", "MOVED 16384 h:1", "MOVED 1 h",
          "MOVED 1 h:0", "MOVED 1 h:65536", "ERR no", "MOVEDX 1 h:1"}) {
        assert_false(read_redirection(text).has_value());
    }
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_key_lies_in_the_slot_that_redis_says),
        cmocka_unit_test(what_stands_in_the_first_braces_decides),
        cmocka_unit_test(empty_or_open_braces_do_not),
        cmocka_unit_test(each_master_names_its_slots),
        cmocka_unit_test(replicas_and_masters_without_slots_are_left_out),
        cmocka_unit_test(its_epoch_is_the_highest_of_all_nodes),
        cmocka_unit_test(a_slot_on_its_way_is_still_where_it_was),
        cmocka_unit_test(
            a_node_that_does_not_know_itself_is_the_one_that_was_asked),
        cmocka_unit_test(an_address_of_ipv6_has_colons_of_its_own),
        cmocka_unit_test(names_are_not_taken_for_what_stands_behind_them),
        cmocka_unit_test(what_is_no_map_is_none),
        cmocka_unit_test(a_slot_has_one_holder),
        cmocka_unit_test(a_map_has_so_many_nodes_at_most),
        cmocka_unit_test(a_host_is_a_name_or_an_address),
        cmocka_unit_test(an_error_names_slot_and_node),
        cmocka_unit_test(an_error_without_a_host_means_the_one_that_was_asked),
        cmocka_unit_test(other_errors_name_nobody),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
