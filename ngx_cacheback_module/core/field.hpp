// core/field.hpp: HTTP header fields as plain views, the form in which the
// rules read a request or a response.
#pragma once

#include <cstddef>
#include <string_view>

#include "text.hpp"

namespace cacheback::core {

struct Field {
    std::string_view name;
    std::string_view value;
};

// A run of fields somebody else owns, in the order they were received.
struct Fields {
    const Field* first = nullptr;
    std::size_t count = 0;

    const Field* begin() const noexcept { return first; }
    const Field* end() const noexcept { return first + count; }
};

// The first of that name, whatever its case; null when there is none.
[[nodiscard]] inline const Field* find(Fields fields,
                                       std::string_view name) noexcept {
    for (const Field& field : fields) {
        if (iequal(field.name, name)) { return &field; }
    }
    return nullptr;
}

}  // namespace cacheback::core
