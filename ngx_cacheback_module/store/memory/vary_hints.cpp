#include "vary_hints.hpp"

#include <algorithm>

namespace cacheback::store {

std::string_view VaryHints::generation(std::uint64_t hash,
                                       std::uint32_t fence) const noexcept {
    const Place* place = find(hash);
    if (place == nullptr || !place->has_generation || place->fence != fence) {
        return {};
    }
    return {place->generation, generation_size};
}

VaryHints::Place* VaryHints::write(std::uint64_t hash, std::string_view names) {
    if (names.empty() || names.size() > max_names) {
        forget(hash);
        return nullptr;
    }
    if (all_.empty()) { all_.resize(places); }
    Place& place = all_[hash % places];
    place.hash = hash;
    place.has_generation = false;
    place.names_size = static_cast<std::uint8_t>(names.size());
    std::copy(names.begin(), names.end(), place.names);
    return &place;
}

void VaryHints::remember(std::uint64_t hash, std::string_view names) {
    if (this->names(hash) != names) { (void)write(hash, names); }
}

void VaryHints::remember(std::uint64_t hash, std::string_view names,
                         std::string_view generation, std::uint32_t fence) {
    Place* place = write(hash, names);
    if (place == nullptr || generation.size() != generation_size) { return; }
    std::copy(generation.begin(), generation.end(), place->generation);
    place->fence = fence;
    place->has_generation = true;
}

void VaryHints::forget(std::uint64_t hash) noexcept {
    if (find(hash) != nullptr) { all_[hash % places].names_size = 0; }
}

}  // namespace cacheback::store
