#include "targeted_field.hpp"

#include "structured_field.hpp"
#include "text.hpp"

namespace cacheback::core {

namespace {

using Value = StructuredValue;
using Type = StructuredValue::Type;

bool set(bool& directive, const Value& value) noexcept {
    directive = value.truth;
    return value.type == Type::boolean;
}

bool set(std::optional<Seconds>& directive, const Value& value) noexcept {
    directive = value.number;
    return value.type == Type::integer;
}

// no-cache and private: alone, or with field names in a string.
bool set(bool& whole, bool& fields, const Value& value) noexcept {
    const bool named =
        value.type == Type::string && are_field_names(value.text);
    whole = !named && value.truth;
    fields = named;
    return value.type == Type::boolean || value.type == Type::string;
}

// False when the value's type is not that of the directive. Of a key that is
// repeated the last value counts, as in every dictionary (RFC 8941 3.2).
bool apply(CacheControl& control, std::string_view key,
           const Value& value) noexcept {
    if (key == "max-age") { return set(control.max_age, value); }
    if (key == "s-maxage") { return set(control.s_maxage, value); }
    if (key == "stale-while-revalidate") {
        return set(control.stale_while_revalidate, value);
    }
    if (key == "stale-if-error") { return set(control.stale_if_error, value); }
    if (key == "no-store") { return set(control.no_store, value); }
    if (key == "no-cache") {
        return set(control.no_cache, control.no_cache_fields, value);
    }
    if (key == "private") {
        return set(control.is_private, control.private_fields, value);
    }
    if (key == "public") { return set(control.is_public, value); }
    if (key == "must-revalidate") {
        return set(control.must_revalidate, value);
    }
    if (key == "proxy-revalidate") {
        return set(control.proxy_revalidate, value);
    }
    if (key == "must-understand") {
        return set(control.must_understand, value);
    }
    if (key == "no-transform") { return set(control.no_transform, value); }
    if (key == "immutable") { return set(control.immutable, value); }
    return true;
}

}  // namespace

bool read_targeted(Fields fields, std::string_view name,
                   CacheControl& control) noexcept {
    CacheControl read;
    bool any = false;
    for (const Field& field : fields) {
        if (!iequal(field.name, name)) { continue; }
        StructuredReader reader(field.value);
        std::string_view key;
        Value value;
        while (reader.next(key, value)) {
            any = true;
            if (!apply(read, key, value)) { return false; }
        }
        if (reader.failed()) { return false; }
    }
    if (any) { control = read; }
    return any;
}

}  // namespace cacheback::core
