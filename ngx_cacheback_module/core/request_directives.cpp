// core/request_directives.cpp: see request_directives.hpp.
#include "request_directives.hpp"

#include <algorithm>

#include "directive.hpp"
#include "text.hpp"

namespace cacheback::core {

namespace {

// A limit of which the smaller one asks for more; 0 where it cannot be read.
void keep_smaller(std::optional<Seconds>& limit,
                  const Directive& directive) noexcept {
    const Seconds read = directive.well_formed
                             ? parse_seconds(directive.argument).value_or(0)
                             : 0;
    limit = limit ? std::min(*limit, read) : read;
}

// Asks for more the larger it is. Who sent what cannot be read asked for
// something: no response is fresh for so long.
void keep_larger(std::optional<Seconds>& limit,
                 const Directive& directive) noexcept {
    const Seconds read =
        directive.well_formed
            ? parse_seconds(directive.argument).value_or(max_seconds)
            : max_seconds;
    limit = limit ? std::max(*limit, read) : read;
}

// Without a number a response of any age will do (RFC 9111 5.2.1.2).
void keep_max_stale(std::optional<Seconds>& limit,
                    const Directive& directive) noexcept {
    if (directive.has_argument) {
        keep_smaller(limit, directive);
    } else if (!limit) {
        limit = max_seconds;
    }
}

void read_cache_control(RequestDirectives& asks,
                        std::string_view line) noexcept {
    Directives directives(line);
    Directive directive;
    while (directives.next(directive)) {
        const std::string_view name = directive.name;
        bool known = true;
        if (iequal(name, "no-cache")) {
            asks.no_cache = true;
        } else if (iequal(name, "no-store")) {
            asks.no_store = true;
        } else if (iequal(name, "only-if-cached")) {
            asks.only_if_cached = true;
        } else if (iequal(name, "max-age")) {
            keep_smaller(asks.max_age, directive);
        } else if (iequal(name, "max-stale")) {
            keep_max_stale(asks.max_stale, directive);
        } else if (iequal(name, "min-fresh")) {
            keep_larger(asks.min_fresh, directive);
        } else if (iequal(name, "stale-if-error")) {
            keep_smaller(asks.stale_if_error, directive);
        } else {
            known = false;
        }
        asks.any = asks.any || known;
    }
}

bool pragma_says_no_cache(std::string_view line) noexcept {
    Directives directives(line);
    Directive directive;
    while (directives.next(directive)) {
        if (iequal(directive.name, "no-cache")) { return true; }
    }
    return false;
}

}  // namespace

RequestDirectives read_request_directives(Fields request) noexcept {
    RequestDirectives asks;
    bool by_pragma = false;
    bool has_cache_control = false;
    for (const Field& field : request) {
        if (iequal(field.name, "Cache-Control")) {
            has_cache_control = true;
            read_cache_control(asks, field.value);
        } else if (iequal(field.name, "Pragma")) {
            by_pragma = by_pragma || pragma_says_no_cache(field.value);
        }
    }
    if (by_pragma && !has_cache_control) {
        asks.no_cache = true;
        asks.any = true;
    }
    return asks;
}

}  // namespace cacheback::core
