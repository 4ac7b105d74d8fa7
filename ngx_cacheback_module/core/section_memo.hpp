// core/section_memo.hpp: sections (vary_section) that were made before, found
// by a hash of what they were made from: most requests of a browser say in
// their Accept-Language what those before them said. Bounded; what is not kept
// is made again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cacheback::core {

class SectionMemo {
  public:
    static constexpr std::size_t places = 512;
    static constexpr std::size_t max_section = 512;

    // Null: not kept. `hash` must be one that nobody outside can aim at.
    [[nodiscard]] const std::string* find(std::uint64_t hash) const noexcept {
        if (all_.empty()) { return nullptr; }
        const Place& place = all_[hash % places];
        return place.hash == hash && !place.section.empty() ? &place.section
                                                            : nullptr;
    }
    void keep(std::uint64_t hash, std::string_view section) {
        if (section.size() > max_section) { return; }
        if (all_.empty()) { all_.resize(places); }
        Place& place = all_[hash % places];
        place.section = section;
        place.hash = hash;
    }

  private:
    struct Place {
        std::uint64_t hash = 0;
        std::string section;
    };

    std::vector<Place> all_;  // made when the first is to be kept
};

}  // namespace cacheback::core
