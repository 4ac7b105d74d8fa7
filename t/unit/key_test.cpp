// key_test.cpp: the seeded hash spreads keys and hides them.
#include <bitset>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "store/control/key.hpp"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
extern "C" {
#include <cmocka.h>
}

using cacheback::store::seeded_hash;

namespace {

constexpr std::uint64_t seed = 0x0123456789abcdefULL;

std::string text_of(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; i++) {
        text.push_back(static_cast<char>('a' + i * 7 % 26));
    }
    return text;
}

std::size_t differing_bits(std::uint64_t a, std::uint64_t b) {
    return std::bitset<64>(a ^ b).count();
}

void the_same_seed_and_text_give_the_same_hash(void**) {
    const std::string text = text_of(77);
    const std::string copy = text;
    assert_true(seeded_hash(seed, text) == seeded_hash(seed, copy));
}

void another_seed_gives_another_hash_at_every_length(void**) {
    for (std::size_t size = 0; size < 70; size++) {
        const std::string text = text_of(size);
        assert_true(seeded_hash(seed, text) != seeded_hash(seed + 1, text));
    }
}

void each_bit_of_the_text_moves_about_half_the_bits(void**) {
    for (std::size_t size = 1; size < 70; size++) {
        const std::string text = text_of(size);
        const std::uint64_t before = seeded_hash(seed, text);
        double sum = 0;
        for (std::size_t bit = 0; bit < size * 8; bit++) {
            std::string other = text;
            other[bit / 8] = static_cast<char>(other[bit / 8] ^ 1 << bit % 8);
            const std::size_t moved =
                differing_bits(before, seeded_hash(seed, other));
            assert_true(moved >= 8);
            sum += static_cast<double>(moved);
        }
        const double mean = sum / static_cast<double>(size * 8);
        assert_true(std::fabs(mean - 32) < 5);
    }
}

void each_bit_of_the_seed_moves_about_half_the_bits(void**) {
    const std::string text = text_of(30);
    double sum = 0;
    for (unsigned bit = 0; bit < 64; bit++) {
        sum += static_cast<double>(
            differing_bits(seeded_hash(seed, text),
                           seeded_hash(seed ^ std::uint64_t{1} << bit, text)));
    }
    assert_true(std::fabs(sum / 64 - 32) < 4);
}

void zeros_of_different_length_differ(void**) {
    std::set<std::uint64_t> seen;
    for (std::size_t size = 0; size <= 100; size++) {
        seen.insert(seeded_hash(seed, std::string(size, '\0')));
    }
    assert_int_equal(seen.size(), 101);
}

void similar_keys_fill_buckets_and_shards_evenly(void**) {
    constexpr std::size_t keys = 64 * 1024;
    std::vector<unsigned> low(256);
    std::vector<unsigned> high(256);
    std::set<std::uint64_t> seen;
    for (std::size_t i = 0; i < keys; i++) {
        const std::uint64_t hash = seeded_hash(
            seed, "https://example.com/article/" + std::to_string(i));
        seen.insert(hash);
        low[hash & 255]++;
        high[hash >> 56]++;
    }
    assert_int_equal(seen.size(), keys);
    for (const std::vector<unsigned>& counts : {low, high}) {
        double chi = 0;  // 255 degrees of freedom: 395 is one in 10^7
        for (const unsigned count : counts) {
            chi += (count - 256.0) * (count - 256.0) / 256.0;
        }
        assert_true(chi < 395 && chi > 150);
    }
}

// Without a secret in both factors, a text of the salts would erase the rest.
void no_block_erases_what_came_before_it(void**) {
    for (const std::uint64_t salt :
         {0x9d39247e33776d41ULL, 0xc2b2ae3d27d4eb4fULL, 0ULL}) {
        std::string block(16, '\0');
        for (std::size_t i = 0; i < 16; i++) {
            block[i] = static_cast<char>(salt >> i % 8 * 8);
        }
        assert_true(seeded_hash(seed, "0123456789abcdef" + block + "end") !=
                    seeded_hash(seed, "fedcba9876543210" + block + "end"));
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_and_text_give_the_same_hash),
        cmocka_unit_test(another_seed_gives_another_hash_at_every_length),
        cmocka_unit_test(each_bit_of_the_text_moves_about_half_the_bits),
        cmocka_unit_test(each_bit_of_the_seed_moves_about_half_the_bits),
        cmocka_unit_test(zeros_of_different_length_differ),
        cmocka_unit_test(similar_keys_fill_buckets_and_shards_evenly),
        cmocka_unit_test(no_block_erases_what_came_before_it),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
