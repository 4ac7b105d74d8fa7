#include "cache_status.hpp"

#include <algorithm>

#include "text.hpp"

namespace cacheback::core {

namespace {

constexpr bool is_printable(char c) noexcept { return c >= ' ' && c <= '~'; }

constexpr bool is_escaped(char c) noexcept { return c == '"' || c == '\\'; }

constexpr bool is_letter(char c) noexcept {
    return lower(c) >= 'a' && lower(c) <= 'z';
}

// RFC 9651 3.3.4
bool is_sf_token(std::string_view text) noexcept {
    if (text.empty() || !(is_letter(text.front()) || text.front() == '*')) {
        return false;
    }
    return std::all_of(text.begin(), text.end(), [](char c) {
        return c == ':' || c == '/' || is_token({&c, 1});
    });
}

// RFC 9651 3.3.3, quotes included.
bool is_sf_string(std::string_view text) noexcept {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') {
        return false;
    }
    text = text.substr(1, text.size() - 2);
    for (std::size_t i = 0; i < text.size(); i++) {
        if (!is_printable(text[i]) || text[i] == '"') { return false; }
        if (text[i] == '\\' && (++i == text.size() || !is_escaped(text[i]))) {
            return false;
        }
    }
    return true;
}

void append_string(std::string& out, std::string_view text) {
    constexpr char digits[] = "0123456789ABCDEF";
    out += '"';
    for (const char c : text) {
        if (!is_printable(c)) {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
            continue;
        }
        if (is_escaped(c)) { out += '\\'; }
        out += c;
    }
    out += '"';
}

std::string_view word(Forward forward) noexcept {
    switch (forward) {
    case Forward::none: return "";
    case Forward::bypass: return "bypass";
    case Forward::method: return "method";
    case Forward::uri_miss: return "uri-miss";
    case Forward::vary_miss: return "vary-miss";
    case Forward::miss: return "miss";
    case Forward::request: return "request";
    case Forward::stale: return "stale";
    case Forward::partial: return "partial";
    }
    return "";  // no enumerator: the compiler warns of a forgotten one
}

}  // namespace

std::optional<std::string> cache_name(std::string_view text) {
    if (is_sf_token(text) || is_sf_string(text)) { return std::string(text); }
    if (text.empty() || text.front() == '"' ||
        !std::all_of(text.begin(), text.end(), is_printable)) {
        return std::nullopt;
    }
    std::string name;
    append_string(name, text);
    return name;
}

std::string cache_status(std::string_view name, const CacheStatus& status) {
    std::string member(name);
    member.reserve(name.size() + status.key.size() + 64);
    if (status.hit) { member += "; hit"; }
    if (status.forward != Forward::none) {
        member.append("; fwd=").append(word(status.forward));
    }
    if (status.forward_status != 0) {
        member.append("; fwd-status=")
            .append(std::to_string(status.forward_status));
    }
    if (status.ttl) {
        member.append("; ttl=").append(std::to_string(*status.ttl));
    }
    if (status.stored) { member += "; stored"; }
    if (status.collapsed) {
        member += *status.collapsed ? "; collapsed" : "; collapsed=?0";
    }
    if (!status.key.empty()) {
        member += "; key=";
        append_string(member, status.key);
    }
    if (!status.detail.empty()) {
        member.append("; detail=").append(status.detail);
    }
    return member;
}

}  // namespace cacheback::core
