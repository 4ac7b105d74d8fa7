#include "redis_servers.hpp"

#include "master_place.hpp"
#include "redis_cluster.hpp"

namespace cacheback::store {

namespace {

// A single server, or the master that Sentinels name.
class OneServer final : public RedisServers {
  public:
    OneServer(const RedisConf& conf, const RedisKeys& keys,
              ControlZone& control, std::unique_ptr<RedisPlace> where)
        : node_(conf, keys, control, std::move(where),
                std::string(reinterpret_cast<char*>(conf.address_text.data),
                            conf.address_text.len)) {
        // Also while the breaker is open: a worker that starts may know
        // better.
        (void)node_.small.open_for_questions();
    }

    [[nodiscard]] RedisNode* holder(const TextDigest&) noexcept override {
        return &node_;
    }
    [[nodiscard]] RedisNode* feed_holder() noexcept override { return &node_; }
    [[nodiscard]] State state() const noexcept override {
        return {node_.health.well(), node_.health.writes()};
    }
    void shut_down() noexcept override { node_.shut_down(); }

  private:
    RedisNode node_;
};

}  // namespace

std::unique_ptr<RedisServers> RedisServers::make(const RedisConf& conf,
                                                 const RedisKeys& keys,
                                                 ControlZone& control) {
    switch (conf.topology) {
    case RedisConf::Topology::cluster:
        return std::make_unique<RedisCluster>(conf, keys, control);
    case RedisConf::Topology::sentinel:
        return std::make_unique<OneServer>(
            conf, keys, control, std::make_unique<MasterPlace>(conf, control));
    case RedisConf::Topology::single: break;
    }
    return std::make_unique<OneServer>(
        conf, keys, control, std::make_unique<HostPlace>(conf, conf.seeds[0]));
}

}  // namespace cacheback::store
