// turns_test.cpp: who is told that a place for a fetch has become free.
#include "store/control/turns.hpp"

#include "unit.hpp"

using namespace cacheback;
using store::FetchKind;
using store::Turns;

namespace {

constexpr Turns::Mask a = 1;
constexpr Turns::Mask b = Turns::Mask{1} << 5U;
constexpr Turns::Mask c = Turns::Mask{1} << 63U;

Turns wanting(Turns::Mask refreshes, Turns::Mask fills = 0) {
    Turns turns{};
    turns.want(FetchKind::refresh, refreshes);
    turns.want(FetchKind::fill, fills);
    return turns;
}

}  // namespace

static void nobody_is_told_where_nobody_wants_a_place(void**) {
    Turns turns{};
    assert_false(turns.wanted());
    assert_int_equal(turns.take_next(true), 0);
}

static void who_wants_a_place_is_told_once(void**) {
    Turns turns = wanting(b);
    assert_true(turns.wanted());
    assert_int_equal(turns.take_next(true), b);
    assert_false(turns.wanted());
    assert_int_equal(turns.take_next(true), 0);
}

static void one_is_told_for_each_place(void**) {
    Turns turns = wanting(a | b | c);
    assert_int_equal(turns.take_next(true), a);
    assert_int_equal(turns.take_next(true), b);
    assert_int_equal(turns.take_next(true), c);
    assert_int_equal(turns.take_next(true), 0);
}

static void places_go_round_also_when_the_last_one_wants_another(void**) {
    Turns turns = wanting(a | b | c);
    for (int round = 0; round < 3; round++) {
        for (Turns::Mask who : {a, b, c}) {
            assert_int_equal(turns.take_next(true), who);
            turns.want(FetchKind::refresh, who);
        }
    }
}

static void who_is_alone_is_told_each_time(void**) {
    for (Turns::Mask alone : {a, b, c}) {
        Turns turns = wanting(alone);
        assert_int_equal(turns.take_next(true), alone);
        turns.want(FetchKind::refresh, alone);
        assert_int_equal(turns.take_next(true), alone);
    }
}

static void refreshes_go_before_fills(void**) {
    Turns turns = wanting(c, a | b);
    assert_int_equal(turns.take_next(true), c);
    assert_int_equal(turns.take_next(true), a);
    assert_int_equal(turns.take_next(true), b);
}

static void a_place_that_is_not_for_fills_leaves_them_waiting(void**) {
    Turns turns = wanting(b, a);
    assert_int_equal(turns.take_next(false), b);
    assert_int_equal(turns.take_next(false), 0);
    assert_true(turns.wanted());
    assert_int_equal(turns.take_next(true), a);
}

static void who_is_forgotten_is_not_told(void**) {
    Turns turns = wanting(a | b, b | c);
    turns.forget(b);
    assert_int_equal(turns.take_next(true), a);
    assert_int_equal(turns.take_next(true), c);
    assert_int_equal(turns.take_next(true), 0);
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_told_where_nobody_wants_a_place),
        cmocka_unit_test(who_wants_a_place_is_told_once),
        cmocka_unit_test(one_is_told_for_each_place),
        cmocka_unit_test(places_go_round_also_when_the_last_one_wants_another),
        cmocka_unit_test(who_is_alone_is_told_each_time),
        cmocka_unit_test(refreshes_go_before_fills),
        cmocka_unit_test(a_place_that_is_not_for_fills_leaves_them_waiting),
        cmocka_unit_test(who_is_forgotten_is_not_told),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
