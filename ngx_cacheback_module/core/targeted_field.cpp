// core/targeted_field.cpp: a reader of structured dictionaries (RFC 8941 4.2),
// as much of one as directives need: each value's type, and numbers.
#include "targeted_field.hpp"

#include <algorithm>
#include <cstddef>

#include "text.hpp"

namespace cacheback::core {

namespace {

enum class Type : unsigned char {
    boolean,
    integer,
    decimal,
    string,
    token,
    bytes,
    list
};

struct Value {
    Type type = Type::boolean;
    bool truth = true;   // of a boolean
    Seconds number = 0;  // of an integer
    bool empty = false;  // of a string
};

constexpr bool is_lower_alpha(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_alpha(char c) noexcept { return is_lower_alpha(lower(c)); }

class DictionaryReader {
  public:
    explicit DictionaryReader(std::string_view line) noexcept : rest_(line) {
        skip(" ");
        while (!rest_.empty() && rest_.back() == ' ') {
            rest_.remove_suffix(1);
        }
    }

    // False at the end, and at the first thing that is not a dictionary: then
    // failed() as well.
    bool next(std::string_view& key, Value& value) noexcept {
        if (rest_.empty() || failed_) { return false; }
        if (!read_key(key) || !read_member(value)) { return fail(); }
        skip(" \t");
        if (rest_.empty()) { return true; }
        if (!take(',')) { return fail(); }
        skip(" \t");
        return !rest_.empty() || fail();  // a comma at the end
    }

    [[nodiscard]] bool failed() const noexcept { return failed_; }

  private:
    bool fail() noexcept {
        failed_ = true;
        return false;
    }

    [[nodiscard]] char front() const noexcept {
        return rest_.empty() ? '\0' : rest_.front();
    }

    bool take(char c) noexcept {
        if (rest_.empty() || rest_.front() != c) { return false; }
        rest_.remove_prefix(1);
        return true;
    }

    void skip(std::string_view bytes) noexcept {
        rest_.remove_prefix(
            std::min(rest_.find_first_not_of(bytes), rest_.size()));
    }

    template <class Belongs>
    std::string_view take_while(Belongs belongs) noexcept {
        std::size_t size = 0;
        while (size < rest_.size() && belongs(rest_[size])) { ++size; }
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }

    bool read_key(std::string_view& key) noexcept {
        if (!is_lower_alpha(front()) && front() != '*') { return false; }
        key = take_while([](char c) {
            return is_lower_alpha(c) || is_digit(c) ||
                   std::string_view("_-.*").find(c) != std::string_view::npos;
        });
        return true;
    }

    bool read_member(Value& value) noexcept {
        value = Value{};
        if (!take('=')) { return read_parameters(); }
        const bool read =
            front() == '(' ? read_inner_list(value) : read_item(value);
        return read && read_parameters();
    }

    bool read_parameters() noexcept {
        while (take(';')) {
            skip(" ");
            std::string_view key;
            Value value;
            if (!read_key(key)) { return false; }
            if (take('=') && !read_item(value)) { return false; }
        }
        return true;
    }

    bool read_inner_list(Value& value) noexcept {
        value.type = Type::list;
        take('(');
        for (;;) {
            skip(" ");
            if (take(')')) { return true; }
            Value item;
            if (!read_item(item) || !read_parameters()) { return false; }
            if (front() != ' ' && front() != ')') { return false; }
        }
    }

    bool read_item(Value& value) noexcept {
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

    bool read_number(Value& value) noexcept {
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

    bool read_string(Value& value) noexcept {
        value.type = Type::string;
        take('"');
        value.empty = front() == '"';
        while (!rest_.empty()) {
            const char c = front();
            rest_.remove_prefix(1);
            if (c == '"') { return true; }
            if (c < ' ' || c == '\x7f') { return false; }  // also above ASCII
            if (c == '\\' && !take('"') && !take('\\')) { return false; }
        }
        return false;
    }

    bool read_boolean(Value& value) noexcept {
        value.type = Type::boolean;
        take('?');
        value.truth = front() == '1';
        return take('0') || take('1');
    }

    bool read_bytes(Value& value) noexcept {
        value.type = Type::bytes;
        take(':');
        take_while([](char c) {
            return is_alpha(c) || is_digit(c) || c == '+' || c == '/' ||
                   c == '=';
        });
        return take(':');
    }

    std::string_view rest_;
    bool failed_ = false;
};

bool set(bool& directive, const Value& value) noexcept {
    directive = value.truth;
    return value.type == Type::boolean;
}

bool set(std::optional<Seconds>& directive, const Value& value) noexcept {
    directive = value.number;
    return value.type == Type::integer;
}

// no-cache and private: alone, or with field names in a string.
bool set(bool& whole, bool& fields, const Value& value) noexcept {
    const bool named = value.type == Type::string && !value.empty;
    whole = !named && value.truth;
    fields = named;
    return value.type == Type::boolean || value.type == Type::string;
}

// False when the value's type is not that of the directive. Of a key that is
// repeated the last value counts, as in every dictionary (RFC 8941 3.2).
bool apply(CacheControl& control, std::string_view key,
           const Value& value) noexcept {
    if (key == "max-age") { return set(control.max_age, value); }
    if (key == "s-maxage") { return set(control.s_maxage, value); }
    if (key == "stale-while-revalidate") {
        return set(control.stale_while_revalidate, value);
    }
    if (key == "stale-if-error") { return set(control.stale_if_error, value); }
    if (key == "no-store") { return set(control.no_store, value); }
    if (key == "no-cache") {
        return set(control.no_cache, control.no_cache_fields, value);
    }
    if (key == "private") {
        return set(control.is_private, control.private_fields, value);
    }
    if (key == "public") { return set(control.is_public, value); }
    if (key == "must-revalidate") {
        return set(control.must_revalidate, value);
    }
    if (key == "proxy-revalidate") {
        return set(control.proxy_revalidate, value);
    }
    if (key == "must-understand") {
        return set(control.must_understand, value);
    }
    if (key == "no-transform") { return set(control.no_transform, value); }
    if (key == "immutable") { return set(control.immutable, value); }
    return true;
}

}  // namespace

bool read_targeted(Fields fields, std::string_view name,
                   CacheControl& control) noexcept {
    CacheControl read;
    bool any = false;
    for (const Field& field : fields) {
        if (!iequal(field.name, name)) { continue; }
        DictionaryReader reader(field.value);
        std::string_view key;
        Value value;
        while (reader.next(key, value)) {
            any = true;
            if (!apply(read, key, value)) { return false; }
        }
        if (reader.failed()) { return false; }
    }
    if (any) { control = read; }
    return any;
}

}  // namespace cacheback::core
