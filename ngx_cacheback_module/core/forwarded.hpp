// core/forwarded.hpp: what a Forwarded field (RFC 7239) says of the client's
// way in.
#pragma once

#include <string_view>

namespace cacheback::core {

// True when every host and every proto in `value` is this one, none included.
// Origins read the field in ways of their own, so whatever might be taken for
// one of the two counts, inside of quotes, too.
[[nodiscard]] bool forwarded_agrees(std::string_view value,
                                    std::string_view host,
                                    std::string_view proto) noexcept;

}  // namespace cacheback::core
