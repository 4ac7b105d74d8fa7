#include "forwarded.hpp"

#include "text.hpp"

namespace cacheback::core {

namespace {

std::string_view after_spaces(std::string_view text) noexcept {
    const std::size_t at = text.find_first_not_of(" \t");
    return at == std::string_view::npos ? std::string_view{} : text.substr(at);
}

// Takes `name`, an equals sign and what may stand around it off the front.
bool take_name(std::string_view& text, std::string_view name) noexcept {
    if (!istarts_with(text, name)) { return false; }
    std::string_view rest = after_spaces(text.substr(name.size()));
    if (rest.empty() || rest.front() != '=') { return false; }
    rest = after_spaces(rest.substr(1));
    if (!rest.empty() && rest.front() == '"') { rest.remove_prefix(1); }
    text = rest;
    return true;
}

std::string_view value_at(std::string_view text) noexcept {
    return text.substr(0, text.find_first_of("\";, \t"));
}

}  // namespace

bool forwarded_agrees(std::string_view value, std::string_view host,
                      std::string_view proto) noexcept {
    for (; !value.empty(); value.remove_prefix(1)) {
        std::string_view rest = value;
        if (take_name(rest, "host") && !iequal(value_at(rest), host)) {
            return false;
        }
        if (take_name(rest, "proto") && value_at(rest) != proto) {
            return false;
        }
    }
    return true;
}

}  // namespace cacheback::core
