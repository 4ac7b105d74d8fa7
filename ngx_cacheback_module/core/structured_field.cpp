#include "structured_field.hpp"

#include <algorithm>
#include <cstddef>

#include "text.hpp"

namespace cacheback::core {

namespace {

constexpr bool is_lower_alpha(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_alpha(char c) noexcept { return is_lower_alpha(lower(c)); }

}  // namespace

using Type = StructuredValue::Type;

std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) { ++i; }
        out += text[i];
    }
    return out;
}

StructuredReader::StructuredReader(std::string_view line) noexcept
    : rest_(line) {
    skip(" ");
    while (!rest_.empty() && rest_.back() == ' ') { rest_.remove_suffix(1); }
}

bool StructuredReader::next(StructuredValue& value) noexcept {
    if (rest_.empty() || failed_) { return false; }
    value = StructuredValue{};
    const bool read =
        front() == '(' ? read_inner_list(value) : read_item(value);
    return read && read_parameters() ? end_member() : fail();
}

bool StructuredReader::next(std::string_view& key,
                            StructuredValue& value) noexcept {
    if (rest_.empty() || failed_) { return false; }
    return read_key(key) && read_member(value) ? end_member() : fail();
}

bool StructuredReader::end_member() noexcept {
    skip(" \t");
    if (rest_.empty()) { return true; }
    if (!take(',')) { return fail(); }
    skip(" \t");
    return !rest_.empty() || fail();  // a comma at the end
}

bool StructuredReader::fail() noexcept {
    failed_ = true;
    return false;
}

char StructuredReader::front() const noexcept {
    return rest_.empty() ? '\0' : rest_.front();
}

bool StructuredReader::take(char c) noexcept {
    if (rest_.empty() || rest_.front() != c) { return false; }
    rest_.remove_prefix(1);
    return true;
}

void StructuredReader::skip(std::string_view bytes) noexcept {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(bytes), rest_.size()));
}

template <class Belongs>
std::string_view StructuredReader::take_while(Belongs belongs) noexcept {
    std::size_t size = 0;
    while (size < rest_.size() && belongs(rest_[size])) { ++size; }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
}

bool StructuredReader::read_key(std::string_view& key) noexcept {
    if (!is_lower_alpha(front()) && front() != '*') { return false; }
    key = take_while([](char c) {
        return is_lower_alpha(c) || is_digit(c) ||
               std::string_view("_-.*").find(c) != std::string_view::npos;
    });
    return true;
}

bool StructuredReader::read_member(StructuredValue& value) noexcept {
    value = StructuredValue{};
    if (!take('=')) { return read_parameters(); }
    const bool read =
        front() == '(' ? read_inner_list(value) : read_item(value);
    return read && read_parameters();
}

bool StructuredReader::read_parameters() noexcept {
    while (take(';')) {
        skip(" ");
        std::string_view key;
        StructuredValue value;
        if (!read_key(key)) { return false; }
        if (take('=') && !read_item(value)) { return false; }
    }
    return true;
}

bool StructuredReader::read_inner_list(StructuredValue& value) noexcept {
    value.type = Type::list;
    take('(');
    for (;;) {
        skip(" ");
        if (take(')')) { return true; }
        StructuredValue item;
        if (!read_item(item) || !read_parameters()) { return false; }
        if (front() != ' ' && front() != ')') { return false; }
    }
}

bool StructuredReader::read_item(StructuredValue& value) noexcept {
    const char first = front();
    if (first == '-' || is_digit(first)) { return read_number(value); }
    if (first == '"') { return read_string(value); }
    if (first == '?') { return read_boolean(value); }
    if (first == ':') { return read_bytes(value); }
    if (first == '*' || is_alpha(first)) {
        value.type = Type::token;
        take_while([](char c) {
            return c == ':' || c == '/' || is_token({&c, 1});
        });
        return true;
    }
    return false;
}

bool StructuredReader::read_number(StructuredValue& value) noexcept {
    const bool negative = take('-');
    const std::string_view whole = take_while(is_digit);
    value.type = Type::integer;
    if (whole.empty() || whole.size() > 15) { return false; }
    if (take('.')) {
        value.type = Type::decimal;
        const std::string_view part = take_while(is_digit);
        return whole.size() <= 12 && !part.empty() && part.size() <= 3;
    }
    value.number = negative ? 0 : parse_seconds(whole).value_or(0);
    return true;
}

bool StructuredReader::read_string(StructuredValue& value) noexcept {
    value.type = Type::string;
    take('"');
    const char* begin = rest_.data();
    while (!rest_.empty()) {
        const char c = front();
        const char* at = rest_.data();
        rest_.remove_prefix(1);
        if (c == '"') {
            value.text = {begin, static_cast<std::size_t>(at - begin)};
            return true;
        }
        const auto code = static_cast<unsigned char>(c);
        if (code < ' ' || code >= 0x7f) { return false; }
        if (c == '\\' && !take('"') && !take('\\')) { return false; }
    }
    return false;
}

bool StructuredReader::read_boolean(StructuredValue& value) noexcept {
    value.type = Type::boolean;
    take('?');
    value.truth = front() == '1';
    return take('0') || take('1');
}

bool StructuredReader::read_bytes(StructuredValue& value) noexcept {
    value.type = Type::bytes;
    take(':');
    take_while([](char c) {
        return is_alpha(c) || is_digit(c) || c == '+' || c == '/' || c == '=';
    });
    return take(':');
}

}  // namespace cacheback::core
