// store/control/control_zone.cpp: the zone itself, keys, counters, breakers.
#include "control_zone.hpp"

#include <unistd.h>

#include "control_shared.hpp"

namespace cacheback::store {
namespace {

constexpr std::size_t items_counted = 8192;  // UseTable's
constexpr std::size_t tags_marked = 16384;   // PurgeMarks'

std::uint64_t random_seed() noexcept {
    std::uint64_t seed = 0;
    if (getentropy(&seed, sizeof(seed)) != 0) {
        // No source of randomness: what strangers do not know must do.
        seed = static_cast<std::uint64_t>(ngx_random()) << 32 ^
               static_cast<std::uint64_t>(ngx_time()) ^
               static_cast<std::uint64_t>(ngx_pid) << 20;
    }
    return seed;
}

}  // namespace

char* ControlZone::configure(ngx_conf_t* cf, const ngx_str_t& store_name,
                             void* tag) {
    const std::size_t room =
        store_name.len + sizeof("cacheback::v:control") + NGX_INT_T_LEN;
    auto* text = static_cast<u_char*>(ngx_pnalloc(cf->pool, room));
    if (text == nullptr) { return static_cast<char*>(NGX_CONF_ERROR); }
    u_char* end =
        ngx_snprintf(text, room, "cacheback:%V:v%ui:control", &store_name,
                     static_cast<ngx_uint_t>(layout_version));
    const ngx_str_t name{static_cast<std::size_t>(end - text), text};
    return const_cast<char*>(zone_.add(cf, name, zone_size, tag, attach, this));
}

void ControlZone::attach(void* self, void* region, std::size_t size,
                         bool fresh) {
    constexpr std::size_t uses_size = UseTable::size_for(items_counted);
    constexpr std::size_t purges_size = PurgeMarks::size_for(tags_marked);
    constexpr std::size_t before_leases =
        sizeof(Shared) + uses_size + purges_size;
    static_assert(zone_size >= before_leases + 64 * 1024);
    auto* zone = static_cast<ControlZone*>(self);
    void* uses = static_cast<char*>(region) + sizeof(Shared);
    void* purges = static_cast<char*>(uses) + uses_size;
    void* leases = static_cast<char*>(purges) + purges_size;
    zone->shared_ = static_cast<Shared*>(region);
    if (fresh) {
        ngx_memzero(region, before_leases);
        zone->shared_->box = random_seed();
        LeaseTable::format(leases, size - before_leases, random_seed());
    }
    zone->leases_.emplace(leases);
    zone->uses_.emplace(uses, items_counted);
    zone->purges_.emplace(purges, tags_marked);
}

Key ControlZone::key(std::string_view text) const noexcept {
    return {text, seeded_hash(leases_->seed(), text)};
}

void ControlZone::name_variant(Key& key,
                               std::string_view variant) const noexcept {
    key.variant = variant;
    key.variant_hash = seeded_hash(leases_->seed() ^ key.hash, variant);
}

Variety ControlZone::variety(std::string_view names,
                             std::string_view section) const noexcept {
    if (names.empty()) { return {}; }
    const std::uint64_t seed = leases_->seed();
    return {static_cast<std::uint32_t>(seeded_hash(seed, names)) | 1U,
            seeded_hash(seed, section), 0};
}

unsigned ControlZone::count_use(const Key& key) noexcept {
    return uses_->count(key.hash, monotonic());
}

void ControlZone::count(Counter counter, std::uint64_t by) noexcept {
    __atomic_fetch_add(&shared_->counters[static_cast<unsigned>(counter)], by,
                       __ATOMIC_RELAXED);
}

std::uint64_t ControlZone::value(Counter counter) const noexcept {
    return load(shared_->counters[static_cast<unsigned>(counter)]);
}

ServerBreakers& ControlZone::breakers(std::uint64_t server) {
    const Access access(*this);
    return shared_->breakers.of(server, monotonic());
}

std::uint64_t ControlZone::box() const noexcept { return shared_->box; }

void ControlZone::sweep() {
    for (Process& process : shared_->processes) {
        const std::uint32_t pid =
            __atomic_load_n(&process.pid, __ATOMIC_RELAXED);
        if (pid == 0 || ngx::is_alive(pid)) { continue; }
        Access access(*this);
        if (process.pid == pid) { access.bury(process); }
    }
}

}  // namespace cacheback::store
