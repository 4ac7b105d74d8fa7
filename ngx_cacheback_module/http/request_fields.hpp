// http/request_fields.hpp: the fields that the origin is sent: by background
// fetches, and by a client's request whose answer will be stored.
#pragma once

#include "../core/entry.hpp"
#include "../ngx/detached_request.hpp"
#include "../ngx/ngx.hpp"
#include "configuration.hpp"
#include "request_context.hpp"

namespace cacheback::http {

// All that a background fetch of this item sends: what it varies on (`names`,
// see core::vary_names), and the validators of `stored` where that is not null.
// Views into `r` and `stored`.
[[nodiscard]] std::vector<ngx::RequestField> background_fields(
    ngx_http_request_t& r, const LocationConf& conf, std::string_view names,
    const core::EntryView* stored);

[[nodiscard]] bool has_validator(const core::EntryView& stored) noexcept;

// The fields of a background fetch `r` that Vary may select by: not those that
// are its own, such as its validators.
[[nodiscard]] std::vector<core::Field> sent_fields(ngx_http_request_t& r);

// The client's fields as a fill for it sends them: what Vary selects by.
[[nodiscard]] std::vector<core::Field> fill_fields(ngx_http_request_t& r,
                                                   const LocationConf& conf);
// Those among them that have one of these names.
[[nodiscard]] std::vector<core::Field> variant_fields(ngx_http_request_t& r,
                                                      const LocationConf& conf,
                                                      std::string_view names);

// Calls each(value) for the request's lines of this field; `name` is in lower
// case, as nginx keeps a copy of each.
template <class Each>
void for_each_line(const ngx_http_request_t& r, std::string_view name,
                   Each each) {
    const ngx_list_part_t* part = &r.headers_in.headers.part;
    for (; part != nullptr; part = part->next) {
        auto* lines = static_cast<ngx_table_elt_t*>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            const ngx_table_elt_t& line = lines[i];
            if (line.key.len == name.size() &&
                line.lowcase_key[0] == static_cast<u_char>(name.front()) &&
                ngx_memcmp(line.lowcase_key, name.data(), name.size()) == 0) {
                each(std::string_view(
                    reinterpret_cast<const char*>(line.value.data),
                    line.value.len));
            }
        }
    }
}

// Replaces the request's list: without the client's Cacheback-* fields; for an
// answer to be stored as fill_fields() says and, where `stored` is given, with
// its validators. The typed pointers keep the client's own fields,
// so nginx's filters go on answering for the client. restore_fields() undoes
// it once the origin has been asked.
void prepare_origin_fields(RequestContext& context, bool to_be_stored,
                           const core::EntryView* stored);
void restore_fields(RequestContext& context) noexcept;

}  // namespace cacheback::http
