// lease_table_test.cpp: one lease for an item, held by whoever has its token.
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "store/control/lease_table.hpp"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
extern "C" {
#include <cmocka.h>
}

namespace {

using cacheback::core::Millis;
using cacheback::store::LeaseTable;
using cacheback::store::LeaseToken;
using cacheback::store::Over;
using cacheback::store::Owner;

constexpr Owner me{100, 1};
constexpr Owner other{200, 2};
constexpr Millis now = 1000000;

class Table {
  public:
    explicit Table(std::size_t capacity = 1024)
        : region_(new std::uint64_t[LeaseTable::size_for(capacity) / 8]),
          table_(format(capacity)) {}
    LeaseTable* operator->() { return &table_; }
    [[nodiscard]] void* region() { return region_.get(); }

  private:
    LeaseTable format(std::size_t capacity) {
        LeaseTable::format(region_.get(), LeaseTable::size_for(capacity), 77);
        return LeaseTable(region_.get());
    }

    std::unique_ptr<std::uint64_t[]> region_;
    LeaseTable table_;
};

void a_table_keeps_its_seed_and_uses_its_region(void**) {
    Table table(512);
    assert_int_equal(table->seed(), 77);
    assert_int_equal(table->capacity(), 512);
    assert_int_equal(LeaseTable(table.region()).seed(), 77);
}

void a_lease_tells_the_epoch_that_it_was_claimed_in(void**) {
    Table table;
    const LeaseToken first = table->claim(5, me, 60, now, Over::nobody, 7);
    assert_int_equal(table->epoch_of(5, first), 7);
    assert_int_equal(table->epoch_of(5, first + 1), 0);
    assert_int_equal(table->epoch_of(6, first), 0);
    const LeaseToken next = table->claim(5, me, 60, now, Over::anybody, 8);
    assert_int_equal(table->epoch_of(5, next), 8);
    assert_int_equal(table->epoch_of(5, first), 0);
}

void a_lease_is_given_to_one_only_until_it_ends(void**) {
    Table table;
    assert_false(table->taken(5, now));
    assert_true(table->claim(5, me, 60, now) != 0);
    assert_true(table->taken(5, now));
    assert_int_equal(table->claim(5, other, 60, now + 59), 0);
    assert_true(table->taken(5, now + 59));
    assert_false(table->taken(5, now + 60));
    assert_true(table->claim(5, other, 60, now + 60) != 0);
}

void a_holder_whose_lease_ended_or_went_to_another_holds_nothing(void**) {
    Table table;
    const LeaseToken first = table->claim(5, me, 60, now);
    assert_true(table->holds(5, first, now + 59));
    assert_false(table->holds(5, first, now + 60));
    const LeaseToken second = table->claim(5, other, 60, now + 60);
    assert_true(first != second);
    assert_false(table->holds(5, first, now + 60));
    assert_true(table->holds(5, second, now + 60));
    assert_false(table->holds(5, 0, now + 60));
}

void a_lease_is_given_back_by_its_holder_only(void**) {
    Table table;
    const LeaseToken token = table->claim(5, me, 60, now);
    assert_false(table->release(5, token + 1));
    assert_false(table->release(6, token));
    assert_false(table->release(5, 0));
    assert_true(table->taken(5, now));
    assert_true(table->release(5, token));
    assert_false(table->taken(5, now));
    assert_false(table->release(5, token));
}

void a_revoked_lease_is_lost_to_its_holder(void**) {
    Table table;
    const LeaseToken token = table->claim(5, me, 60, now);
    assert_true(table->revoke(5));
    assert_false(table->revoke(5));
    assert_false(table->holds(5, token, now));
    const LeaseToken next = table->claim(5, other, 60, now);
    assert_false(table->release(5, token));
    assert_true(table->holds(5, next, now));
}

void the_leases_of_a_dead_process_are_freed_but_kept_ones_stay(void**) {
    Table table;
    table->claim(1, me, 60, now);
    const LeaseToken failed = table->claim(2, me, 60, now);
    table->claim(3, other, 60, now);
    table->keep(2, failed);
    table->keep(3, failed);
    assert_int_equal(table->sweep(me.pid), 0);  // nobody waited
    assert_false(table->taken(1, now));
    assert_true(table->taken(2, now));
    assert_true(table->taken(3, now));
    (void)table->sweep(other.pid);
    assert_false(table->taken(3, now));
}

void one_who_waits_is_named_when_the_lease_ends(void**) {
    Table table;
    assert_false(table->await(1, 0b01, now));  // nobody fetches it
    const LeaseToken token = table->claim(1, me, 60, now);
    assert_false(table->is_awaited(1));
    assert_true(table->await(1, 0b01, now));
    assert_true(table->is_awaited(1));
    assert_false(table->is_awaited(2));
    assert_true(table->await(1, 0b10, now));
    assert_int_equal(table->take_waiting(1), 0b11);
    assert_int_equal(table->take_waiting(1), 0);
    assert_false(table->is_awaited(1));
    assert_true(table->release(1, token));
    assert_false(table->await(1, 0b01, now));
}

void nobody_waits_for_a_lease_that_a_failure_keeps(void**) {
    Table table;
    const LeaseToken token = table->claim(1, me, 60, now);
    assert_int_equal(table->worked_on_by(1, now), me.pid);
    table->keep(1, token);
    assert_int_equal(table->worked_on_by(1, now), 0);
    assert_false(table->await(1, 0b01, now));
    assert_true(table->claim(1, other, 60, now) == 0);
    assert_true(table->claim(1, other, 60, now, Over::kept) != 0);
    assert_true(table->claim(1, me, 60, now, Over::kept) == 0);
}

void who_waits_for_another_box_is_named_when_that_is_done(void**) {
    Table table;
    const LeaseToken token = table->claim(1, me, 60, now);
    assert_int_equal(table->take_elsewhere(1), 0);  // we are at work ourselves
    assert_true(table->taken(1, now));
    assert_true(table->await(1, 0b01, now));
    table->hand_over(1, token + 1, now + 10);  // not its holder
    assert_int_equal(table->worked_on_by(1, now), me.pid);
    table->hand_over(1, token, now + 10);
    assert_int_equal(table->worked_on_by(1, now), 0);  // nobody of this box
    assert_true(table->await(1, 0b10, now));
    assert_false(table->is_kept(1, now));
    assert_true(table->claim(1, other, 60, now, Over::kept) == 0);
    assert_int_equal(table->sweep(me.pid), 0);  // our death changes nothing
    assert_int_equal(table->take_elsewhere(1), 0b11);
    assert_false(table->taken(1, now));
    assert_int_equal(table->take_elsewhere(1), 0);
}

void another_box_is_waited_for_no_longer_than_said(void**) {
    Table table;
    const LeaseToken token = table->claim(1, me, 60, now);
    table->hand_over(1, token, now + 10);
    assert_true(table->await(1, 0b01, now + 9));
    assert_false(table->await(1, 0b01, now + 10));
    assert_true(table->claim(1, other, 60, now + 10) != 0);
    assert_int_equal(table->take_elsewhere(1), 0);  // it is the new owner's
    assert_true(table->taken(1, now + 10));
}

void other_boxes_are_waited_for_no_more_when_none_can_tell(void**) {
    Table table;
    const LeaseToken ours = table->claim(1, me, 60, now);
    for (const std::uint64_t hash : {2, 3}) {
        const LeaseToken token = table->claim(hash, me, 60, now);
        table->await(hash, hash, now);
        table->hand_over(hash, token, now + 10);
    }
    table->keep(4, table->claim(4, me, 60, now), now + 10);
    table->await(1, 0b100, now);
    assert_int_equal(table->take_all_elsewhere(), 0b11);
    assert_false(table->taken(2, now));
    assert_false(table->taken(3, now));
    assert_true(table->holds(1, ours, now));
    assert_true(table->is_kept(4, now));  // the back-off stays
    assert_int_equal(table->take_all_elsewhere(), 0);
}

void the_failure_of_another_box_is_kept_for_a_while(void**) {
    Table table;
    const LeaseToken token = table->claim(1, me, 60, now);
    table->keep(1, token, now + 10);
    assert_true(table->is_kept(1, now + 9));
    assert_true(table->claim(1, other, 60, now + 9) == 0);
    assert_true(table->claim(1, other, 60, now + 10) != 0);
    // Never longer than the lease itself.
    const LeaseToken second = table->claim(2, me, 60, now);
    table->keep(2, second, now + 100);
    assert_false(table->taken(2, now + 60));
}

void who_sets_anybody_aside_gets_the_lease_and_those_who_wait(void**) {
    Table table;
    const LeaseToken first = table->claim(1, me, 60, now);
    assert_true(table->await(1, 0b10, now));
    const LeaseToken second = table->claim(1, other, 60, now, Over::anybody);
    assert_true(second != 0);
    assert_false(table->holds(1, first, now));
    assert_true(table->holds(1, second, now));
    assert_int_equal(table->take_waiting(1), 0b10);
}

void who_waited_for_a_lease_that_ran_out_waits_for_the_next(void**) {
    Table table;
    table->claim(1, me, 60, now);
    assert_true(table->await(1, 0b100, now));
    assert_true(table->claim(1, other, 60, now + 61) != 0);
    assert_int_equal(table->take_waiting(1), 0b100);
}

void the_death_of_an_owner_names_who_waited(void**) {
    Table table;
    table->claim(1, me, 60, now);
    table->claim(2, me, 60, now);
    assert_true(table->await(1, 0b001, now));
    assert_true(table->await(2, 0b100, now));
    assert_int_equal(table->sweep(me.pid), 0b101);
}

void a_full_set_gives_up_the_lease_that_ends_first(void**) {
    Table table(LeaseTable::ways);
    for (std::uint64_t hash = 0; hash < 8; hash++) {
        table->claim(hash, me, hash == 3 ? 10 : 60, now);
    }
    assert_true(table->claim(8, me, 60, now) != 0);
    for (std::uint64_t hash = 0; hash <= 8; hash++) {
        assert_true(table->taken(hash, now) == (hash != 3));
    }
}

void a_free_slot_is_used_before_a_lease_gives_way(void**) {
    Table table(LeaseTable::ways);
    std::map<std::uint64_t, LeaseToken> tokens;
    for (std::uint64_t hash = 0; hash < 8; hash++) {
        tokens[hash] = table->claim(hash, me, 60, now);
    }
    table->release(6, tokens[6]);
    table->claim(9, me, 60, now);
    for (const std::uint64_t hash : {0, 1, 2, 3, 4, 5, 7, 9}) {
        assert_true(table->taken(hash, now));
    }
}

void marks_and_leases_do_not_touch_each_other(void**) {
    Table table(LeaseTable::ways);
    const LeaseToken token = table->claim(5, me, 60, now);
    for (std::uint64_t hash = 0; hash < 100; hash++) {
        table->mark_uncacheable(hash, now + 60, now);
    }
    assert_true(table->holds(5, token, now));
}

void a_mark_lasts_until_its_time_or_until_it_is_taken_off(void**) {
    Table table;
    table->mark_uncacheable(5, now + 60, now);
    assert_true(table->is_uncacheable(5, now + 59));
    assert_false(table->is_uncacheable(5, now + 60));
    table->mark_uncacheable(5, now + 120, now + 60);
    assert_true(table->is_uncacheable(5, now + 60));
    table->unmark(5);
    assert_false(table->is_uncacheable(5, now + 60));
    table->unmark(6);
    table->mark_uncacheable(7, now, now);
    assert_false(table->is_uncacheable(7, now - 1));
}

void a_full_set_gives_up_the_mark_that_ends_first(void**) {
    Table table(LeaseTable::ways);
    for (std::uint64_t hash = 0; hash < 9; hash++) {
        table->mark_uncacheable(hash, now + 100 - (hash == 2 ? 50 : 0), now);
    }
    assert_false(table->is_uncacheable(2, now));
    assert_true(table->is_uncacheable(8, now));
}

void a_hash_of_zero_is_a_hash_like_any_other(void**) {
    Table table;
    assert_false(table->taken(0, now));
    assert_false(table->is_uncacheable(0, now));
    const LeaseToken token = table->claim(0, me, 60, now);
    assert_true(table->holds(0, token, now));
}

void no_token_is_given_twice(void**) {
    Table table(64);
    std::set<LeaseToken> seen;
    for (std::uint64_t i = 0; i < 50000; i++) {
        const LeaseToken token = table->claim(i % 16, me, 1, now + i * 2);
        assert_true(token != 0);
        assert_true(seen.insert(token).second);
    }
}

void hundred_thousand_random_operations_agree_with_a_map(void**) {
    Table table(8192);  // of which 300 are used: no set runs over
    struct Held {
        LeaseToken token;
        Millis until;
        Owner owner;
        bool kept;
    };
    std::map<std::uint64_t, Held> leases;
    std::map<std::uint64_t, Millis> marks;
    std::mt19937_64 random(5);
    std::vector<std::uint64_t> hashes;
    for (int i = 0; i < 300; i++) { hashes.push_back(random()); }
    Millis time = now;
    for (int i = 0; i < 100000; i++) {
        time += static_cast<Millis>(random() % 3);
        const std::uint64_t hash = hashes[random() % hashes.size()];
        auto lease = leases.find(hash);
        if (lease != leases.end() && lease->second.until <= time) {
            // Over for everybody; sweep() and revoke() may still count it.
            table->revoke(hash);
            leases.erase(lease);
            lease = leases.end();
        }
        const bool held = lease != leases.end();
        const LeaseToken token =
            held && random() % 4 != 0 ? lease->second.token : random();
        const bool mine = held && token == lease->second.token;
        const auto length = static_cast<Millis>(random() % 2000 + 1);
        switch (random() % 8) {
        case 0:
        case 1: {
            const Owner owner{static_cast<std::uint32_t>(random() % 5 + 1), 0};
            const LeaseToken got = table->claim(hash, owner, length, time);
            assert_true((got == 0) == held);
            if (got != 0) { leases[hash] = {got, time + length, owner, false}; }
            break;
        }
        case 2:
            assert_true(table->release(hash, token) == mine);
            if (mine) { leases.erase(lease); }
            break;
        case 3:
            table->keep(hash, token);
            if (mine) { lease->second.kept = true; }
            break;
        case 4:
            if (random() % 10 == 0) {
                assert_true(table->revoke(hash) == held);
                if (held) { leases.erase(lease); }
            }
            break;
        case 5:
            table->mark_uncacheable(hash, time + length, time);
            marks[hash] = time + length;
            break;
        case 6:
            table->unmark(hash);
            marks.erase(hash);
            break;
        default:
            if (random() % 100 == 0) {
                const auto pid = static_cast<std::uint32_t>(random() % 5 + 1);
                table->sweep(pid);
                for (auto at = leases.begin(); at != leases.end();) {
                    at = at->second.owner.pid == pid && !at->second.kept
                             ? leases.erase(at)
                             : std::next(at);
                }
            }
        }
        lease = leases.find(hash);
        assert_true(table->taken(hash, time) == (lease != leases.end()));
        if (lease != leases.end()) {
            assert_true(table->holds(hash, lease->second.token, time));
        }
        const auto mark = marks.find(hash);
        assert_true(table->is_uncacheable(hash, time) ==
                    (mark != marks.end() && mark->second > time));
        if (i % 100 == 0) { assert_null(table->check(time)); }
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_table_keeps_its_seed_and_uses_its_region),
        cmocka_unit_test(a_lease_is_given_to_one_only_until_it_ends),
        cmocka_unit_test(a_lease_tells_the_epoch_that_it_was_claimed_in),
        cmocka_unit_test(
            a_holder_whose_lease_ended_or_went_to_another_holds_nothing),
        cmocka_unit_test(a_lease_is_given_back_by_its_holder_only),
        cmocka_unit_test(a_revoked_lease_is_lost_to_its_holder),
        cmocka_unit_test(
            the_leases_of_a_dead_process_are_freed_but_kept_ones_stay),
        cmocka_unit_test(a_full_set_gives_up_the_lease_that_ends_first),
        cmocka_unit_test(a_free_slot_is_used_before_a_lease_gives_way),
        cmocka_unit_test(marks_and_leases_do_not_touch_each_other),
        cmocka_unit_test(a_mark_lasts_until_its_time_or_until_it_is_taken_off),
        cmocka_unit_test(a_full_set_gives_up_the_mark_that_ends_first),
        cmocka_unit_test(a_hash_of_zero_is_a_hash_like_any_other),
        cmocka_unit_test(no_token_is_given_twice),
        cmocka_unit_test(hundred_thousand_random_operations_agree_with_a_map),
        cmocka_unit_test(one_who_waits_is_named_when_the_lease_ends),
        cmocka_unit_test(nobody_waits_for_a_lease_that_a_failure_keeps),
        cmocka_unit_test(
            who_waited_for_a_lease_that_ran_out_waits_for_the_next),
        cmocka_unit_test(the_death_of_an_owner_names_who_waited),
        cmocka_unit_test(who_waits_for_another_box_is_named_when_that_is_done),
        cmocka_unit_test(another_box_is_waited_for_no_longer_than_said),
        cmocka_unit_test(other_boxes_are_waited_for_no_more_when_none_can_tell),
        cmocka_unit_test(the_failure_of_another_box_is_kept_for_a_while),
        cmocka_unit_test(
            who_sets_anybody_aside_gets_the_lease_and_those_who_wait),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
