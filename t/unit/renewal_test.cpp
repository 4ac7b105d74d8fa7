// renewal_test.cpp: what a 304 means for the entry it was asked about.
#include "core/renewal.hpp"

#include "unit.hpp"

using namespace cacheback::core;

namespace {

constexpr Millis now = 784111777 * second;  // Sun, 06 Nov 1994 08:49:37 GMT

// An entry lives in `bytes`, so it must outlast the view.
class Stored {
  public:
    explicit Stored(const FieldList& fields, unsigned status = 200,
                    Seconds last_modified = no_time) {
        EntryParts parts;
        parts.meta.status = static_cast<std::uint16_t>(status);
        parts.meta.windows.fresh_for = 77 * second;
        parts.meta.last_modified = last_modified;
        parts.fields = fields;
        bytes_ = make_head(parts);
    }
    [[nodiscard]] EntryView view() const { return EntryView::trusted(bytes_); }
    void invalidate(Millis time) {
        const Invalidation mark = invalidation(time);
        bytes_.replace(offset::invalidated, mark.size(), mark.data(),
                       mark.size());
    }

  private:
    std::string bytes_;
};

bool confirmed(const Stored& stored, const FieldList& not_modified) {
    return confirms(stored.view(), not_modified, now);
}

Storability judged(const Stored& stored, const FieldList& not_modified,
                   std::optional<Millis> lifetime = 600 * second) {
    ResponseFacts response;
    response.status = 304;
    response.fields = not_modified;
    Policy policy;
    policy.lifetime = lifetime;
    return judge_renewal(stored.view(), {}, response, policy, now);
}

}  // namespace

static void a_304_of_the_same_etag_confirms(void**) {
    const Stored stored({{"ETag", "\"a\""}});
    assert_true(confirmed(stored, {{"etag", "\"a\""}}));
    assert_true(confirmed(stored, {{"ETag", " W/\"a\""}}));
    assert_true(confirmed(stored, {}));
    assert_false(confirmed(stored, {{"ETag", "\"b\""}}));
    assert_false(confirmed(stored, {{"ETag", "W/\"b\""}}));
}

static void without_an_etag_the_last_modified_is_compared(void**) {
    const Stored stored({}, 200, 784111777);
    const FieldList same{{"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}};
    const FieldList other{{"Last-Modified", "Sun, 06 Nov 1994 08:49:38 GMT"}};
    const FieldList junk{{"Last-Modified", "yesterday"}};
    assert_true(confirmed(stored, same));
    assert_true(confirmed(stored, junk));
    assert_false(confirmed(stored, other));
    assert_true(confirmed(Stored({}), other));
}

static void an_etag_that_is_new_confirms_by_the_date_alone_4_3_4(void**) {
    const Stored stored({}, 200, 784111777);
    assert_false(confirmed(stored, {{"ETag", "\"new\""}}));
    assert_false(confirmed(
        stored, {{"ETag", "\"new\""}, {"Last-Modified", "yesterday"}}));
    assert_false(confirmed(
        stored, {{"ETag", "\"new\""},
                 {"Last-Modified", "Sun, 06 Nov 1994 08:49:38 GMT"}}));
    assert_true(confirmed(
        stored, {{"ETag", "\"new\""},
                 {"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}}));
    assert_false(confirmed(Stored({}), {{"ETag", "\"new\""}}));
}

static void an_etag_that_agrees_outweighs_the_last_modified(void**) {
    const Stored stored({{"ETag", "\"a\""}}, 200, 784111777);
    const FieldList touched{{"ETag", "\"a\""},
                            {"Last-Modified", "Sun, 06 Nov 1994 08:50:00 GMT"}};
    assert_true(confirmed(stored, touched));
}

static void stored_fields_name_the_lifetime_the_304_does_not(void**) {
    const Stored stored({{"Cache-Control", "max-age=60"}});
    assert_int_equal(judged(stored, {}).windows.fresh_for, 60 * second);
    assert_true(judged(stored, {}).may_store());
}

static void the_304_names_it_anew(void**) {
    const Stored stored({{"Cache-Control", "max-age=60, must-revalidate"}});
    const Storability verdict =
        judged(stored, {{"cache-control", "max-age=5"}});
    assert_int_equal(verdict.windows.fresh_for, 5 * second);
    assert_false(verdict.windows.stale_forbidden);
}

static void the_stored_date_does_not_age_the_renewed_entry(void**) {
    const Stored stored({{"Cache-Control", "max-age=60"},
                         {"Date", "Sun, 06 Nov 1994 08:00:00 GMT"}});
    const Storability verdict = judged(stored, {});
    assert_int_equal(verdict.windows.fresh_for, 60 * second);
    assert_int_equal(verdict.windows.initial_age, 0);
    assert_int_equal(judged(stored, {{"Age", "10"}}).windows.fresh_for,
                     50 * second);
}

static void the_stored_status_is_the_one_that_is_judged(void**) {
    const Stored moved({}, 302);
    assert_true(judged(moved, {}).may_store());
}

static void without_any_lifetime_the_stored_fresh_time_goes_on(void**) {
    const Storability verdict = judged(Stored({}, 302), {}, std::nullopt);
    assert_true(verdict.may_store());
    assert_int_equal(verdict.windows.fresh_for, 77 * second);
}

static void a_304_may_forbid_storing(void**) {
    const Stored stored({{"Cache-Control", "max-age=60"}});
    assert_true(judged(stored, {{"Cache-Control", "no-store"}}).refused ==
                Reason::no_store);
    assert_true(judged(stored, {{"Cache-Control", "private"}}).refused ==
                Reason::is_private);
    assert_true(judged(stored, {{"Vary", "*"}}).refused == Reason::vary);
}

static void a_cookie_on_a_304_is_no_obstacle(void**) {
    assert_true(judged(Stored({}), {{"Set-Cookie", "a=b"}}).may_store());
}

static void the_stored_validator_lets_a_no_cache_entry_live(void**) {
    const FieldList no_cache{{"Cache-Control", "no-cache"}};
    assert_true(judged(Stored({{"ETag", "\"a\""}}), no_cache).may_store());
    assert_false(judged(Stored({}), no_cache).may_store());
}

// ---- 4.3.5: HEAD; sections of RFC 9111

static void a_head_response_with_the_same_validators_is_of_the_entry_4_3_5(
    void**) {
    const Stored stored({{"ETag", "\"a\""}}, 200, 784111777);
    const auto describes_it = [&](const FieldList& head) {
        return describes(stored.view(), head, now);
    };
    assert_true(describes_it({}));
    assert_true(
        describes_it({{"ETag", " \"a\""},
                      {"Content-Length", "0"},
                      {"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}}));
    assert_false(describes_it({{"ETag", "\"b\""}}));
    assert_false(describes_it({{"ETag", "W/\"a\""}}));
    assert_false(describes_it({{"Content-Length", "1"}}));
    assert_false(describes_it({{"Content-Length", "x"}}));
    assert_false(
        describes_it({{"Last-Modified", "Sun, 06 Nov 1994 08:49:38 GMT"}}));
    assert_false(describes_it({{"Last-Modified", "junk"}}));
}

static void a_validator_that_only_the_head_has_is_another_entry_4_3_5(void**) {
    const Stored stored({});
    assert_false(describes(stored.view(), FieldList{{"ETag", "\"a\""}}, now));
    assert_false(describes(
        stored.view(),
        FieldList{{"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}}, now));
}

static void by_the_rfc_a_renewed_lifetime_is_named_guessed_or_the_old_4_3_4(
    void**) {
    const auto renewed = [](const Stored& stored, const FieldList& fields) {
        ResponseFacts response;
        response.status = 304;
        response.fields = fields;
        Policy policy;
        policy.name = PolicyName::rfc9111;
        return judge_renewal(stored.view(), {}, response, policy, now)
            .windows.fresh_for;
    };
    const Stored guessed({{"Last-Modified", "Sun, 06 Nov 1994 07:49:37 GMT"}});
    assert_int_equal(renewed(guessed, {{"Cache-Control", "max-age=5"}}),
                     5 * second);
    assert_int_equal(renewed(guessed, {}), 360 * second);
    assert_int_equal(renewed(Stored({{"ETag", "\"a\""}}), {}), 77 * second);
}

static void a_lifetime_goes_on_as_it_was_before_an_invalidation(void**) {
    Stored stored({{"ETag", "\"a\""}});
    stored.invalidate(3 * second);
    assert_int_equal(stored.view().meta.windows.fresh_for, 3 * second);
    const Storability verdict = judged(stored, {}, std::nullopt);
    assert_int_equal(verdict.windows.fresh_for, 77 * second);
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_lifetime_goes_on_as_it_was_before_an_invalidation),
        cmocka_unit_test(a_304_of_the_same_etag_confirms),
        cmocka_unit_test(without_an_etag_the_last_modified_is_compared),
        cmocka_unit_test(an_etag_that_is_new_confirms_by_the_date_alone_4_3_4),
        cmocka_unit_test(an_etag_that_agrees_outweighs_the_last_modified),
        cmocka_unit_test(stored_fields_name_the_lifetime_the_304_does_not),
        cmocka_unit_test(the_304_names_it_anew),
        cmocka_unit_test(the_stored_date_does_not_age_the_renewed_entry),
        cmocka_unit_test(the_stored_status_is_the_one_that_is_judged),
        cmocka_unit_test(without_any_lifetime_the_stored_fresh_time_goes_on),
        cmocka_unit_test(a_304_may_forbid_storing),
        cmocka_unit_test(a_cookie_on_a_304_is_no_obstacle),
        cmocka_unit_test(the_stored_validator_lets_a_no_cache_entry_live),
        cmocka_unit_test(
            a_head_response_with_the_same_validators_is_of_the_entry_4_3_5),
        cmocka_unit_test(
            a_validator_that_only_the_head_has_is_another_entry_4_3_5),
        cmocka_unit_test(
            by_the_rfc_a_renewed_lifetime_is_named_guessed_or_the_old_4_3_4),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
