// core/structured_field.hpp: a reader of structured fields (RFC 8941, RFC
// 9651): the members of a list or a dictionary, as much of each as this module
// needs: its type, numbers and strings.
#pragma once

#include <string>
#include <string_view>

#include "time.hpp"

namespace cacheback::core {

struct StructuredValue {
    enum class Type : unsigned char {
        boolean,
        integer,
        decimal,
        string,
        token,
        bytes,
        list
    };
    Type type = Type::boolean;
    bool truth = true;      // of a boolean
    Seconds number = 0;     // of an integer, 0 for one below
    std::string_view text;  // of a string, as it stands between its quotes
};

// What a string means whose bytes these are: without the backslashes.
[[nodiscard]] std::string unescaped(std::string_view text);

// Reads one line. A field of several lines is all their members (4.2), as long
// as none of them fails.
class StructuredReader {
  public:
    explicit StructuredReader(std::string_view line) noexcept;

    // The next member; parameters are passed over. False at the end, and at the
    // first thing that is none: then failed() as well, and all that was read
    // before counts for nothing.
    bool next(StructuredValue& value) noexcept;  // of a list
    bool next(std::string_view& key,
              StructuredValue& value) noexcept;  // of a dictionary

    [[nodiscard]] bool failed() const noexcept { return failed_; }

  private:
    bool fail() noexcept;
    bool end_member() noexcept;
    [[nodiscard]] char front() const noexcept;
    bool take(char c) noexcept;
    void skip(std::string_view bytes) noexcept;
    template <class Belongs>
    std::string_view take_while(Belongs belongs) noexcept;
    bool read_key(std::string_view& key) noexcept;
    bool read_member(StructuredValue& value) noexcept;
    bool read_parameters() noexcept;
    bool read_inner_list(StructuredValue& value) noexcept;
    bool read_item(StructuredValue& value) noexcept;
    bool read_number(StructuredValue& value) noexcept;
    bool read_string(StructuredValue& value) noexcept;
    bool read_boolean(StructuredValue& value) noexcept;
    bool read_bytes(StructuredValue& value) noexcept;

    std::string_view rest_;
    bool failed_ = false;
};

}  // namespace cacheback::core
