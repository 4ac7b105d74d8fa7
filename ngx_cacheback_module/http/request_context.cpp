#include "request_context.hpp"

#include "background_fetch.hpp"
#include "module.hpp"
#include "purge.hpp"

namespace cacheback::http {

namespace {

// Also how context_of() knows its own among the pool's clean-ups.
void destroy(void* data) {
    static_cast<RequestContext*>(data)->~RequestContext();
}

}  // namespace

RequestContext::RequestContext(ngx_http_request_t& r, LocationConf& location)
    : request(r),
      conf(location),
      store(*location.store),
      began(store::wall_clock()),
      now(began),
      http_version(r.http_version) {}

RequestContext::~RequestContext() {
    // A miss that came to nothing leaves the next one free to try.
    store.release(key, lease);
}

RequestContext* context_of(ngx_http_request_t& r) noexcept {
    ngx_http_request_t* main = r.main;
    auto* context = static_cast<RequestContext*>(
        ngx_http_get_module_ctx(main, ngx_http_cacheback_module));
    if (context != nullptr) { return context; }
    if (!main->internal && !main->filter_finalize) { return nullptr; }

    for (ngx_pool_cleanup_t* c = main->pool->cleanup; c != nullptr;
         c = c->next) {
        if (c->handler == destroy) {
            ngx_http_set_ctx(main, c->data, ngx_http_cacheback_module);
            return static_cast<RequestContext*>(c->data);
        }
    }
    return nullptr;
}

ngx_int_t park(RequestContext& context, RequestContext::Stage stage) noexcept {
    ngx_http_request_t& r = context.request;
    context.stage = stage;
    context.parked = ngx_current_msec;
    if (ngx_handle_read_event(r.connection->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    r.read_event_handler = ngx_http_test_reading;
    r.write_event_handler = ngx_http_core_run_phases;
    return NGX_AGAIN;
}

void add_time_spent(RequestContext& context) noexcept {
    context.spent +=
        static_cast<core::Millis>(ngx_current_msec - context.parked);
}

void resume(RequestContext& context) noexcept {
    ngx_http_request_t& r = context.request;
    ngx_connection_t* c = r.connection;
    r.read_event_handler = ngx_http_block_reading;
    ngx_http_core_run_phases(&r);
    ngx_http_run_posted_requests(c);
}

RequestContext& make_context(ngx_http_request_t& r, LocationConf& conf) {
    ngx_pool_cleanup_t* slot =
        ngx_pool_cleanup_add(r.pool, sizeof(RequestContext));
    if (slot == nullptr) { throw std::bad_alloc{}; }
    auto* context = new (slot->data) RequestContext(r, conf);
    slot->handler = destroy;
    ngx_http_set_ctx((&r), context, ngx_http_cacheback_module);
    return *context;
}

}  // namespace cacheback::http
