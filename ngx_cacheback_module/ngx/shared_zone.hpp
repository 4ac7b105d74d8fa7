// ngx/shared_zone.hpp: one shared-memory zone as one flat region, kept over
// reloads as long as its name and size stay, under the lock that nginx's
// master takes away from a worker that dies.
#pragma once

#include "ngx.hpp"

namespace cacheback::ngx {

// Lives in the configuration pool, one object per cycle; zones of the same
// name share the memory. All trivial, so nothing needs to be destroyed.
class SharedZone {
  public:
    // Called once the memory is there, still in the master. `fresh`: lay it
    // out; otherwise it holds what the last configuration left, in use.
    using Ready = void (*)(void* owner, void* region, std::size_t size,
                           bool fresh);

    // Null or an error text. `name` and `owner` must last like the cycle.
    const char* add(ngx_conf_t* cf, ngx_str_t name, std::size_t size, void* tag,
                    Ready ready, void* owner) noexcept;

    // Nothing may be allocated, logged or waited for while it is held.
    class Lock {
      public:
        explicit Lock(SharedZone& zone) noexcept : mutex_(zone.pool_->mutex) {
            ngx_shmtx_lock(&mutex_);
        }
        ~Lock() { ngx_shmtx_unlock(&mutex_); }
        Lock(const Lock&) = delete;
        Lock& operator=(const Lock&) = delete;

      private:
        ngx_shmtx_t& mutex_;
    };

  private:
    static ngx_int_t attach(ngx_shm_zone_t* zone, void* before);

    ngx_slab_pool_t* pool_ = nullptr;
    Ready ready_ = nullptr;
    void* owner_ = nullptr;
};

// False when the process is gone for sure.
[[nodiscard]] bool is_alive(std::uint32_t pid) noexcept;

}  // namespace cacheback::ngx
