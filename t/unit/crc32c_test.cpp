// crc32c_test.cpp: known values, and both ways compared.
#include <random>
#include <string>

#include "core/crc32c.hpp"

#include "unit.hpp"

using namespace cacheback::core;

static std::string random_bytes(std::size_t size) {
    std::mt19937 random(20260101);
    std::string bytes(size, '\0');
    for (char& byte : bytes) { byte = static_cast<char>(random()); }
    return bytes;
}

static void the_values_of_rfc_3720_come_out(void**) {
    std::string ascending, descending;
    for (int i = 0; i < 32; ++i) {
        ascending += static_cast<char>(i);
        descending += static_cast<char>(31 - i);
    }
    for (auto sum : {crc32c, crc32c_by_table}) {
        assert_int_equal(sum(0, ""), 0);
        assert_int_equal(sum(0, "123456789"), 0xe3069283);
        assert_int_equal(sum(0, std::string(32, '\0')), 0x8a9136aa);
        assert_int_equal(sum(0, std::string(32, '\xff')), 0x62a8ab43);
        assert_int_equal(sum(0, ascending), 0x46dd794e);
        assert_int_equal(sum(0, descending), 0x113fdb5c);
    }
}

static void instruction_and_table_agree_at_any_size_and_alignment(void**) {
    if (!crc32c_has_instruction()) { skip(); }
    const std::string bytes = random_bytes(300);
    for (std::size_t from = 0; from < 16; ++from) {
        for (std::size_t size = 0; size + from <= bytes.size(); ++size) {
            const auto part = std::string_view(bytes).substr(from, size);
            assert_int_equal(crc32c_by_instruction(7, part),
                             crc32c_by_table(7, part));
        }
    }
}

static void a_seed_continues_a_checksum(void**) {
    const std::string_view text = "one entry in several pieces";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        assert_int_equal(
            crc32c(crc32c(0, text.substr(0, cut)), text.substr(cut)),
            crc32c(0, text));
    }
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(the_values_of_rfc_3720_come_out),
        cmocka_unit_test(instruction_and_table_agree_at_any_size_and_alignment),
        cmocka_unit_test(a_seed_continues_a_checksum),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
