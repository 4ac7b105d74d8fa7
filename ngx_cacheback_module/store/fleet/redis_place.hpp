// store/fleet/redis_place.hpp: where one server is to be found, as the links to
// it ask each time they connect.
#pragma once

#include "../../ngx/host_lookup.hpp"
#include "../../ngx/peer_connection.hpp"
#include "redis_conf.hpp"

namespace cacheback::store {

class RedisPlace {
  public:
    // A link on its way to the server; outlived by the place.
    class Seeker {
      public:
        virtual void found() = 0;
        virtual void not_found(std::string_view why) = 0;
        // The server is somewhere else than it was.
        virtual void moved() = 0;

      protected:
        ~Seeker() = default;

      private:
        friend class RedisPlace;
        bool waits_ = false;
    };

    RedisPlace() = default;
    virtual ~RedisPlace() = default;
    RedisPlace(const RedisPlace&) = delete;
    RedisPlace& operator=(const RedisPlace&) = delete;

    void add(Seeker& seeker) { seekers_.push_back(&seeker); }
    void remove(Seeker& seeker) noexcept;

    // found: addresses() are there, one at least. failed: see failure().
    // later: the seeker will be told, unless it says forget().
    using Outcome = ngx::HostLookup::Outcome;
    [[nodiscard]] Outcome seek(Seeker& seeker);
    void forget(Seeker& seeker) noexcept { seeker.waits_ = false; }

    [[nodiscard]] const std::vector<ngx::PeerAddress>& addresses()
        const noexcept {
        return addresses_;
    }
    [[nodiscard]] const std::string& failure() const noexcept {
        return failure_;
    }

    // Whether it must say of itself that it is a master.
    [[nodiscard]] virtual bool names_a_master() const noexcept { return false; }
    // It is not, or cannot be reached: what is known may be out of date.
    virtual void doubt() {}

  protected:
    [[nodiscard]] virtual Outcome look() = 0;  // later: found() or not_found()
    // To those that wait: the search has ended.
    void found();
    void not_found(std::string_view why);
    // To all others.
    void moved();

    std::vector<ngx::PeerAddress> addresses_;
    std::string failure_;

  private:
    template <class Tell>
    void tell(Tell tell);

    std::vector<Seeker*> seekers_;
};

// A host and its port, or a unix socket.
class HostPlace final : public RedisPlace {
  public:
    HostPlace(const RedisConf& conf, const RedisSeed& seed);
    // One that servers told of; `host`: an address, or a name for nginx's
    // resolver. `tls_name`: what its certificate is for.
    HostPlace(const RedisConf& conf, std::string host, std::uint16_t port,
              std::string tls_name);

    // Its certificate is for this name, as is known now.
    void is_named(const std::string& tls_name);

  private:
    Outcome look() override;
    Outcome take(Outcome outcome);
    void use(const struct sockaddr* address, socklen_t length);
    static void on_found(void* self);

    const RedisConf& conf_;
    std::string host_;
    std::string tls_name_;
    std::uint16_t port_;
    ngx::SocketAddress literal_{};
    std::vector<ngx::SocketAddress> resolved_;  // what addresses_ point to
    std::optional<ngx::HostLookup> lookup_;     // not for known addresses
};

}  // namespace cacheback::store
