// core/vary.hpp: which request fields select a stored response (RFC 9111 4.1).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "field.hpp"

namespace cacheback::core {

// The names of all fields that an item may vary on, together; what names more
// varies on everything.
inline constexpr std::size_t max_vary_names = 512;

// An item has so many variants; who needs more makes room among them.
inline constexpr unsigned max_variants = 32;

// True when a Vary field of `response` has `*` in any position or line, or a
// member that is no field name: then nobody knows on what it varies.
[[nodiscard]] bool varies_on_everything(Fields response) noexcept;

// What Vary names: lower case, each once, sorted, with a comma between them. A
// response with Content-Encoding varies on accept-encoding whether it says so
// or not. Empty when the response does not vary. `ignore_vary` leaves out what
// Vary names.
[[nodiscard]] std::string vary_names(Fields response, bool ignore_vary = false);

// True for a list as vary_names() writes it.
[[nodiscard]] bool are_vary_names(std::string_view names) noexcept;

// What a request says in these fields, as it stands in an entry: each name with
// its value, or that it was absent. Requests that the same variant answers have
// the same section (RFC 9111 4.1): lines of one field are joined, the white
// space around members is dropped; not so in Cookie, User-Agent and others of
// one value, which may have commas of its own. In Accept-Language and
// Accept-Encoding, where order and case mean nothing and weights all (RFC
// 9110 12.4.2, 12.5.3, 12.5.4), the members stand by falling weight and then by
// name.
//
// Give it the request as the origin sees it: a location that sends its own
// Accept-Encoding has one variant, not one per browser.
[[nodiscard]] std::string vary_section(std::string_view names, Fields request);

// The section of the entry that is made of this response to that request.
[[nodiscard]] std::string make_vary(Fields response, Fields request,
                                    bool ignore_vary = false);

// The section of an entry that this 304 renews, or HEAD's response, as an
// answer to that request. What it varies on besides is added: the entry was not
// chosen by that. A 304 that names less says nothing; many leave out what
// others of the same server add.
[[nodiscard]] std::string renewed_vary(std::string_view section,
                                       Fields not_modified, Fields request,
                                       bool ignore_vary = false);

// The names in a section, as vary_names() has them.
[[nodiscard]] std::string names_of_vary(std::string_view section);

// True when `request` has the same values as the one stored in `section`. An
// empty section matches every request.
[[nodiscard]] bool vary_matches(std::string_view section, Fields request);

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
    // What stands before name and value: the size of each.
    static constexpr std::size_t item_prologue_size = 6;
    struct Sizes {
        std::size_t name;
        std::size_t value;
        bool present;
    };
    [[nodiscard]] static Sizes sizes_of(const char* item_prologue) noexcept;

    explicit VaryItems(std::string_view section) noexcept : rest_(section) {}
    // False at the end, and at the first byte that does not fit.
    bool next(VaryItem& item) noexcept;
    [[nodiscard]] bool done() const noexcept { return rest_.empty(); }

  private:
    std::string_view rest_;
};

// Calls `each(name)` for every name in a list of vary_names().
template <class Each>
void for_each_vary_name(std::string_view names, Each each) {
    while (!names.empty()) {
        const std::size_t end = names.find(',');
        each(names.substr(0, end));
        names.remove_prefix(end == std::string_view::npos ? names.size()
                                                          : end + 1);
    }
}

}  // namespace cacheback::core
