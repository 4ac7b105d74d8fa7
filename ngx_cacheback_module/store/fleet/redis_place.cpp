#include "redis_place.hpp"

namespace cacheback::store {

namespace {

std::string text_of(const ngx_str_t& text) {
    return {reinterpret_cast<char*>(text.data), text.len};
}

bool read_address(const std::string& host, std::uint16_t port,
                  ngx::SocketAddress& to) noexcept {
    auto* text = reinterpret_cast<u_char*>(const_cast<char*>(host.data()));
    const in_addr_t v4 = ngx_inet_addr(text, host.size());
    if (v4 != INADDR_NONE) {
        to.sockaddr.sockaddr_in.sin_family = AF_INET;
        to.sockaddr.sockaddr_in.sin_addr.s_addr = v4;
        to.length = sizeof(struct sockaddr_in);
    } else {
#if (NGX_HAVE_INET6)
        struct sockaddr_in6& v6 = to.sockaddr.sockaddr_in6;
        if (ngx_inet6_addr(text, host.size(), v6.sin6_addr.s6_addr) != NGX_OK) {
            return false;
        }
        v6.sin6_family = AF_INET6;
        to.length = sizeof(struct sockaddr_in6);
#else
        return false;
#endif
    }
    ngx_inet_set_port(&to.sockaddr.sockaddr, port);
    return true;
}

}  // namespace

void RedisPlace::remove(Seeker& seeker) noexcept {
    forget(seeker);
    seekers_.erase(std::remove(seekers_.begin(), seekers_.end(), &seeker),
                   seekers_.end());
}

RedisPlace::Outcome RedisPlace::seek(Seeker& seeker) {
    for (const Seeker* other : seekers_) {
        if (other->waits_) {  // one search is for all
            seeker.waits_ = true;
            return Outcome::later;
        }
    }
    const Outcome outcome = look();
    seeker.waits_ = outcome == Outcome::later;
    return outcome;
}

// Who is told may seek again at once: that is for the next time.
template <class Tell>
void RedisPlace::tell(Tell tell) {
    std::vector<Seeker*> waiting;
    for (Seeker* seeker : seekers_) {
        if (std::exchange(seeker->waits_, false)) { waiting.push_back(seeker); }
    }
    for (Seeker* seeker : waiting) { tell(*seeker); }
}

void RedisPlace::found() {
    tell([](Seeker& seeker) { seeker.found(); });
}

void RedisPlace::not_found(std::string_view why) {
    const std::string words(why);
    tell([&](Seeker& seeker) { seeker.not_found(words); });
}

void RedisPlace::moved() {
    const std::vector<Seeker*> all = seekers_;
    for (Seeker* seeker : all) {
        if (!seeker->waits_) { seeker->moved(); }
    }
}

// -- a host

HostPlace::HostPlace(const RedisConf& conf, const RedisSeed& seed)
    : conf_(conf),
      host_(text_of(seed.host)),
      tls_name_(host_),
      port_(seed.port) {
    for (ngx_uint_t i = 0; i < seed.address_count; ++i) {
        use(seed.addresses[i].sockaddr, seed.addresses[i].socklen);
    }
    if (addresses_.empty()) {
        lookup_.emplace(conf.resolver, conf.resolver_timeout, on_found, this);
    }
}

HostPlace::HostPlace(const RedisConf& conf, std::string host,
                     std::uint16_t port, std::string tls_name)
    : conf_(conf),
      host_(std::move(host)),
      tls_name_(std::move(tls_name)),
      port_(port) {
    if (read_address(host_, port_, literal_)) {
        use(&literal_.sockaddr.sockaddr, literal_.length);
    } else {
        lookup_.emplace(conf.resolver, conf.resolver_timeout, on_found, this);
    }
}

void HostPlace::is_named(const std::string& tls_name) {
    if (tls_name.empty() || tls_name == tls_name_) { return; }
    tls_name_ = tls_name;
    for (ngx::PeerAddress& address : addresses_) { address.host = tls_name; }
}

void HostPlace::use(const struct sockaddr* address, socklen_t length) {
    addresses_.push_back({address, length, conf_.tls, tls_name_});
}

HostPlace::Outcome HostPlace::look() {
    if (!lookup_) { return Outcome::found; }
    if (conf_.resolver == nullptr) {
        failure_ = "no \"resolver\" defined to resolve \"" + host_ + "\"";
        return Outcome::failed;
    }
    return take(lookup_->start(host_, port_));
}

HostPlace::Outcome HostPlace::take(Outcome outcome) {
    if (outcome == Outcome::found) {
        resolved_ = lookup_->addresses();
        addresses_.clear();
        for (const ngx::SocketAddress& address : resolved_) {
            use(&address.sockaddr.sockaddr, address.length);
        }
    } else if (outcome == Outcome::failed) {
        failure_ = lookup_->failure();
    }
    return outcome;
}

void HostPlace::on_found(void* data) {
    auto& self = *static_cast<HostPlace*>(data);
    if (self.take(self.lookup_->addresses().empty()
                      ? Outcome::failed
                      : Outcome::found) == Outcome::found) {
        self.found();
    } else {
        self.not_found(self.failure_);
    }
}

}  // namespace cacheback::store
