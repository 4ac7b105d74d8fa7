// core/stored_field.cpp: the lists of names.
#include "stored_field.hpp"

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
        break;
    case 16:
        if (iequal(name, "content-encoding")) {
            return FieldKind::content_encoding;
        }
        if (iequal(name, "www-authenticate")) {
            return FieldKind::www_authenticate;
        }
        break;
    default:
        break;
    }
    return FieldKind::other;
}

bool never_stored(std::string_view name) noexcept {
    if (name.empty()) { return true; }
    const auto is = [name](std::string_view other) {
        return iequal(name, other);
    };
    switch (lower(name.front())) {
    case 'a': return is("age") || is("accept-ranges");
    case 'c':
        return is("connection") || is("content-length") ||
               is("content-range");
    case 'h': return is("http2-settings");
    case 'k': return is("keep-alive");
    case 'p': return istarts_with(name, "proxy-");
    case 's': return is("set-cookie") || is("set-cookie2") || is("server");
    case 't': return is("te") || is("trailer") || is("transfer-encoding");
    case 'u': return is("upgrade");
    case 'x': return istarts_with(name, "x-accel-");
    default: return false;
    }
}

bool is_safe(std::string_view name, std::string_view value) noexcept {
    constexpr std::string_view ends_a_field("\r\n\0", 3);
    return is_token(name) &&
           value.find_first_of(ends_a_field) == std::string_view::npos;
}

bool is_named_out(Fields response, std::string_view name) noexcept {
    for (const Field& field : response) {
        if (iequal(field.name, "Connection")) {
            ListMembers options(field.value);
            std::string_view option;
            while (options.next(option)) {
                if (iequal(option, name)) { return true; }
            }
        } else if (iequal(field.name, "Cache-Control") &&
                   names_field(field.value, name)) {
            return true;
        }
    }
    return false;
}

}  // namespace cacheback::core
