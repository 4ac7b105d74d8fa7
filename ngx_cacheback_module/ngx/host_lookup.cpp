#include "host_lookup.hpp"

#include "guard.hpp"

namespace cacheback::ngx {

HostLookup::Outcome HostLookup::start(const std::string& host,
                                      std::uint16_t port) {
    cancel();
    addresses_.clear();
    failure_.clear();
    host_ = host;
    port_ = port;
    ngx_resolver_ctx_t* context = ngx_resolve_start(resolver_, nullptr);
    if (context == nullptr) {
        failure_ = "out of memory";
        return Outcome::failed;
    }
    if (context == NGX_NO_RESOLVER) {
        failure_ = "no \"resolver\" defined to resolve \"" + host + "\"";
        return Outcome::failed;
    }
    context->name.data = reinterpret_cast<u_char*>(host_.data());
    context->name.len = host_.size();
    context->handler = on_resolved;
    context->data = this;
    context->timeout = timeout_;
    context->cancelable = 1;  // who waits has a deadline of its own
    context_ = context;
    starting_ = true;
    const ngx_int_t rc = ngx_resolve_name(context);
    starting_ = false;
    if (rc != NGX_OK) {  // it has been freed
        context_ = nullptr;
        failure_ = "\"" + host + "\" could not be resolved";
        return Outcome::failed;
    }
    if (context_ != nullptr) { return Outcome::later; }
    return addresses_.empty() ? Outcome::failed : Outcome::found;
}

void HostLookup::cancel() noexcept {
    if (context_ == nullptr) { return; }
    ngx_resolve_name_done(context_);
    context_ = nullptr;
}

void HostLookup::on_resolved(ngx_resolver_ctx_t* context) {
    auto& self = *static_cast<HostLookup*>(context->data);
    guard(
        ngx_cycle->log, [&] { self.take(*context); },
        [&] { self.addresses_.clear(); });
    self.context_ = nullptr;
    ngx_resolve_name_done(context);
    if (self.starting_) { return; }
    guard(
        ngx_cycle->log, [&] { self.done_(self.data_); }, [] {});
}

void HostLookup::take(ngx_resolver_ctx_t& context) {
    if (context.state != NGX_OK) {
        failure_ = "\"" + host_ + "\" could not be resolved (" +
                   std::to_string(context.state) + ": " +
                   ngx_resolver_strerror(context.state) + ")";
        return;
    }
    addresses_.reserve(context.naddrs);
    for (ngx_uint_t i = 0; i < context.naddrs; ++i) {
        const ngx_resolver_addr_t& found = context.addrs[i];
        SocketAddress address{};
        ngx_memcpy(
            &address.sockaddr, found.sockaddr,
            std::min<std::size_t>(found.socklen, sizeof(address.sockaddr)));
        address.length = found.socklen;
        ngx_inet_set_port(&address.sockaddr.sockaddr, port_);
        addresses_.push_back(address);
    }
}

}  // namespace cacheback::ngx
