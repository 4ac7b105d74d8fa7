// The module as nginx sees it: its tables, and where they lead.

#include "../ngx/detached_request.hpp"
#include "../ngx/guard.hpp"
#include "../ngx/wake_channel.hpp"
#include "../store/waiting_room.hpp"
#include "configuration.hpp"
#include "directives.hpp"
#include "filters.hpp"
#include "lookup.hpp"
#include "module.hpp"
#include "store_block.hpp"
#include "variables.hpp"

namespace cacheback::http {

namespace {

// Set when this worker must not touch requests: everything passes.
bool disabled = false;

// Whatever goes wrong in the look-up, the origin can still answer.
ngx_int_t precontent_handler(ngx_http_request_t* r) noexcept {
    if (disabled) { return NGX_DECLINED; }
    return ngx::guard(
        r->connection->log, [&] { return on_precontent(*r); },
        []() -> ngx_int_t { return NGX_DECLINED; });
}

ngx_int_t postconfiguration(ngx_conf_t* cf) {
    MainConf& conf = main_conf(*cf);
    auto** stores = static_cast<store::Store**>(conf.stores.elts);
    for (ngx_uint_t i = 0; i < conf.stores.nelts; i++) {
        if (find_redis_hosts(cf, stores[i]->settings) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    if (conf.stores.nelts == 0) { return NGX_OK; }  // loaded, that is all

    auto* core = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    auto* slot = static_cast<ngx_http_handler_pt*>(
        ngx_array_push(&core->phases[NGX_HTTP_PRECONTENT_PHASE].handlers));
    if (slot == nullptr) { return NGX_ERROR; }
    *slot = precontent_handler;

    install_filters();
    return conf.variables.build(*cf);
}

template <class Each>
void for_each_store(ngx_cycle_t* cycle, Each each) {
    auto* conf = static_cast<MainConf*>(
        ngx_http_cycle_get_module_main_conf(cycle, ngx_http_cacheback_module));
    if (conf == nullptr) { return; }
    auto** stores = static_cast<store::Store**>(conf->stores.elts);
    for (ngx_uint_t i = 0; i < conf->stores.nelts; i++) { each(*stores[i]); }
}

bool in_use(ngx_cycle_t* cycle) noexcept {
    bool used = false;
    for_each_store(cycle, [&](store::Store&) { used = true; });
    return used;
}

// In the master, before there are workers.
ngx_int_t enter_cycle(ngx_cycle_t* cycle) {
    return in_use(cycle) ? ngx::WakeChannel::prepare(*cycle) : NGX_OK;
}

ngx_int_t enter_process(ngx_cycle_t* cycle) {
    if (ngx_process != NGX_PROCESS_WORKER &&
        ngx_process != NGX_PROCESS_SINGLE) {
        return NGX_OK;
    }
    if (!in_use(cycle)) { return NGX_OK; }
    if (ngx::DetachedRequest::open_worker(*cycle) != NGX_OK) {
        disabled = true;  // it has said why; the site works without a cache
        return NGX_OK;
    }
    auto on_wake = [](void*) {
        store::WaitingRoom::instance().wake();
        for_each_store(const_cast<ngx_cycle_t*>(ngx_cycle),
                       [](store::Store& s) { s.line().wake(); });
    };
    if (ngx::WakeChannel::open_worker(*cycle, on_wake, nullptr) != NGX_OK) {
        return NGX_ERROR;
    }
    for_each_store(cycle, [](store::Store& s) { s.enter_worker(); });
    return NGX_OK;
}

void leave_process(ngx_cycle_t* cycle) {
    for_each_store(cycle, [](store::Store& s) { s.leave_worker(); });
    store::WaitingRoom::instance().close();
    ngx::WakeChannel::close_worker();
    ngx::DetachedRequest::close_worker();
}

ngx_http_module_t context = {
    add_variables,         // preconfiguration
    postconfiguration,     // postconfiguration
    create_main_conf,      // create main configuration
    init_main_conf,        // init main configuration
    nullptr,               // create server configuration
    nullptr,               // merge server configuration
    create_location_conf,  // create location configuration
    merge_location_conf,   // merge location configuration
};

}  // namespace

}  // namespace cacheback::http

// clang-format off
ngx_module_t ngx_http_cacheback_module = {
    NGX_MODULE_V1,
    &cacheback::http::context,       // module context
    cacheback::http::directives,     // module directives
    NGX_HTTP_MODULE,                 // module type
    nullptr,                         // init master
    cacheback::http::enter_cycle,    // init module
    cacheback::http::enter_process,  // init process
    nullptr,                         // init thread
    nullptr,                         // exit thread
    cacheback::http::leave_process,  // exit process
    nullptr,                         // exit master
    NGX_MODULE_V1_PADDING
};
// clang-format on
