// core/method.hpp: which request methods change nothing (RFC 9110 9.2.1).
#pragma once

#include <string_view>

namespace cacheback::core {

// The methods that are registered as safe. Any other is taken for one that
// changes its resource, an unknown one too (RFC 9111 4.4).
[[nodiscard]] bool is_safe_method(std::string_view method) noexcept;

}  // namespace cacheback::core
