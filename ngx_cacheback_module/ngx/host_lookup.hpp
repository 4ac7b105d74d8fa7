// ngx/host_lookup.hpp: the addresses of a host by nginx's resolver, which
// never blocks and keeps what it learned for as long as the name server says.
#pragma once

#include "ngx.hpp"

namespace cacheback::ngx {

struct SocketAddress {
    ngx_sockaddr_t sockaddr;
    socklen_t length;
};

class HostLookup {
  public:
    enum class Outcome : unsigned char { found, failed, later };
    // Called once for each start() that said `later`.
    using Done = void (*)(void* data);

    HostLookup(ngx_resolver_t* resolver, ngx_msec_t timeout, Done done,
               void* data) noexcept
        : resolver_(resolver), timeout_(timeout), done_(done), data_(data) {}
    ~HostLookup() { cancel(); }
    HostLookup(const HostLookup&) = delete;
    HostLookup& operator=(const HostLookup&) = delete;

    Outcome start(const std::string& host, std::uint16_t port);
    void cancel() noexcept;

    // After the end: what was found, or why nothing was.
    [[nodiscard]] const std::vector<SocketAddress>& addresses() const noexcept {
        return addresses_;
    }
    [[nodiscard]] const std::string& failure() const noexcept {
        return failure_;
    }

  private:
    static void on_resolved(ngx_resolver_ctx_t* context);
    void take(ngx_resolver_ctx_t& context);

    ngx_resolver_t* resolver_;
    ngx_msec_t timeout_;
    Done done_;
    void* data_;
    std::string host_;
    std::uint16_t port_ = 0;
    bool starting_ = false;  // start() is at work
    ngx_resolver_ctx_t* context_ = nullptr;
    std::vector<SocketAddress> addresses_;
    std::string failure_;
};

}  // namespace cacheback::ngx
