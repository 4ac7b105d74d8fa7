// A value of Lua as an entry, and back.
#include "lua/value_entry.hpp"

#include <cmath>

#include "unit.hpp"

using namespace cacheback;

namespace {

constexpr core::Millis now = 1'700'000'000'000;
constexpr std::string_view key = "lua:pages:job:s1:a";

std::string entry_of(const lua::Value& value, const core::Windows& windows) {
    std::string bytes = lua::make_value_head(key, value, windows, now, 12);
    return bytes.append(value.bytes);
}

core::Windows an_hour() {
    return lua::value_windows(now + 3600 * core::second, 86400 * core::second,
                              now);
}

}  // namespace

static void a_value_comes_back_as_it_was(void**) {
    for (std::string_view bytes :
         {std::string_view(""), std::string_view("text"),
          std::string_view("a\0b\r\n\xff", 6)}) {
        const std::string entry = entry_of({bytes, 's'}, an_hour());
        const auto view = core::EntryView::check(entry, key);
        assert_true(view.has_value());
        const auto value = lua::read_value(*view);
        assert_true(value.has_value());
        assert_true(value->bytes == bytes);
        assert_int_equal(value->kind, 's');
        assert_int_equal(view->meta.fetch_ms, 12);
        assert_true(view->meta.stored == now);
    }
}

static void an_entry_of_a_response_is_no_value(void**) {
    const core::Field field{"Content-Type", "s"};
    core::EntryParts parts;
    parts.meta.status = 200;
    parts.key = key;
    assert_false(
        lua::read_value(core::EntryView::trusted(core::make_head(parts)))
            .has_value());
    parts.fields = {&field, 1};
    const std::string head = core::make_head(parts);
    assert_false(lua::read_value(core::EntryView::trusted(head)).has_value());
}

static void a_field_that_names_no_kind_makes_no_value(void**) {
    for (const char* kind : {"", "ss", "S", "1"}) {
        const core::Field field{"Cacheback-Value", kind};
        core::EntryParts parts;
        parts.meta.status = 200;
        parts.key = key;
        parts.fields = {&field, 1};
        const std::string head = core::make_head(parts);
        assert_false(
            lua::read_value(core::EntryView::trusted(head)).has_value());
    }
}

static void a_value_is_fresh_until_its_expiry_and_gone_after_its_ttl(void**) {
    const core::Windows windows = an_hour();
    assert_true(windows.fresh_for == 3600 * core::second);
    assert_true(windows.ttl == 86400 * core::second);
    assert_true(core::kept_for(windows) == 86400 * core::second);
}

static void an_expiry_in_the_past_makes_it_stale_at_once(void**) {
    const core::Windows windows =
        lua::value_windows(now - 5, 60 * core::second, now);
    assert_true(windows.fresh_for == 0);
    assert_true(windows.stale_for == 60 * core::second);
}

static void a_lifetime_beyond_the_ttl_ends_with_it(void**) {
    const core::Windows windows =
        lua::value_windows(now + 100 * core::second, 60 * core::second, now);
    assert_true(windows.stale_for == 0);
    assert_true(core::kept_for(windows) == 60 * core::second);
}

static void lengths_are_bounded(void**) {
    const core::Windows windows =
        lua::value_windows(lua::to_millis(1e18), lua::to_millis(1e18), now);
    assert_true(windows.fresh_for <= core::max_seconds * core::second);
    assert_true(windows.ttl <= core::max_seconds * core::second);
}

static void seconds_are_rounded_and_what_is_no_time_is_zero(void**) {
    assert_true(lua::to_millis(1.5) == 1500);
    assert_true(lua::to_millis(0.0004) == 0);
    assert_true(lua::to_millis(0.0006) == 1);
    assert_true(lua::to_millis(-1) == 0);
    assert_true(lua::to_millis(std::nan("")) == 0);
    assert_true(lua::to_millis(-HUGE_VAL) == 0);
    assert_true(lua::to_millis(HUGE_VAL) == 253402300799000);
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_value_comes_back_as_it_was),
        cmocka_unit_test(an_entry_of_a_response_is_no_value),
        cmocka_unit_test(a_field_that_names_no_kind_makes_no_value),
        cmocka_unit_test(
            a_value_is_fresh_until_its_expiry_and_gone_after_its_ttl),
        cmocka_unit_test(an_expiry_in_the_past_makes_it_stale_at_once),
        cmocka_unit_test(a_lifetime_beyond_the_ttl_ends_with_it),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(seconds_are_rounded_and_what_is_no_time_is_zero),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
