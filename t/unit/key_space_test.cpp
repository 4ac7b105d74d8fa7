// The keys of responses and of values are different, whatever they are.
#include "store/control/key_space.hpp"

#include <string>

#include "unit.hpp"

using namespace cacheback;

static std::string as_stored(std::string key) {
    if (store::needs_colon(key)) { key.insert(key.begin(), ':'); }
    return key;
}

static void a_response_never_has_a_key_in_the_space_of_values(void**) {
    for (const char* key : {"lua:", "lua:pages:job:s1:a", "lua:x"}) {
        assert_true(store::needs_colon(key));
        assert_int_not_equal(as_stored(key).rfind("lua:", 0), 0);
    }
}

static void other_keys_of_responses_stay_as_they_are(void**) {
    for (const char* key : {"", ":", "::", "lua", "Lua:x", "https://host/lua:x",
                            ":lua", "/lua:", "x:lua:y", " lua:"}) {
        assert_false(store::needs_colon(key));
    }
}

static void different_keys_stay_different(void**) {
    assert_string_equal(as_stored("lua:a").c_str(), ":lua:a");
    assert_string_equal(as_stored(":lua:a").c_str(), "::lua:a");
    assert_string_equal(as_stored("::lua:a").c_str(), ":::lua:a");
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_response_never_has_a_key_in_the_space_of_values),
        cmocka_unit_test(other_keys_of_responses_stay_as_they_are),
        cmocka_unit_test(different_keys_stay_different),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
