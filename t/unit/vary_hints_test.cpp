// vary_hints_test.cpp: what a worker remembers of items that vary.
#include "store/memory/vary_hints.hpp"

#include <string>

#include "unit.hpp"

using cacheback::store::VaryHints;

namespace {

constexpr std::string_view generation = "0123456789abcdef";

}  // namespace

static void names_are_remembered_until_they_are_forgotten(void**) {
    VaryHints hints;
    assert_text(hints.names(7), "");
    hints.forget(7);
    hints.remember(7, "accept");
    assert_text(hints.names(7), "accept");
    assert_text(hints.names(8), "");
    hints.forget(7);
    assert_text(hints.names(7), "");
}

static void items_of_one_place_are_not_confused(void**) {
    VaryHints hints;
    hints.remember(7, "accept");
    assert_text(hints.names(7 + VaryHints::places), "");
    hints.forget(7 + VaryHints::places);
    assert_text(hints.names(7), "accept");
    hints.remember(7 + VaryHints::places, "cookie");
    assert_text(hints.names(7), "");
    assert_text(hints.names(7 + VaryHints::places), "cookie");
}

static void names_that_are_too_long_are_not_kept(void**) {
    VaryHints hints;
    hints.remember(7, "accept");
    hints.remember(7, std::string(VaryHints::max_names + 1, 'a'));
    assert_text(hints.names(7), "");
    const std::string most(VaryHints::max_names, 'a');
    hints.remember(7, most);
    assert_text(hints.names(7), most);
}

static void a_generation_holds_while_nothing_has_changed(void**) {
    VaryHints hints;
    hints.remember(7, "accept", generation, 41);
    assert_text(hints.generation(7, 41), generation);
    assert_text(hints.generation(7, 42), "");
    assert_text(hints.generation(8, 41), "");
}

static void the_same_names_keep_the_generation_and_others_do_not(void**) {
    VaryHints hints;
    hints.remember(7, "accept", generation, 41);
    hints.remember(7, "accept");
    assert_text(hints.generation(7, 41), generation);
    hints.remember(7, "cookie");
    assert_text(hints.generation(7, 41), "");
    hints.remember(7, "cookie", "short", 41);
    assert_text(hints.generation(7, 41), "");
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(names_are_remembered_until_they_are_forgotten),
        cmocka_unit_test(items_of_one_place_are_not_confused),
        cmocka_unit_test(names_that_are_too_long_are_not_kept),
        cmocka_unit_test(a_generation_holds_while_nothing_has_changed),
        cmocka_unit_test(the_same_names_keep_the_generation_and_others_do_not),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
