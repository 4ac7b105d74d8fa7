#include "request_context.hpp"

#include "background_fetch.hpp"
#include "module.hpp"

namespace cacheback::http {

namespace {

// Also how context_of() knows its own among the pool's clean-ups.
void destroy(void* data) { static_cast<RequestContext*>(data)->~RequestContext(); }

}  // namespace

RequestContext::RequestContext(ngx_http_request_t& r, LocationConf& location)
    : request(r),
      conf(location),
      store(*location.store),
      now(store::wall_clock()) {}

RequestContext::~RequestContext() {
    // A miss that came to nothing leaves the next one free to try.
    if (lease != 0) { store.control().release(key, lease); }
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
