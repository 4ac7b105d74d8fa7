// core/cache_groups.hpp: the groups that an origin puts its responses into, and
// invalidates as one (RFC 9875).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "field.hpp"

namespace cacheback::core {

// RFC 9875 asks for 32 of 32 characters at least (section 2).
inline constexpr std::size_t max_groups = 64;
inline constexpr std::size_t max_group_name = 256;

struct Groups {
    // One word for each, as tags of an entry are: the origin, '#', and the name
    // with all but letters, digits and "-._~" as %XX. Groups of other origins
    // are others, whatever their names (2.1).
    std::vector<std::string> words;
    bool too_many = false;  // or the name of one too long
};

// What the lines of `name` (Cache-Groups, Cache-Group-Invalidation) say in a
// response of `origin` (core::origin_of): a list of strings. Parameters do not
// count. None where the field is anything else (RFC 9651 4.2).
[[nodiscard]] Groups read_groups(Fields fields, std::string_view name,
                                 std::string_view origin);

// As an entry holds them: with one space between.
[[nodiscard]] std::string joined(const std::vector<std::string>& words);

}  // namespace cacheback::core
