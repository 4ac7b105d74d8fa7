#include "uri_reference.hpp"

#include <algorithm>

#include "text.hpp"

namespace cacheback::core {

namespace {

std::string_view usual_port(std::string_view scheme) noexcept {
    return iequal(scheme, "https") ? "443" : "80";
}

struct Authority {
    std::string_view host;
    std::string_view port;
};

Authority split_authority(std::string_view text,
                          std::string_view scheme) noexcept {
    const std::string_view usual = usual_port(scheme);
    const std::size_t colon = text.rfind(':');
    const std::size_t bracket = text.rfind(']');  // of an IPv6 address
    if (colon == std::string_view::npos ||
        (bracket != std::string_view::npos && colon < bracket)) {
        return {text, usual};
    }
    const std::string_view port = text.substr(colon + 1);
    return {text.substr(0, colon), port.empty() ? usual : port};
}

bool same_authority(std::string_view one, std::string_view other,
                    std::string_view scheme) noexcept {
    const Authority a = split_authority(one, scheme);
    const Authority b = split_authority(other, scheme);
    return !a.host.empty() && iequal(a.host, b.host) && a.port == b.port;
}

bool is_scheme(std::string_view text) noexcept {
    return !text.empty() && lower(text.front()) >= 'a' &&
           lower(text.front()) <= 'z' &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
                      c == '+' || c == '-' || c == '.';
           });
}

// RFC 3986 5.2.4, for a path that begins with a slash.
std::string without_dots(std::string_view path) {
    std::string out;
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('/', 1), path.size());
        const std::string_view segment = path.substr(1, end - 1);
        const bool last = end == path.size();
        path.remove_prefix(end);
        if (segment == "." || segment == "..") {
            if (segment == "..") {
                out.resize(out.empty() ? 0 : out.rfind('/'));
            }
            if (last) { out += '/'; }
            continue;
        }
        out.append("/").append(segment);
    }
    return out;
}

}  // namespace

std::string origin_of(std::string_view scheme, std::string_view authority) {
    const Authority parts = split_authority(authority, scheme);
    std::string origin(scheme);
    origin.append("://").append(parts.host);
    if (parts.port != usual_port(scheme)) {
        origin.append(":").append(parts.port);
    }
    std::transform(origin.begin(), origin.end(), origin.begin(), lower);
    return origin;
}

std::optional<std::string> same_origin_target(const RequestPlace& place,
                                              std::string_view reference) {
    reference = trim(reference);
    reference = reference.substr(0, reference.find('#'));
    const auto ends_text = [](char c) {
        return c <= ' ' || c == 0x7f || c == '\\';
    };
    if (std::any_of(reference.begin(), reference.end(), ends_text)) {
        return std::nullopt;
    }

    const std::size_t colon = reference.find_first_of(":/?");
    if (colon != std::string_view::npos && reference[colon] == ':' &&
        is_scheme(reference.substr(0, colon))) {
        if (!iequal(reference.substr(0, colon), place.scheme)) {
            return std::nullopt;
        }
        reference.remove_prefix(colon + 1);
        if (reference.substr(0, 2) != "//") { return std::nullopt; }
    }
    if (reference.substr(0, 2) == "//") {
        reference.remove_prefix(2);
        const std::size_t end =
            std::min(reference.find_first_of("/?"), reference.size());
        if (!same_authority(reference.substr(0, end), place.authority,
                            place.scheme)) {
            return std::nullopt;
        }
        reference.remove_prefix(end);
        if (reference.empty()) { return "/"; }
        if (reference.front() == '?') { return "/" + std::string(reference); }
    }

    const std::string_view base =
        place.target.substr(0, place.target.find('?'));
    if (reference.empty()) { return std::string(place.target); }
    if (reference.front() == '?') {
        return std::string(base).append(reference);
    }
    const std::size_t query = std::min(reference.find('?'), reference.size());
    std::string path(reference.substr(0, query));
    if (path.front() != '/') {
        path.insert(0, base.substr(0, base.rfind('/') + 1));
        if (path.front() != '/') { return std::nullopt; }
    }
    return without_dots(path).append(reference.substr(query));
}

}  // namespace cacheback::core
