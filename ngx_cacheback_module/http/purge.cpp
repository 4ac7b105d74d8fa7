#include "purge.hpp"

#include "../core/text.hpp"
#include "../ngx/guard.hpp"
#include "../ngx/pool.hpp"
#include "answer.hpp"
#include "lookup.hpp"
#include "origin_fields.hpp"

namespace cacheback::http {

namespace {

constexpr ngx_int_t accepted = 202;

bool asks_for_soft(const ngx_http_request_t& r) {
    for (const core::Field& field : request_fields(r)) {
        if (core::iequal(field.name, "Cacheback-Purge")) {
            return core::iequal(core::trim(field.value), "soft");
        }
    }
    return false;
}

// An answer without a body, which error_page may still dress.
ngx_int_t answer(ngx_http_request_t& r, ngx_int_t status) {
    if (status >= NGX_HTTP_SPECIAL_RESPONSE) { return status; }
    r.headers_out.status = static_cast<ngx_uint_t>(status);
    r.headers_out.content_length_n = 0;
    r.header_only = 1;
    ngx_int_t rc = ngx_http_send_header(&r);
    if (rc == NGX_ERROR || rc > NGX_OK) { return rc; }
    return ngx_http_send_special(&r, NGX_HTTP_LAST);
}

ngx_int_t send_purge_answer(ngx_http_request_t* r) noexcept {
    RequestContext* context = context_of(*r);
    if (context == nullptr) { return NGX_HTTP_INTERNAL_SERVER_ERROR; }
    ngx_int_t rc = ngx_http_discard_request_body(r);
    return rc == NGX_OK ? answer(*r, context->purge_answer) : rc;
}

ngx_int_t done(RequestContext& context, ngx_int_t status) {
    context.purge_answer = status;
    context.request.content_handler = send_purge_answer;
    context.stage = RequestContext::Stage::decided;
    return NGX_OK;
}

// Awaited by hard_purge(), the one after the other.
void on_removed(void* data, const store::RedisReply& reply) noexcept {
    using Status = store::RedisReply::Status;
    auto& context = *static_cast<RequestContext*>(data);
    context.store.drop_copies(context.key);
    if (reply.status == Status::unavailable) {
        context.purge_answer = NGX_HTTP_SERVICE_UNAVAILABLE;
    } else if (reply.status == Status::found) {
        context.purge_answer = NGX_HTTP_NO_CONTENT;
    }
}

void on_announced(void* data, const store::RedisReply& reply) noexcept {
    auto& context = *static_cast<RequestContext*>(data);
    if (reply.status == store::RedisReply::Status::unavailable) {
        context.purge_answer = NGX_HTTP_SERVICE_UNAVAILABLE;
    }
    context.stage = RequestContext::Stage::decided;
    resume(context);
}

ngx_int_t hard_purge(RequestContext& context) {
    context.purge_answer = context.store.forget(context.key)
                               ? NGX_HTTP_NO_CONTENT
                               : NGX_HTTP_NOT_FOUND;
    store::RedisTier* redis = context.store.redis();
    if (redis == nullptr) { return done(context, context.purge_answer); }
    // The other boxes must hear of it, or they go on serving their copies.
    if (!redis->remove(context.key, on_removed, &context, context.removal) ||
        !redis->announce(context.key, redis::Change::Kind::removed,
                         on_announced, &context, context.ticket)) {
        return done(context, NGX_HTTP_SERVICE_UNAVAILABLE);
    }
    return park(context, RequestContext::Stage::asking_redis);
}

}  // namespace

bool is_purge(const ngx_http_request_t& r) noexcept {
    return ngx::view(r.method_name) == "PURGE";
}

ngx_int_t purge(ngx_http_request_t& r, LocationConf& conf) {
    if (ngx_http_test_predicates(&r, conf.purge) == NGX_OK) {
        return NGX_HTTP_NOT_ALLOWED;
    }
    RequestContext& context = make_context(r, conf);
    context.key = make_key(r, conf);
    context.store.control().count(store::Counter::purges);
    if (!asks_for_soft(r)) {
        context.purge = RequestContext::Purge::hard;
        return hard_purge(context);
    }
    // What is to be marked must be read first, wherever it is.
    context.purge = RequestContext::Purge::soft;
    return look_up(context);
}

ngx_int_t follow_purge(RequestContext& context) {
    if (context.purge == RequestContext::Purge::hard) {
        return done(context, context.purge_answer);
    }
    bool no_redis = context.reason == core::Reason::redis;
    if (!context.entry && !context.vary_missed) {
        return done(context, no_redis ? NGX_HTTP_SERVICE_UNAVAILABLE
                                      : NGX_HTTP_NOT_FOUND);
    }
    (void)context.store.invalidate(context.key, context.now,
                                   store::Fetches::voided);
    // The variant that a GET of the one who purges would get, if there is one.
    if (context.entry) { refresh_now(context); }
    return done(context, no_redis ? NGX_HTTP_SERVICE_UNAVAILABLE : accepted);
}

}  // namespace cacheback::http
