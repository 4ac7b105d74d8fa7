// store/fleet/redis_conf.hpp: what the configuration says of a store's Redis.
// Lives in the configuration pool, trivial.
#pragma once

#include "../../ngx/tls.hpp"

namespace cacheback::store {

// A server that the configuration names.
struct RedisSeed {
    ngx_str_t text{};  // host:port or unix:path, as the operator may see it
    ngx_str_t host{};  // name or address; empty: a unix socket
    std::uint16_t port = 0;
    // Known since the configuration was read. None: the host is a name that
    // nginx's resolver looks up when it is needed.
    const ngx_addr_t* addresses = nullptr;
    ngx_uint_t address_count = 0;
    ngx_str_t file{};  // where it stands in the configuration
    ngx_uint_t line = 0;
};

struct RedisConf {
    enum class Topology : unsigned char {
        single,
        sentinel,  // the seeds are Sentinels, which know the server
        cluster,   // the seeds are nodes, which know the others
    };
    Topology topology = Topology::single;
    ngx_str_t address_text{};  // all of it, secrets masked
    RedisSeed* seeds = nullptr;
    ngx_uint_t seed_count = 0;
    ngx_str_t master{};  // the name by which Sentinels know the server
    const ngx::Tls* tls = nullptr;  // null: plain text
    ngx_resolver_t* resolver = nullptr;
    ngx_msec_t resolver_timeout = 0;
    ngx_str_t user{}, password{};
    ngx_uint_t db = 0;
    ngx_str_t prefix{};
    // Keys of the MAC behind each entry, the one used and the one before it;
    // empty: entries have none.
    ngx_str_t sign{}, sign_previous{};
    ngx_msec_t timeout = 250;
    std::size_t max_entry = 1024 * 1024;
};

}  // namespace cacheback::store
