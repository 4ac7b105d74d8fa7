// early_refresh_test.cpp: XFetch against its formula.
#include "core/early_refresh.hpp"

#include <cmath>
#include <random>

#include "unit.hpp"

using namespace cacheback::core;

namespace {

constexpr int draws = 200000;
constexpr std::uint32_t fetch = 2000;

// Evenly over (0, 1], as ngx_random() is used: 31 bits.
class Draws {
  public:
    explicit Draws(unsigned seed) : bits_(seed) {}
    double next() {
        return (static_cast<double>(bits_() >> 1) + 1) / 2147483648.0;
    }

  private:
    std::mt19937 bits_;
};

}  // namespace

static void it_is_the_formula_of_the_paper(void**) {
    // -1000 ms * 1 * ln(1/e) = 1000 ms.
    const double e = std::exp(-1.0);
    assert_true(refreshes_early(999, 1000, 1, e));
    assert_false(refreshes_early(1001, 1000, 1, e));
    assert_true(refreshes_early(1999, 1000, 2, e));
    assert_false(refreshes_early(2001, 1000, 2, e));
}

static void an_expired_item_is_always_refreshed(void**) {
    assert_true(refreshes_early(0, 1000, 1, 1));
    assert_true(refreshes_early(-1, 0, 1, 0.5));
}

static void what_takes_no_time_is_never_refreshed_early(void**) {
    assert_false(refreshes_early(1, 0, 100, 1 / 2147483648.0));
}

static void the_largest_draw_never_refreshes_early(void**) {
    assert_false(refreshes_early(1, 0xffffffff, 100, 1));
}

// A count of n draws with the probability p has the deviation
// sqrt(n * p * (1 - p)). With the right formula 4.5 of them are exceeded
// once in 150,000 samples; half of it in the exponent (p = 36.8 % for 60.7 %)
// is 240 of them away, and the seeds are fixed.
static void a_read_refreshes_with_the_probability_of_the_formula(void**) {
    Draws draw(20150801);
    for (const double beta : {0.5, 1.0, 3.0}) {
        for (const double share : {0.05, 0.25, 0.5, 1.0, 2.0, 4.0}) {
            const auto left =
                static_cast<Millis>(std::lround(share * beta * fetch));
            int refreshed = 0;
            for (int i = 0; i < draws; i++) {
                refreshed += refreshes_early(left, fetch, beta, draw.next());
            }
            const double p = std::exp(-share);
            const double deviation = std::sqrt(draws * p * (1 - p));
            assert_true(std::abs(refreshed - draws * p) < 4.5 * deviation);
        }
    }
}

// The same draws in 20 classes that are equally likely by the formula: class k
// refreshes with -beta * fetch * ln(k / 20) left, and not with more. Chi-square
// with 19 degrees of freedom: above 43.8 once in a thousand.
static void early_refreshes_are_distributed_as_in_the_formula(void**) {
    constexpr int classes = 20;
    constexpr double scale = 10000;  // finer than a millisecond
    Draws draw(42);
    int found[classes] = {};
    for (int i = 0; i < draws; i++) {
        const double one = draw.next();
        int in = 0;
        for (int k = 1; k < classes; k++) {
            const double edge = -scale * fetch * std::log(k / 20.0);
            in += !refreshes_early(static_cast<Millis>(std::lround(edge)),
                                   fetch, scale, one);
        }
        found[in]++;
    }
    double chi_square = 0;
    for (const int count : found) {
        const double expected = static_cast<double>(draws) / classes;
        chi_square += (count - expected) * (count - expected) / expected;
    }
    assert_true(chi_square < 43.8);
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_formula_of_the_paper),
        cmocka_unit_test(an_expired_item_is_always_refreshed),
        cmocka_unit_test(what_takes_no_time_is_never_refreshed_early),
        cmocka_unit_test(the_largest_draw_never_refreshes_early),
        cmocka_unit_test(a_read_refreshes_with_the_probability_of_the_formula),
        cmocka_unit_test(early_refreshes_are_distributed_as_in_the_formula),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
