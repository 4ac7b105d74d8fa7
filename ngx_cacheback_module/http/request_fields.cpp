#include "request_fields.hpp"

#include "../core/text.hpp"
#include "../core/vary.hpp"
#include "../ngx/pool.hpp"
#include "origin_fields.hpp"

namespace cacheback::http {

namespace {

constexpr std::string_view own_prefix = "cacheback-";

bool is_own(std::string_view name) noexcept {
    return name.size() >= own_prefix.size() &&
           core::iequal(name.substr(0, own_prefix.size()), own_prefix);
}

bool sent_own(const ngx_http_request_t& r) noexcept {
    const ngx_list_part_t* part = &r.headers_in.headers.part;
    for (; part != nullptr; part = part->next) {
        auto* fields = static_cast<ngx_table_elt_t*>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            const ngx_str_t& name = fields[i].key;
            if (name.len != 0 && (name.data[0] | 0x20) == 'c' &&
                is_own(ngx::view(name))) {
                return true;
            }
        }
    }
    return false;
}

// Written by the proxies between client and us; an origin needs them to make
// its links, and they are the same for all clients of one entrance.
constexpr std::string_view forwarding_fields[] = {"X-Forwarded-For",
                                                  "X-Forwarded-Proto",
                                                  "X-Forwarded-Port",
                                                  "X-Forwarded-Host",
                                                  "X-Real-IP",
                                                  "Forwarded",
                                                  "Via"};

bool has_name(const std::vector<core::Field>& fields,
              std::string_view name) noexcept {
    return core::find({fields.data(), fields.size()}, name) != nullptr;
}

// The fields of cacheback_refresh_header for this request. An empty value
// stands for "not sent at all", as in proxy_set_header.
std::vector<core::Field> refresh_headers(ngx_http_request_t& r,
                                         const LocationConf& conf) {
    std::vector<core::Field> fields;
    if (conf.refresh_headers == nullptr) { return fields; }
    auto* headers = static_cast<RefreshHeader*>(conf.refresh_headers->elts);
    for (ngx_uint_t i = 0; i < conf.refresh_headers->nelts; i++) {
        ngx_str_t value;
        if (ngx_http_complex_value(&r, headers[i].value, &value) != NGX_OK) {
            throw std::bad_alloc{};
        }
        std::string_view text = ngx::view(value);
        if (text.find_first_of({"\r\n\0", 3}) != std::string_view::npos) {
            ngx_log_error(NGX_LOG_WARN, r.connection->log, 0,
                          "cacheback: the value of \"%V\" in "
                          "\"cacheback_refresh_header\" has a line's end, "
                          "the field is not sent",
                          &headers[i].name);
            text = {};
        }
        fields.push_back({ngx::view(headers[i].name), text});
    }
    return fields;
}

bool is_identity(std::string_view name) noexcept {
    return core::iequal(name, "Cookie") || core::iequal(name, "Authorization");
}

// What a client asks of its own copy. The item is validated by what is stored.
bool is_validator(std::string_view name) noexcept {
    return core::iequal(name, "If-None-Match") ||
           core::iequal(name, "If-Modified-Since");
}

bool sent_in_background(std::string_view name, const LocationConf& conf,
                        std::string_view vary) {
    // Never a part or a condition of a client, whatever names it. A client's
    // identity (Cookie, Authorization) only where the item depends on it.
    static constexpr std::string_view never[] = {"Range",
                                                 "If-Range",
                                                 "If-Match",
                                                 "If-None-Match",
                                                 "If-Modified-Since",
                                                 "If-Unmodified-Since",
                                                 "Accept-Encoding",
                                                 "Host"};
    for (std::string_view each : never) {
        if (core::iequal(name, each)) { return false; }
    }
    for (std::string_view each : forwarding_fields) {
        if (core::iequal(name, each)) { return true; }
    }
    auto* names = static_cast<ngx_str_t*>(conf.key_fields->elts);
    for (ngx_uint_t i = 0; i < conf.key_fields->nelts; i++) {
        if (core::iequal(name, ngx::view(names[i]))) { return true; }
    }
    bool varies = false;
    core::for_each_vary_name(vary, [&](std::string_view each) {
        varies = varies || core::iequal(name, each);
    });
    return varies;
}

// "a=1; b=2" of the cookies that the key names, as nginx's own variables see
// them; empty when there are none.
std::string_view key_cookies(ngx_http_request_t& r, const LocationConf& conf) {
    std::string cookies;
    auto* names = static_cast<ngx_str_t*>(conf.key_cookies->elts);
    for (ngx_uint_t i = 0; i < conf.key_cookies->nelts; i++) {
        std::string variable = "cookie_";
        variable += ngx::view(names[i]);
        ngx_str_t name{variable.size(),
                       reinterpret_cast<u_char*>(variable.data())};
        ngx_http_variable_value_t* value =
            ngx_http_get_variable(&r, &name, ngx_hash_key(name.data, name.len));
        if (value == nullptr || value->not_found != 0) { continue; }
        if (!cookies.empty()) { cookies += "; "; }
        cookies += ngx::view(names[i]);
        cookies += '=';
        cookies.append(reinterpret_cast<char*>(value->data), value->len);
    }
    ngx_str_t text;
    if (!ngx::copy(*r.pool, text, cookies)) { throw std::bad_alloc{}; }
    return ngx::view(text);
}

struct Validators {
    std::string_view etag;
    std::string_view last_modified;
};

Validators validators_of(const core::EntryView& stored) noexcept {
    Validators found;
    core::EntryFields fields = stored.fields();
    core::EntryField field;
    while (fields.next(field)) {
        if (field.kind == core::FieldKind::etag) { found.etag = field.value; }
        if (field.kind == core::FieldKind::last_modified) {
            found.last_modified = field.value;
        }
    }
    return found;
}

}  // namespace

bool has_validator(const core::EntryView& stored) noexcept {
    Validators found = validators_of(stored);
    return !found.etag.empty() || !found.last_modified.empty();
}

std::vector<ngx::RequestField> background_fields(
    ngx_http_request_t& r, const LocationConf& conf, std::string_view names,
    const core::EntryView* stored) {
    std::vector<ngx::RequestField> fields;
    if (r.headers_in.host != nullptr) {
        fields.push_back({"Host", ngx::view(r.headers_in.host->value)});
    } else if (r.headers_in.server.len != 0) {
        fields.push_back({"Host", ngx::view(r.headers_in.server)});
    }
    std::vector<core::Field> extra = refresh_headers(r, conf);
    bool whole_cookie = has_name(extra, "Cookie");
    for (const core::Field& field : request_fields(r)) {
        if (sent_in_background(field.name, conf, names) &&
            !has_name(extra, field.name) &&
            !is_unkeyed(r, conf, field.name, field.value)) {
            fields.push_back({field.name, field.value});
            whole_cookie = whole_cookie || core::iequal(field.name, "Cookie");
        }
    }
    if (std::string_view cookies = key_cookies(r, conf);
        !cookies.empty() && !whole_cookie) {
        fields.push_back({"Cookie", cookies});
    }
    for (const core::Field& field : extra) {
        if (field.value.empty()) { continue; }
        fields.push_back({field.name, field.value});
    }
    fields.push_back({"Accept-Encoding", ngx::view(conf.accept_encoding)});
    fields.push_back({"Cacheback-Refresh", "1"});

    if (stored != nullptr) {
        Validators found = validators_of(*stored);
        if (!found.etag.empty()) {
            fields.push_back({"If-None-Match", found.etag});
        }
        if (!found.last_modified.empty()) {
            fields.push_back({"If-Modified-Since", found.last_modified});
        }
    }
    return fields;
}

std::vector<core::Field> sent_fields(ngx_http_request_t& r) {
    std::vector<core::Field> fields = request_fields(r);
    fields.erase(std::remove_if(fields.begin(), fields.end(),
                                [](const core::Field& field) {
                                    return is_own(field.name) ||
                                           is_validator(field.name);
                                }),
                 fields.end());
    return fields;
}

// What cacheback_refresh_header says replaces the client's own, so that the
// item is the same whoever fills it; but who came with an identity keeps it:
// the answer may turn out to be for this client alone.
std::vector<core::Field> fill_fields(ngx_http_request_t& r,
                                     const LocationConf& conf) {
    std::vector<core::Field> sent = request_fields(r);
    std::vector<core::Field> extra = refresh_headers(r, conf);
    extra.erase(std::remove_if(extra.begin(), extra.end(),
                               [&](const core::Field& field) {
                                   return is_identity(field.name) &&
                                          has_name(sent, field.name);
                               }),
                extra.end());

    std::vector<core::Field> fields;
    for (const core::Field& field : sent) {
        if (!is_own(field.name) && !has_name(extra, field.name) &&
            !is_validator(field.name) &&
            !core::iequal(field.name, "Accept-Encoding")) {
            fields.push_back(field);
        }
    }
    for (const core::Field& field : extra) {
        if (!field.value.empty()) { fields.push_back(field); }
    }
    fields.push_back({"Accept-Encoding", ngx::view(conf.accept_encoding)});
    return fields;
}

// fill_fields() for a few names: a hit need not look at the other fields.
std::vector<core::Field> variant_fields(ngx_http_request_t& r,
                                        const LocationConf& conf,
                                        std::string_view names) {
    std::vector<core::Field> extra = refresh_headers(r, conf);
    std::vector<core::Field> fields;
    core::for_each_vary_name(names, [&](std::string_view name) {
        if (is_own(name) || is_validator(name)) { return; }
        if (name == "accept-encoding") {
            fields.push_back({name, ngx::view(conf.accept_encoding)});
            return;
        }
        const std::size_t before = fields.size();
        for_each_line(r, name, [&](std::string_view value) {
            fields.push_back({name, value});
        });
        const core::Field* ours =
            core::find({extra.data(), extra.size()}, name);
        if (ours == nullptr || (is_identity(name) && fields.size() != before)) {
            return;
        }
        fields.resize(before);
        if (!ours->value.empty()) { fields.push_back({name, ours->value}); }
    });
    return fields;
}

// Content handlers that choose a form themselves (gzip_static) ask this one
// pointer; nginx's filters must find the client's there again. Gives the one
// before.
static ngx_table_elt_t* set_accept_encoding(ngx_http_request_t& r,
                                            ngx_table_elt_t* field) noexcept {
#if (NGX_HTTP_GZIP || NGX_HTTP_HEADERS)
    std::swap(r.headers_in.accept_encoding, field);
#if (NGX_HTTP_GZIP)
    r.gzip_tested = 0;
    r.gzip_ok = 0;
#endif
    return field;
#else
    return nullptr;
#endif
}

void prepare_origin_fields(RequestContext& context, bool to_be_stored,
                           const core::EntryView* stored) {
    ngx_http_request_t& r = context.request;
    // Most of what is not stored goes to the origin as it came.
    if (!to_be_stored && !sent_own(r)) { return; }
    std::vector<core::Field> fields =
        to_be_stored ? fill_fields(r, context.conf) : request_fields(r);

    ngx_list_t before = r.headers_in.headers;
    ngx_list_t list;
    if (ngx_list_init(&list, r.pool, fields.size() + 3,
                      sizeof(ngx_table_elt_t)) != NGX_OK) {
        throw std::bad_alloc{};
    }
    auto add = [&](const core::Field& field) {
        auto* slot = static_cast<ngx_table_elt_t*>(ngx_list_push(&list));
        ngx_str_t lowcase;
        if (slot == nullptr || !ngx::copy(*r.pool, lowcase, field.name)) {
            throw std::bad_alloc{};
        }
        ngx_memzero(slot, sizeof(*slot));
        slot->key = ngx::str(field.name);
        slot->value = ngx::str(field.value);
        slot->lowcase_key = lowcase.data;
        slot->hash =
            ngx_hash_strlow(lowcase.data, slot->key.data, slot->key.len);
        return slot;
    };
    ngx_table_elt_t* accept_encoding = nullptr;
    for (const core::Field& field : fields) {
        if (is_own(field.name)) { continue; }
        ngx_table_elt_t* slot = add(field);
        if (core::iequal(field.name, "Accept-Encoding")) {
            accept_encoding = slot;
        }
    }
    if (stored != nullptr) {
        Validators found = validators_of(*stored);
        if (!found.etag.empty()) { add({"If-None-Match", found.etag}); }
        if (!found.last_modified.empty()) {
            add({"If-Modified-Since", found.last_modified});
        }
    }

    // ngx_list_t points into itself while it has a single part.
    bool single = list.last == &list.part;
    r.headers_in.headers = list;
    if (single) { r.headers_in.headers.last = &r.headers_in.headers.part; }
    if (to_be_stored) {
        context.client_fields = before;
        context.client_accept_encoding =
            set_accept_encoding(r, accept_encoding);
    }
}

void restore_fields(RequestContext& context) noexcept {
    if (!context.client_fields) { return; }
    // `before` was copied from this very place, so its inner pointer fits.
    context.request.headers_in.headers = *context.client_fields;
    context.client_fields.reset();
    (void)set_accept_encoding(context.request, context.client_accept_encoding);
}

}  // namespace cacheback::http
