// core/uri_reference.hpp: what a Location or Content-Location refers to, as far
// as it stays with the origin that sent it (RFC 3986 5.2, RFC 9110 4.3.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cacheback::core {

// Whom a request was sent to.
struct RequestPlace {
    std::string_view scheme;     // "http" or "https"
    std::string_view authority;  // as Host has it, with a port or without
    std::string_view target;     // as on the request line: "/path?query"
};

// "https://example.org:8443": lower case, without the usual port.
[[nodiscard]] std::string origin_of(std::string_view scheme,
                                    std::string_view authority);

// The request target that `reference` stands for when it was sent in an answer
// to that request; nothing when it is of another origin (scheme, host or port
// differ), or no reference to one.
[[nodiscard]] std::optional<std::string> same_origin_target(
    const RequestPlace& place, std::string_view reference);

}  // namespace cacheback::core
