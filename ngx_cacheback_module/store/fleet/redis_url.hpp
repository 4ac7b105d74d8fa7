// store/fleet/redis_url.hpp: where a Redis server is, as an operator writes it.
// Pure. `redis://[[user]:password@]host[:port][/db]`, `rediss://` likewise for
// TLS, `unix:path[?db=N]`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cacheback::store {

struct RedisUrl {
    bool is_unix = false;
    bool tls = false;
    std::string host;  // a name, an address, or one of IPv6 without brackets
    std::uint16_t port = 0;  // as given, else default_port
    std::string path;        // of the socket
    std::string user, password;
    unsigned db = 0;

    // For logs: where it is, without what is secret.
    [[nodiscard]] std::string address() const;
    // As it was written, with `***` for the password.
    [[nodiscard]] std::string masked() const;
};

// Empty when `text` was read into `url`; else what is wrong, ready to follow
// the name of the directive, and never with a password in it.
[[nodiscard]] std::string parse_redis_url(std::string_view text, RedisUrl& url,
                                          std::uint16_t default_port = 6379);

}  // namespace cacheback::store
