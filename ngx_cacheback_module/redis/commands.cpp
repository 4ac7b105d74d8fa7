#include "commands.hpp"

#include <charconv>
#include <limits>

namespace cacheback::redis {

namespace {

constexpr std::string_view line_end = "\r\n";

// Digits, sign and nothing else.
class Decimal {
  public:
    explicit Decimal(std::int64_t number) noexcept {
        end_ = std::to_chars(text_, text_ + sizeof(text_), number).ptr;
    }
    [[nodiscard]] std::string_view view() const noexcept {
        return {text_, static_cast<std::size_t>(end_ - text_)};
    }

  private:
    char text_[std::numeric_limits<std::int64_t>::digits10 + 2];
    char* end_;
};

void append_length(std::string& out, char type, std::size_t length) {
    out += type;
    out += Decimal(static_cast<std::int64_t>(length)).view();
    out += line_end;
}

}  // namespace

void append_array(std::string& out, std::size_t words) {
    append_length(out, '*', words);
}

void append_word(std::string& out, std::string_view word) {
    append_length(out, '$', word.size());
    out += word;
    out += line_end;
}

void append_command(std::string& out, Words words) {
    // All or nothing: half a command would shift all that follow.
    constexpr std::size_t framing = 32;  // of a word
    std::size_t size = framing;
    for (std::string_view word : words) { size += word.size() + framing; }
    out.reserve(out.size() + size);
    append_array(out, words.size());
    for (std::string_view word : words) { append_word(out, word); }
}

void append_get(std::string& out, Words pieces_of_key) {
    constexpr std::string_view start = "*2\r\n$3\r\nGET\r\n";
    constexpr std::size_t framing = 32;
    std::size_t size = 0;
    for (std::string_view piece : pieces_of_key) { size += piece.size(); }
    out.reserve(out.size() + start.size() + size + framing);
    out += start;
    append_length(out, '$', size);
    for (std::string_view piece : pieces_of_key) { out += piece; }
    out += line_end;
}

void append_set(std::string& out, std::string_view key,
                const std::vector<std::string_view>& value,
                std::int64_t ttl_ms) {
    std::size_t size = 0;
    for (std::string_view piece : value) { size += piece.size(); }
    constexpr std::size_t framing = 96;  // all that is neither key nor value
    out.reserve(out.size() + size + key.size() + framing);

    append_array(out, 5);
    append_word(out, "SET");
    append_word(out, key);
    append_length(out, '$', size);
    for (std::string_view piece : value) { out += piece; }
    out += line_end;
    append_word(out, "PX");
    append_word(out, Decimal(ttl_ms).view());
}

}  // namespace cacheback::redis
