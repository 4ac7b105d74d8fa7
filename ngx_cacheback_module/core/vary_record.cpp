#include "vary_record.hpp"

#include <algorithm>

#include "vary.hpp"

namespace cacheback::core {

namespace {

constexpr std::string_view start = "cachevar 1 ";

bool is_generation(std::string_view text) noexcept {
    return text.size() == VaryRecord::generation_size &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string write_vary_record(const VaryRecord& record) {
    std::string bytes(start);
    return bytes.append(record.generation).append(" ").append(record.names);
}

std::optional<VaryRecord> read_vary_record(std::string_view bytes) noexcept {
    constexpr std::size_t size = VaryRecord::generation_size;
    if (!begins_vary_record(bytes)) { return std::nullopt; }
    bytes.remove_prefix(start.size());
    const VaryRecord record{bytes.substr(0, size),
                            bytes.substr(std::min(size + 1, bytes.size()))};
    if (!is_generation(record.generation) || bytes.size() <= size ||
        bytes[size] != ' ' || !are_vary_names(record.names)) {
        return std::nullopt;
    }
    return record;
}

bool begins_vary_record(std::string_view bytes) noexcept {
    return bytes.substr(0, start.size()) == start;
}

}  // namespace cacheback::core
