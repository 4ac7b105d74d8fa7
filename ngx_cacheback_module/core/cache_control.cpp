// core/cache_control.cpp: reading Cache-Control, tolerant where a mistake is
// harmless and strict where it would make a response live too long.
#include "cache_control.hpp"

#include "directive.hpp"
#include "text.hpp"

namespace cacheback::core {

namespace {

void keep_smaller(std::optional<Seconds>& value, const Directive& directive) {
    const Seconds read = directive.well_formed
                             ? parse_seconds(directive.argument).value_or(0)
                             : 0;
    value = value ? std::min(*value, read) : read;
}

// `no-cache` and `private` reach less far when they name fields.
void set_qualified(bool& whole, bool& fields, const Directive& directive) {
    (are_field_names(directive.argument) ? fields : whole) = true;
}

}  // namespace

void CacheControl::read(std::string_view line) {
    Directives directives(line);
    Directive directive;
    while (directives.next(directive)) {
        const std::string_view name = directive.name;
        if (iequal(name, "max-age")) {
            keep_smaller(max_age, directive);
        } else if (iequal(name, "s-maxage")) {
            keep_smaller(s_maxage, directive);
        } else if (iequal(name, "stale-while-revalidate")) {
            keep_smaller(stale_while_revalidate, directive);
        } else if (iequal(name, "stale-if-error")) {
            keep_smaller(stale_if_error, directive);
        } else if (iequal(name, "no-store")) {
            no_store = true;
        } else if (iequal(name, "no-cache")) {
            set_qualified(no_cache, no_cache_fields, directive);
        } else if (iequal(name, "private")) {
            set_qualified(is_private, private_fields, directive);
        } else if (iequal(name, "must-revalidate")) {
            must_revalidate = true;
        } else if (iequal(name, "proxy-revalidate")) {
            proxy_revalidate = true;
        } else if (iequal(name, "must-understand")) {
            must_understand = true;
        } else if (iequal(name, "no-transform")) {
            no_transform = true;
        } else if (iequal(name, "public")) {
            // These two permit something, so an argument they do not have
            // makes them a directive we do not know.
            is_public = is_public || !directive.has_argument;
        } else if (iequal(name, "immutable")) {
            immutable = immutable || !directive.has_argument;
        }
    }
}

bool are_field_names(std::string_view list) noexcept {
    ListMembers names(list);
    std::string_view name;
    bool any = false;
    while (names.next(name)) {
        if (!is_token(name)) { return false; }
        any = true;
    }
    return any;
}

bool names_field(std::string_view line, std::string_view field) noexcept {
    Directives directives(line);
    Directive directive;
    while (directives.next(directive)) {
        if (!iequal(directive.name, "no-cache") &&
            !iequal(directive.name, "private")) {
            continue;
        }
        ListMembers names(directive.argument);
        std::string_view name;
        while (names.next(name)) {
            if (iequal(name, field)) { return true; }
        }
    }
    return false;
}

}  // namespace cacheback::core
