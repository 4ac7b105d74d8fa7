// ngx/shared_zone.cpp: nginx gives each zone a slab pool with a lock; all of
// its pages are taken at once, as one region of our own.
#include "shared_zone.hpp"

namespace cacheback::ngx {

const char* SharedZone::add(ngx_conf_t* cf, ngx_str_t name, std::size_t size,
                            void* tag, Ready ready, void* owner) noexcept {
    ngx_shm_zone_t* zone = ngx_shared_memory_add(cf, &name, size, tag);
    if (zone == nullptr) {
        return static_cast<const char*>(NGX_CONF_ERROR);  // nginx has logged it
    }
    if (zone->data != nullptr) { return "is duplicate"; }
    ready_ = ready;
    owner_ = owner;
    zone->init = attach;
    zone->data = this;
    return nullptr;
}

// `before` is the object of the last cycle when its memory is taken over; the
// region is found through the memory itself, since `before` may be of another
// build of this module.
ngx_int_t SharedZone::attach(ngx_shm_zone_t* zone, void* before) {
    auto& self = *static_cast<SharedZone*>(zone->data);
    auto* pool = reinterpret_cast<ngx_slab_pool_t*>(zone->shm.addr);
    const bool fresh = before == nullptr && !zone->shm.exists;
    if (fresh) {
        pool->data = nullptr;
        pool->log_nomem = 0;
        pool->data = ngx_slab_alloc(pool, pool->pfree * ngx_pagesize);
    }
    if (pool->data == nullptr) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "cacheback: no memory in shared zone \"%V\"",
                      &zone->shm.name);
        return NGX_ERROR;
    }
    self.pool_ = pool;
    auto* region = static_cast<u_char*>(pool->data);
    self.ready_(self.owner_, region,
                static_cast<std::size_t>(pool->end - region), fresh);
    return NGX_OK;
}

bool is_alive(std::uint32_t pid) noexcept {
    return kill(static_cast<ngx_pid_t>(pid), 0) == 0 || ngx_errno != NGX_ESRCH;
}

}  // namespace cacheback::ngx
