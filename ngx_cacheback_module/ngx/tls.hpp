// ngx/tls.hpp: TLS towards a server, by nginx's own OpenSSL.
#pragma once

#include "ngx.hpp"

namespace cacheback::ngx {

// What an operator says of it; lives in the configuration pool.
struct TlsOptions {
    ngx_str_t ca{};           // PEM file; empty: those of the system
    ngx_str_t certificate{};  // PEM file of this client; empty: none
    ngx_str_t key{};          // likewise
    ngx_str_t name{};         // asked for and verified in place of the host's
    bool verify = true;
};

#if (NGX_SSL)

// What all connections of one configuration share. Made while nginx reads its
// configuration, ends with it.
class Tls {
  public:
    // Null, after saying why, when a file is not what it should be.
    static Tls* make(ngx_conf_t* cf, const TlsOptions& options);

    // Begins to speak TLS over a connection that is established. NGX_AGAIN:
    // `done(c)` will be called; else it has ended: see failure_of().
    [[nodiscard]] ngx_int_t begin(ngx_connection_t* c, const std::string& host,
                                  ngx_connection_handler_pt done) const;
    // After the handshake: empty when the server is who it should be, else
    // what is wrong with it.
    [[nodiscard]] std::string refused(ngx_connection_t* c,
                                      const std::string& host) const;
    // Without a word to the server.
    static void end(ngx_connection_t* c) noexcept;

  private:
    explicit Tls(const TlsOptions& options) noexcept : options_(options) {}
    [[nodiscard]] std::string name_for(const std::string& host) const;

    TlsOptions options_;
    ngx_ssl_t ssl_{};
};

#else

class Tls {};

#endif

}  // namespace cacheback::ngx
