#include "origin_fields.hpp"

#include <algorithm>

#include "../core/http_date.hpp"
#include "../core/stored_field.hpp"
#include "../core/text.hpp"
#include "../ngx/pool.hpp"

namespace cacheback::http {

namespace {

// Calls each(field) for every live field of a list; nginx marks the ones that
// must not be sent by a zero hash in responses.
template <class Each>
void for_each(const ngx_list_t& list, bool response, Each each) {
    for (const ngx_list_part_t* part = &list.part; part != nullptr;
         part = part->next) {
        auto* fields = static_cast<ngx_table_elt_t*>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (response && fields[i].hash == 0) { continue; }
            each(fields[i]);
        }
    }
}

void collect(const ngx_list_t& list, bool response,
             std::vector<core::Field>& to) {
    for_each(list, response, [&to](const ngx_table_elt_t& field) {
        to.push_back({ngx::view(field.key), ngx::view(field.value)});
    });
}

bool has(const std::vector<core::Field>& fields, std::string_view name) {
    for (const core::Field& field : fields) {
        if (field.name.size() == name.size() &&
            ngx_strncasecmp(
                reinterpret_cast<u_char*>(const_cast<char*>(field.name.data())),
                reinterpret_cast<u_char*>(const_cast<char*>(name.data())),
                name.size()) == 0) {
            return true;
        }
    }
    return false;
}

// "Sun, 06 Nov 1994 08:49:37 GMT" in the request's memory.
std::string_view http_date(ngx_http_request_t& r, time_t time) {
    constexpr std::size_t size = sizeof("Sun, 06 Nov 1994 08:49:37 GMT") - 1;
    auto* text = static_cast<u_char*>(ngx_pnalloc(r.pool, size + 1));
    if (text == nullptr) { throw std::bad_alloc{}; }
    u_char* end = ngx_http_time(text, time);
    return {reinterpret_cast<char*>(text),
            static_cast<std::size_t>(end - text)};
}

// The answer comes from this upstream, not from what a redirect by its
// X-Accel-Redirect led to.
bool answered_by_upstream(const ngx_http_request_t& r) noexcept {
    return r.upstream != nullptr && r.upstream->headers_in.status_n != 0 &&
           r.upstream->headers_in.x_accel_redirect == nullptr;
}

// As every intermediary must (RFC 9110 7.6.1), and nginx does not.
void drop_fields_of_connection(ngx_http_request_t& r) {
    if (!answered_by_upstream(r)) { return; }
    std::vector<core::Field> named;
    collect(r.upstream->headers_in.headers, false, named);
    named.erase(std::remove_if(named.begin(), named.end(),
                               [](const core::Field& field) {
                                   return !core::iequal(field.name,
                                                        "Connection");
                               }),
                named.end());
    if (named.empty()) { return; }
    for_each(r.headers_out.headers, true, [&named](ngx_table_elt_t& field) {
        if (core::is_of_connection({named.data(), named.size()},
                                   ngx::view(field.key))) {
            field.hash = 0;
        }
    });
}

}  // namespace

std::vector<core::Field> request_fields(const ngx_http_request_t& r) {
    std::vector<core::Field> fields;
    collect(r.headers_in.headers, false, fields);
    return fields;
}

std::vector<core::Field> origin_fields(ngx_http_request_t& r) {
    std::vector<core::Field> fields;
    // After X-Accel-Redirect the app's words count too: it knows whether what
    // it let nginx send may be shared.
    if (r.upstream != nullptr && r.upstream->headers_in.status_n != 0) {
        collect(r.upstream->headers_in.headers, false, fields);
    }
    if (!answered_by_upstream(r)) {
        collect(r.headers_out.headers, true, fields);
        if (r.headers_out.content_type.len != 0) {
            fields.push_back(
                {"Content-Type", ngx::view(r.headers_out.content_type)});
        }
        if (r.headers_out.last_modified_time != -1 &&
            !has(fields, "Last-Modified")) {
            fields.push_back({"Last-Modified",
                              http_date(r, r.headers_out.last_modified_time)});
        }
    }
    return fields;
}

std::vector<core::Field> delivered_fields(ngx_http_request_t& r,
                                          core::Seconds now) {
    std::vector<core::Field> fields;
    if (r.headers_out.content_type.len != 0) {
        fields.push_back(
            {"Content-Type", ngx::view(r.headers_out.content_type)});
    }
    collect(r.headers_out.headers, true, fields);
    if (r.headers_out.last_modified_time != -1 &&
        !has(fields, "Last-Modified")) {
        fields.push_back(
            {"Last-Modified", http_date(r, r.headers_out.last_modified_time)});
    }

    // Hidden from the list by the proxy, yet the origin's Date is the one that
    // a stored response carries (RFC 9110 6.6.1).
    if (!has(fields, "Date")) {
        std::string_view date;
        if (answered_by_upstream(r) && r.upstream->headers_in.date != nullptr) {
            date = ngx::view(r.upstream->headers_in.date->value);
        }
        fields.push_back({"Date", core::parse_http_date(date, now)
                                      ? date
                                      : http_date(r, now)});
    }
    return fields;
}

void deliver_as_stored(ngx_http_request_t& r) {
    drop_fields_of_connection(r);
    ngx_table_elt_t*& location = r.headers_out.location;
    if (location != nullptr && location->value.len != 0 &&
        location->value.data[0] == '/') {
        location = nullptr;  // else nginx makes an absolute URI of it
    }
}

}  // namespace cacheback::http
