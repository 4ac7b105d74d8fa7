// core/stored_field.hpp: which response fields an entry holds, and what kind
// each is for the replay. One list, asked when an entry is written and again
// when its bytes come back from the network.
#pragma once

#include <cstdint>
#include <string_view>

#include "field.hpp"
#include "policy.hpp"

namespace cacheback::core {

// Fields whose place in nginx's typed response matters when replaying; decided
// once, when the entry is written, so that a hit needs no name comparison.
enum class FieldKind : std::uint8_t {
    other = 0,
    content_type = 1,
    content_encoding = 2,
    location = 3,
    etag = 4,
    cache_control = 5,
    expires = 6,
    link = 7,
    www_authenticate = 8,
    vary = 9,
    refresh = 10,
    last_modified = 11,  // as text beside the prologue's number: a hit sends
    date = 12,           // both as they were received and formats nothing
    content_range = 13,
};

[[nodiscard]] FieldKind kind_of(std::string_view name) noexcept;

// Never in an entry: what belongs to one connection (RFC 9111 3.1), framing,
// what nginx or the prologue knows better (Age, Server, Accept-Ranges), and
// orders to nginx (X-Accel-*). In policy cacheback also what is for one client
// or one response only: Set-Cookie and Content-Range, which a cache by the RFC
// stores like any other field (3.1, 7.3).
[[nodiscard]] bool never_stored(std::string_view name,
                                PolicyName policy) noexcept;

// A token as name, and no byte in the value that could end the field.
[[nodiscard]] bool is_safe(std::string_view name,
                           std::string_view value) noexcept;

// True when the Connection of the response names it: it is meant for that
// connection alone (RFC 9110 7.6.1).
[[nodiscard]] bool is_of_connection(Fields response,
                                    std::string_view name) noexcept;

// True when the response says that `name` must not be stored with it: through
// Connection, no-cache="..." or private="..." (RFC 9111 3.1, 5.2.2).
[[nodiscard]] bool is_named_out(Fields response,
                                std::string_view name) noexcept;

}  // namespace cacheback::core
