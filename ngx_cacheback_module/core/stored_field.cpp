// core/stored_field.cpp: the lists of names.
#include "stored_field.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "cache_control.hpp"
#include "text.hpp"

namespace cacheback::core {

FieldKind kind_of(std::string_view name) noexcept {
    switch (name.size()) {
    case 4:
        if (iequal(name, "date")) { return FieldKind::date; }
        if (iequal(name, "etag")) { return FieldKind::etag; }
        if (iequal(name, "vary")) { return FieldKind::vary; }
        if (iequal(name, "link")) { return FieldKind::link; }
        break;
    case 7:
        if (iequal(name, "expires")) { return FieldKind::expires; }
        if (iequal(name, "refresh")) { return FieldKind::refresh; }
        break;
    case 8:
        if (iequal(name, "location")) { return FieldKind::location; }
        break;
    case 12:
        if (iequal(name, "content-type")) { return FieldKind::content_type; }
        break;
    case 13:
        if (iequal(name, "cache-control")) { return FieldKind::cache_control; }
        if (iequal(name, "last-modified")) { return FieldKind::last_modified; }
        if (iequal(name, "content-range")) { return FieldKind::content_range; }
        break;
    case 16:
        if (iequal(name, "content-encoding")) {
            return FieldKind::content_encoding;
        }
        if (iequal(name, "www-authenticate")) {
            return FieldKind::www_authenticate;
        }
        break;
    default: break;
    }
    return FieldKind::other;
}

bool never_stored(std::string_view name, PolicyName policy) noexcept {
    if (name.empty()) { return true; }
    const bool verbatim = policy == PolicyName::rfc9111;
    const auto is = [name](std::string_view other) {
        return iequal(name, other);
    };
    switch (lower(name.front())) {
    case 'a': return is("age") || is("accept-ranges");
    case 'c':
        return is("connection") || is("content-length") ||
               (is("content-range") && !verbatim);
    case 'h': return is("http2-settings");
    case 'k': return is("keep-alive");
    case 'p':
        return is("proxy-authenticate") || is("proxy-authentication-info") ||
               is("proxy-authorization") || is("proxy-connection");
    case 's':
        return is("server") ||
               ((is("set-cookie") || is("set-cookie2")) && !verbatim);
    case 't': return is("te") || is("trailer") || is("transfer-encoding");
    case 'u': return is("upgrade");
    case 'x': return istarts_with(name, "x-accel-");
    default: return false;
    }
}

bool is_safe(std::string_view name, std::string_view value) noexcept {
    const auto ends_a_field = [](char c) {
        return c == '\r' || c == '\n' || c == '\0';
    };
    // Every value that Redis returns is read here, so eight bytes at a time
    // for as long as none of them is below a space.
    constexpr std::uint64_t spaces = detail::eight(' ');
    constexpr std::uint64_t tops = detail::eight(0x80);
    std::size_t i = 0;
    for (; i + 8 <= value.size(); i += 8) {
        const std::uint64_t word = detail::eight_bytes(value.data() + i);
        if (((word - spaces) & ~word & tops) != 0) { break; }
    }
    value.remove_prefix(i);
    return std::none_of(value.begin(), value.end(), ends_a_field) &&
           is_token(name);
}

bool is_of_connection(Fields response, std::string_view name) noexcept {
    for (const Field& field : response) {
        if (!iequal(field.name, "Connection")) { continue; }
        ListMembers options(field.value);
        std::string_view option;
        while (options.next(option)) {
            if (iequal(option, name)) { return true; }
        }
    }
    return false;
}

bool is_named_out(Fields response, std::string_view name) noexcept {
    for (const Field& field : response) {
        if ((iequal(field.name, "Cache-Control") ||
             iequal(field.name, "CDN-Cache-Control")) &&
            names_field(field.value, name)) {
            return true;
        }
    }
    return is_of_connection(response, name);
}

}  // namespace cacheback::core
