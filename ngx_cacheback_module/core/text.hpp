// core/text.hpp: the small rules of HTTP text (RFC 9110 5.6) that several
// files share: tokens, optional white space, lists, numbers of seconds.
// Everything works on views and allocates nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "time.hpp"

namespace cacheback::core {

[[nodiscard]] constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

namespace detail {

constexpr std::uint64_t eight(std::uint64_t byte) noexcept {
    return 0x0101010101010101 * byte;
}

[[nodiscard]] inline std::uint64_t eight_bytes(const char* at) noexcept {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    return word;
}

// The case bit of each byte that is an ASCII letter.
[[nodiscard]] constexpr std::uint64_t case_bits(std::uint64_t word) noexcept {
    const std::uint64_t low = (word | eight(0x20)) & eight(0x7f);
    const std::uint64_t from_a = low + eight(0x80 - 'a');
    const std::uint64_t behind_z = low + eight(0x7f - 'z');
    return ((from_a & ~behind_z & ~word) & eight(0x80)) >> 2;
}

}  // namespace detail

// Eight bytes at a time: each entry from Redis has all its field names
// compared with those of the format.
[[nodiscard]] inline bool iequal(std::string_view a,
                                 std::string_view b) noexcept {
    if (a.size() != b.size()) { return false; }
    const char* x = a.data();
    const char* y = b.data();
    std::size_t left = a.size();
    for (; left >= 8; left -= 8, x += 8, y += 8) {
        const std::uint64_t word = detail::eight_bytes(x);
        const std::uint64_t other = detail::eight_bytes(y);
        if (((word ^ other) & ~detail::case_bits(word)) != 0) { return false; }
    }
    for (; left > 0; --left, ++x, ++y) {
        if (lower(*x) != lower(*y)) { return false; }
    }
    return true;
}

[[nodiscard]] inline bool istarts_with(std::string_view text,
                                       std::string_view start) noexcept {
    return text.size() >= start.size() &&
           iequal(text.substr(0, start.size()), start);
}

// Names of fields as CGI and its heirs have them: there a dash and an
// underscore are the same letter.
[[nodiscard]] constexpr bool same_to_cgi(std::string_view a,
                                         std::string_view b) noexcept {
    const auto letter = [](char c) { return c == '_' ? '-' : lower(c); };
    if (a.size() != b.size()) { return false; }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (letter(a[i]) != letter(b[i])) { return false; }
    }
    return true;
}

// Without optional white space (SP, HTAB) at both ends.
[[nodiscard]] constexpr std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view ows = " \t";
    const std::size_t first = text.find_first_not_of(ows);
    if (first == std::string_view::npos) { return {}; }
    return text.substr(first, text.find_last_not_of(ows) - first + 1);
}

namespace detail {

constexpr std::array<bool, 256> make_token_bytes() noexcept {
    std::array<bool, 256> table{};
    for (unsigned c = '0'; c <= '9'; ++c) { table[c] = true; }
    for (unsigned c = 'A'; c <= 'Z'; ++c) { table[c] = true; }
    for (unsigned c = 'a'; c <= 'z'; ++c) { table[c] = true; }
    for (char c : std::string_view("!#$%&'*+-.^_`|~")) {
        table[static_cast<unsigned char>(c)] = true;
    }
    return table;
}

inline constexpr std::array<bool, 256> token_bytes = make_token_bytes();

}  // namespace detail

[[nodiscard]] constexpr bool is_token(std::string_view text) noexcept {
    for (char c : text) {
        if (!detail::token_bytes[static_cast<unsigned char>(c)]) {
            return false;
        }
    }
    return !text.empty();
}

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// delta-seconds: digits and nothing else; what is larger than a reader has to
// keep becomes 2^31 (RFC 9111 1.2.2).
[[nodiscard]] constexpr std::optional<Seconds> parse_seconds(
    std::string_view text) noexcept {
    if (text.empty()) { return std::nullopt; }
    Seconds value = 0;
    for (char c : text) {
        if (!is_digit(c)) { return std::nullopt; }
        value = std::min(value * 10 + (c - '0'), max_seconds);
    }
    return value;
}

// The members of a comma-separated list (RFC 9110 5.6.1), trimmed; empty ones
// are left out. A comma within a quoted string separates nothing. A quote that
// never closes is an ordinary character, so it cannot hide the rest.
class ListMembers {
  public:
    explicit constexpr ListMembers(std::string_view list) noexcept
        : rest_(list) {}

    // False at the end.
    constexpr bool next(std::string_view& member) noexcept {
        while (!rest_.empty()) {
            const std::size_t end = member_end();
            member = trim(rest_.substr(0, end));
            rest_.remove_prefix(std::min(end + 1, rest_.size()));
            if (!member.empty()) { return true; }
        }
        return false;
    }

  private:
    [[nodiscard]] constexpr std::size_t member_end() noexcept {
        std::size_t i = 0;
        while (i < rest_.size() && rest_[i] != ',') {
            i = rest_[i] == '"' ? behind_quoted(i) : i + 1;
        }
        return i;
    }

    [[nodiscard]] constexpr std::size_t behind_quoted(
        std::size_t open) noexcept {
        for (std::size_t i = open + 1; !unbalanced_ && i < rest_.size(); ++i) {
            if (rest_[i] == '\\') {
                ++i;
            } else if (rest_[i] == '"') {
                return i + 1;
            }
        }
        unbalanced_ = true;  // looked for once, or long lines cost their square
        return open + 1;
    }

    std::string_view rest_;
    bool unbalanced_ = false;
};

}  // namespace cacheback::core
