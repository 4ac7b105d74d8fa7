// core/query_args.hpp: the arguments of a request in one normal form, so that
// their order and those that do not matter make no second item.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cacheback::core {

// `utm_*` names all arguments that begin so, `fbclid` the one of that name.
struct ArgPattern {
    std::string_view name;  // without the star
    bool is_prefix = false;
};

struct ArgPatterns {
    const ArgPattern* data = nullptr;
    std::size_t size = 0;

    [[nodiscard]] const ArgPattern* begin() const noexcept { return data; }
    [[nodiscard]] const ArgPattern* end() const noexcept { return data + size; }
};

[[nodiscard]] ArgPattern parse_arg_pattern(std::string_view text) noexcept;

// `query` (without "?") without the arguments that a pattern names, the others
// sorted by name, byte for byte; those of one name keep their order, and each
// stays as it was written. Names are compared as they came, not decoded: an
// origin that reads `%61` as `a` gets a second item, never a wrong one. Empty
// pieces ("a=1&&b=2") are left out.
[[nodiscard]] std::string normal_args(std::string_view query,
                                      ArgPatterns ignored);

// A request target around its first "?". A fragment, which no client should
// send, is not cut off: nginx hands it on to origins.
struct Target {
    std::string_view path;
    std::string_view query;
};

[[nodiscard]] Target split_target(std::string_view target) noexcept;

}  // namespace cacheback::core
