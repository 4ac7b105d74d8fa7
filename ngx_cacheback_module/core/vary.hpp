// core/vary.hpp: which request fields select a stored response (RFC 9111 4.1).
#pragma once

#include <string>
#include <string_view>

#include "field.hpp"

namespace cacheback::core {

// True when a Vary field of `response` has `*` in any position or line, or a
// member that is no field name: then nobody knows on what it varies.
[[nodiscard]] bool varies_on_everything(Fields response) noexcept;

// The entry's vary section: for each field that Vary names (lower case, each
// once, sorted) its name and the request's value, or that it was absent. Lines
// of one field are joined and the white space around members is dropped
// (RFC 9111 4.1). A response with Content-Encoding varies on accept-encoding
// whether it says so or not. Empty when the response does not vary.
//
// Give it the request as the origin saw it, and vary_matches() a request as
// the origin would see it: a location that sends its own Accept-Encoding has
// one variant, not one per browser. `ignore_vary` leaves out what Vary names.
[[nodiscard]] std::string make_vary(Fields response, Fields request,
                                    bool ignore_vary = false);

// True when `request` has the same values as the one stored in `section`.
// Allocates nothing. An empty section matches every request.
[[nodiscard]] bool vary_matches(std::string_view section,
                                Fields request) noexcept;

// True when the bytes are a section as make_vary() writes it.
[[nodiscard]] bool vary_is_valid(std::string_view section) noexcept;

struct VaryItem {
    std::string_view name;
    std::string_view value;
    bool present = false;
};

// Reads the items of a section one after another.
class VaryItems {
  public:
    explicit VaryItems(std::string_view section) noexcept : rest_(section) {}
    // False at the end, and at the first byte that does not fit.
    bool next(VaryItem& item) noexcept;
    [[nodiscard]] bool done() const noexcept { return rest_.empty(); }

  private:
    std::string_view rest_;
};

// Calls `each(name)` for every field name in the section.
template <class Each>
void for_each_vary_name(std::string_view section, Each each) {
    VaryItems items(section);
    VaryItem item;
    while (items.next(item)) { each(item.name); }
}

}  // namespace cacheback::core
