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
    return rc == NGX_OK ? answer(*r, context->purging->answer) : rc;
}

ngx_int_t done(RequestContext& context, ngx_int_t status) {
    context.purging->answer = status;
    context.request.content_handler = send_purge_answer;
    context.stage = RequestContext::Stage::decided;
    return NGX_OK;
}

// Goes on when Redis has done it, and the others will know. Both happen
// whether or not the client waits for that: the store sees to it.
void settle(RequestContext& context) {
    const Purging& purging = *context.purging;
    if (context.stage != RequestContext::Stage::asking_redis ||
        !purging.written || !purging.told) {
        return;
    }
    context.stage = purging.soft ? RequestContext::Stage::again
                                 : RequestContext::Stage::decided;
    resume(context);
}

void on_written(store::Watch& watch, store::Written written) noexcept {
    auto& purging = static_cast<Purging&>(watch);
    purging.written = written;
    settle(purging.context);
}

void on_told(void* data, const store::RedisReply& reply) noexcept {
    auto& context = *static_cast<RequestContext*>(data);
    context.purging->told = reply.status == store::RedisReply::Status::found;
    settle(context);
}

// True: Redis is asked.
bool change(RequestContext& context) {
    Purging& purging = *context.purging;
    purging.was_there =
        purging.soft
            ? context.store.invalidate(context.key, context.now,
                                       store::Fetches::voided, &purging)
            : context.store.remove(context.key, &purging);
    store::RedisTier* redis = context.store.redis();
    if (redis == nullptr) {
        purging.told = true;
        return false;
    }
    if (purging.written) { return false; }  // it could not be asked
    // The other boxes must hear of it, or they go on serving their copies.
    if (!redis->announce(context.key, redis::Change::Kind::removed, on_told,
                         &context, context.ticket)) {
        purging.told = false;
    }
    return true;
}

bool failed(const Purging& purging) noexcept {
    return !purging.told.value_or(false) ||
           purging.written == store::Written::late ||
           purging.written == store::Written::no;
}

}  // namespace

Purging::Purging(RequestContext& of, bool softly) noexcept
    : store::Watch(on_written), context(of), soft(softly) {}

bool is_purge(const ngx_http_request_t& r) noexcept {
    return ngx::view(r.method_name) == "PURGE";
}

ngx_int_t purge(ngx_http_request_t& r, LocationConf& conf) {
    if (ngx_http_test_predicates(&r, conf.purge) == NGX_OK) {
        return NGX_HTTP_NOT_ALLOWED;
    }
    RequestContext& context = make_context(r, conf);
    context.key = make_key(r, conf);
    context.purging = std::make_unique<Purging>(context, asks_for_soft(r));
    context.store.control().count(store::Counter::purges);
    if (change(context)) {
        return park(context, RequestContext::Stage::asking_redis);
    }
    return context.purging->soft ? look_up(context) : follow_purge(context);
}

ngx_int_t follow_purge(RequestContext& context) {
    const Purging& purging = *context.purging;
    const bool there = purging.was_there || context.entry ||
                       context.vary_missed ||
                       purging.written == store::Written::yes;
    // The variant that a GET of the one who purges would get, if there is one.
    if (context.entry) { refresh_now(context); }
    if (failed(purging)) { return done(context, NGX_HTTP_SERVICE_UNAVAILABLE); }
    if (!there) { return done(context, NGX_HTTP_NOT_FOUND); }
    return done(context, purging.soft ? accepted : NGX_HTTP_NO_CONTENT);
}

}  // namespace cacheback::http
