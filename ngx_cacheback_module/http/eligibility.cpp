#include "eligibility.hpp"

#include "../ngx/pool.hpp"
#include "origin_fields.hpp"

namespace cacheback::http {

namespace {

// The method, with the space after it. A template, since each request comes by
// here and compilers compare few known bytes at once.
template <std::size_t Size>
bool asked_by(const ngx_http_request_t& r,
              const char (&method)[Size]) noexcept {
    return r.request_line.len >= Size &&
           ngx_memcmp(r.request_line.data, method, Size - 1) == 0;
}

}  // namespace

bool asked_by_head(const ngx_http_request_t& r) noexcept {
    return asked_by(r, "HEAD ");
}

core::Reason why_not_looked_up(ngx_http_request_t& r,
                               const LocationConf& conf) {
    if (!asked_by(r, "GET ") && !asked_by_head(r)) {
        return core::Reason::method;
    }
    // The body is not in the key, so it could answer for somebody else.
    if (r.headers_in.content_length_n > 0 || r.headers_in.chunked) {
        return core::Reason::body;
    }
    if (r.headers_in.upgrade != nullptr) { return core::Reason::upgrade; }
    if (r.headers_in.authorization != nullptr &&
        (conf.ignore & core::ignore_authorization) == 0 &&
        !core::traits_of(policy_name(conf)).serves_authorized) {
        return core::Reason::authorization;
    }
    // Its answer may be one that the key does not tell apart.
    if (has_unkeyed_field(r, conf)) { return core::Reason::unkeyed; }
    if (conf.skip != nullptr &&
        ngx_http_test_predicates(&r, conf.skip) != NGX_OK) {
        return core::Reason::skip;
    }
    if (conf.bypass != nullptr &&
        ngx_http_test_predicates(&r, conf.bypass) != NGX_OK) {
        return core::Reason::bypass;
    }
    return core::Reason::none;
}

const core::RequestDirectives* asked_of_caches(ngx_http_request_t& r) {
    std::vector<core::Field> fields = request_fields(r);
    core::RequestDirectives asks =
        core::read_request_directives({fields.data(), fields.size()});
    if (!asks.any) { return &core::nothing_asked; }
    auto* kept = static_cast<core::RequestDirectives*>(
        ngx_palloc(r.pool, sizeof(core::RequestDirectives)));
    if (kept == nullptr) { throw std::bad_alloc{}; }
    return new (kept) core::RequestDirectives(asks);
}

bool asks_for_part(const ngx_http_request_t& r) noexcept {
    return asked_by_head(r) || r.headers_in.range != nullptr ||
           r.headers_in.if_modified_since != nullptr ||
           r.headers_in.if_unmodified_since != nullptr ||
           r.headers_in.if_match != nullptr ||
           r.headers_in.if_none_match != nullptr;
}

bool asks_for_validation(const ngx_http_request_t& r) noexcept {
    const auto& in = r.headers_in;
    return !asked_by_head(r) && in.range == nullptr && in.if_match == nullptr &&
           in.if_unmodified_since == nullptr &&
           (in.if_none_match != nullptr || in.if_modified_since != nullptr);
}

bool sent_cookie(const ngx_http_request_t& r) noexcept {
#if (nginx_version >= 1023000)
    return r.headers_in.cookie != nullptr;
#else
    return r.headers_in.cookies.nelts != 0;
#endif
}

}  // namespace cacheback::http
