// store/memory/vary_hints.hpp: on which request fields items vary, as one
// worker last saw it, so that a look-up need not read that first. A guess:
// whoever looks by it finds out whether it still holds.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace cacheback::store {

class VaryHints {
  public:
    static constexpr std::size_t places = 1024;
    static constexpr std::size_t max_names = 112;
    static constexpr std::size_t generation_size = 16;

    // Empty: nothing is known. Valid until the next change.
    [[nodiscard]] std::string_view names(std::uint64_t hash) const noexcept {
        const Place* place = find(hash);
        return place == nullptr
                   ? std::string_view()
                   : std::string_view(place->names, place->names_size);
    }
    // The generation of the item's variants in Redis, when nothing has changed
    // since `fence` was read; else empty.
    [[nodiscard]] std::string_view generation(
        std::uint64_t hash, std::uint32_t fence) const noexcept;

    // Names that are too long are not kept.
    void remember(std::uint64_t hash, std::string_view names);
    void remember(std::uint64_t hash, std::string_view names,
                  std::string_view generation, std::uint32_t fence);
    void forget(std::uint64_t hash) noexcept;

  private:
    struct Place {
        std::uint64_t hash = 0;
        std::uint32_t fence = 0;
        bool has_generation = false;
        std::uint8_t names_size = 0;
        char generation[generation_size] = {};
        char names[max_names] = {};
    };

    [[nodiscard]] const Place* find(std::uint64_t hash) const noexcept {
        if (all_.empty()) { return nullptr; }
        const Place& place = all_[hash % places];
        return place.hash == hash && place.names_size != 0 ? &place : nullptr;
    }
    Place* write(std::uint64_t hash, std::string_view names);

    std::vector<Place> all_;  // made when the first is to be kept
};

}  // namespace cacheback::store
