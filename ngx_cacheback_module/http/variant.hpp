// http/variant.hpp: which variant of an item a request wants (RFC 9111 4.1).
#pragma once

#include "request_context.hpp"

namespace cacheback::http {

// What this request says in the fields of these names (core::vary_section), as
// a fill for it would send them.
[[nodiscard]] std::string section_of(ngx_http_request_t& r,
                                     const LocationConf& conf,
                                     std::string_view names);

// For Store::find(): leaves the section in the context.
[[nodiscard]] store::Store::Selector selector_of(
    RequestContext& context) noexcept;

// The memory tier's look-up: the entry, or what is known of its absence.
[[nodiscard]] std::optional<store::MemoryTier::Copy> find_in_memory(
    RequestContext& context);

// The item is known to vary on these: the key names the variant from here on.
void name_variant(RequestContext& context, std::string_view names);
// The same by what the memory tier has said, where that has said anything.
void name_variant(RequestContext& context);
// Nothing is held of the item, or it does not vary.
void forget_variant(RequestContext& context) noexcept;

// True when this request is answered by that entry.
[[nodiscard]] bool answered_by(RequestContext& context,
                               const core::EntryView& entry);

}  // namespace cacheback::http
