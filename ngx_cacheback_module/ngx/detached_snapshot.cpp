// The first half of a detached request's life: what is copied of the client's
// request and connection, while they live.
#include "detached_request.hpp"

#include "pool.hpp"

namespace cacheback::ngx {

DetachedRequest* DetachedRequest::create(
    ngx_http_request_t& from, const std::vector<RequestField>& fields,
    const VariablePlan& variables) noexcept {
    ngx_pool_t* pool = ngx_create_pool(4096, ngx_cycle->log);
    if (pool == nullptr) { return nullptr; }

    void* memory = ngx_pcalloc(pool, sizeof(DetachedRequest));
    if (memory == nullptr) {
        ngx_destroy_pool(pool);
        return nullptr;
    }
    auto* self = new (memory) DetachedRequest;
    self->pool_ = pool;

    if (!self->copy_connection(*from.connection) ||
        !self->copy_request(from, fields, variables) ||
        !self->copy_captures(from)) {
        ngx_destroy_pool(pool);
        return nullptr;
    }
    return self;
}

bool DetachedRequest::copy_connection(ngx_connection_t& from) noexcept {
    // Asked on the client's socket now: ours has no address.
    if (ngx_connection_local_sockaddr(&from, nullptr, 0) != NGX_OK) {
        return false;
    }

    // realip has run by now, so this is the address it found.
    sockaddr_ = static_cast<struct sockaddr*>(
        ngx_palloc(pool_, std::max<socklen_t>(from.socklen, 1)));
    local_sockaddr_ = static_cast<struct sockaddr*>(
        ngx_palloc(pool_, std::max<socklen_t>(from.local_socklen, 1)));
    if (sockaddr_ == nullptr || local_sockaddr_ == nullptr) { return false; }
    ngx_memcpy(sockaddr_, from.sockaddr, from.socklen);
    socklen_ = from.socklen;
    ngx_memcpy(local_sockaddr_, from.local_sockaddr, from.local_socklen);
    local_socklen_ = from.local_socklen;
    listening_ = from.listening;

    // Brings nginx's own formatter, which is not to be had by name.
    log_ = *from.log;
    return copy(*pool_, addr_text_, view(from.addr_text));
}

bool DetachedRequest::copy_request(ngx_http_request_t& from,
                                   const std::vector<RequestField>& fields,
                                   const VariablePlan& variables) noexcept {
    main_conf_ = from.main_conf;
    srv_conf_ = from.srv_conf;
    loc_conf_ = from.loc_conf;
    content_handler_ = from.content_handler;
    phase_handler_ = from.phase_handler;
    http_version_ = NGX_HTTP_VERSION_11;
    valid_unparsed_uri_ = from.valid_unparsed_uri;
    quoted_uri_ = from.quoted_uri;
    plus_in_uri_ = from.plus_in_uri;
    empty_path_in_uri_ = from.empty_path_in_uri;
    internal_ = from.internal;
    add_uri_to_alias_ = from.add_uri_to_alias;

    http_connection_ = *from.http_connection;
    http_connection_.busy = nullptr;
    http_connection_.free = nullptr;
    http_connection_.nbusy = 0;
    http_connection_.ssl = 0;

    if (!copy(*pool_, uri_, view(from.uri)) ||
        !copy(*pool_, args_, view(from.args)) ||
        !copy(*pool_, unparsed_uri_, view(from.unparsed_uri)) ||
        !copy(*pool_, request_line_, view(from.request_line)) ||
        !copy(*pool_, protocol_, view(from.http_protocol)) ||
        !copy(*pool_, schema_, view(from.schema)) ||
        !copy(*pool_, server_, view(from.headers_in.server))) {
        return false;
    }

    fields_count_ = fields.size();
    fields_ = static_cast<ngx_table_elt_t*>(
        ngx_pcalloc(pool_, (fields_count_ + 1) * sizeof(ngx_table_elt_t)));
    if (fields_ == nullptr) { return false; }
    for (ngx_uint_t i = 0; i < fields_count_; i++) {
        ngx_table_elt_t& to = fields_[i];
        ngx_str_t lowcase;
        if (!copy(*pool_, to.key, fields[i].name) ||
            !copy(*pool_, to.value, fields[i].value) ||
            !copy(*pool_, lowcase, fields[i].name)) {
            return false;
        }
        to.lowcase_key = lowcase.data;
        to.hash = ngx_hash_strlow(to.lowcase_key, to.key.data, to.key.len);
    }

    auto* core = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_get_module_main_conf((&from), ngx_http_core_module));
    variables_count_ = core->variables.nelts;
    variables_ = static_cast<ngx_http_variable_value_t*>(ngx_pcalloc(
        pool_, (variables_count_ + 1) * sizeof(ngx_http_variable_value_t)));
    return variables_ != nullptr && variables.apply(from, variables_, *pool_);
}

bool DetachedRequest::copy_captures(const ngx_http_request_t& from) noexcept {
#if (NGX_PCRE)
    if (from.captures == nullptr || from.ncaptures == 0) { return true; }

    int end = 0;
    for (ngx_uint_t i = 0; i < from.ncaptures; i++) {
        end = std::max(end, from.captures[i]);
    }
    captures_ =
        static_cast<int*>(ngx_palloc(pool_, from.ncaptures * sizeof(int)));
    captures_data_ =
        static_cast<u_char*>(ngx_pnalloc(pool_, static_cast<size_t>(end) + 1));
    if (captures_ == nullptr || captures_data_ == nullptr) { return false; }

    ngx_memcpy(captures_, from.captures, from.ncaptures * sizeof(int));
    if (end > 0) {
        ngx_memcpy(captures_data_, from.captures_data,
                   static_cast<size_t>(end));
    }
    ncaptures_ = from.ncaptures;
#endif
    return true;
}

bool DetachedRequest::go_to(ngx_http_request_t& from, std::string_view uri,
                            std::string_view args) noexcept {
    std::size_t room = uri.size() + args.size() + sizeof("?");
    auto* unparsed = static_cast<u_char*>(ngx_pnalloc(pool_, room));
    if (unparsed == nullptr || !copy(*pool_, uri_, uri) ||
        !copy(*pool_, args_, args)) {
        return false;
    }
    u_char* end = ngx_cpymem(unparsed, uri_.data, uri_.len);
    if (args_.len != 0) {
        *end++ = '?';
        end = ngx_cpymem(end, args_.data, args_.len);
    }
    unparsed_uri_ = {static_cast<std::size_t>(end - unparsed), unparsed};
    valid_unparsed_uri_ = 0;  // whoever passes it on escapes it anew
    quoted_uri_ = 0;
    plus_in_uri_ = 0;
    empty_path_in_uri_ = 0;
    add_uri_to_alias_ = 0;
    internal_ = 1;

    auto* server = static_cast<ngx_http_core_srv_conf_t*>(
        ngx_http_get_module_srv_conf((&from), ngx_http_core_module));
    auto* core = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_get_module_main_conf((&from), ngx_http_core_module));
    loc_conf_ = server->ctx->loc_conf;
    content_handler_ = nullptr;
    phase_handler_ =
        static_cast<ngx_int_t>(core->phase_engine.server_rewrite_index);
#if (NGX_PCRE)
    ncaptures_ = 0;
    captures_ = nullptr;
#endif
    return true;
}

}  // namespace cacheback::ngx
