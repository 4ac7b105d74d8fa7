// store/fleet/redis_cluster.hpp: the nodes of a Redis Cluster in one worker,
// and which slots each of them holds.
//
// The map comes from any node that answers, the seeds first. It is read anew
// when a node says that a slot is elsewhere, while a node is away, and every
// now and then; in the background, and never more than twice a second. One that
// is older than what is known, or has fewer slots, is passed over for a while.
#pragma once

#include <vector>

#include "../../ngx/timer.hpp"
#include "../../redis/cluster.hpp"
#include "redis_servers.hpp"

namespace cacheback::store {

class RedisCluster final : public RedisServers, private Redirector {
  public:
    RedisCluster(const RedisConf& conf, const RedisKeys& keys,
                 ControlZone& control);

    [[nodiscard]] RedisNode* holder(const TextDigest& digest) noexcept override;
    [[nodiscard]] RedisNode* feed_holder() noexcept override;
    [[nodiscard]] State state() const noexcept override;
    void doubt() noexcept override;
    void shut_down() noexcept override;

  private:
    struct Member {
        Member(const RedisConf& conf, const RedisKeys& keys,
               ControlZone& control, std::unique_ptr<HostPlace> where,
               std::string host_, std::uint16_t port_);

        std::string host;
        std::uint16_t port;
        bool in_map = false;
        ngx_msec_t left_at = 0;  // when it was no more, 0: in use
        HostPlace& place;        // the node's
        RedisNode node;
    };
    using Members = std::vector<std::unique_ptr<Member>>;

    bool redirect(const RedisLane& from, const redis::Question& question,
                  std::string_view command, std::string_view error) override;

    void tick();
    void plan(ngx_msec_t delay) noexcept;
    void ask();
    [[nodiscard]] Member* member_to_ask();
    static void on_map(const redis::Question& question,
                       const redis::Answer& answer);
    [[nodiscard]] bool stands_by_its_map() noexcept;
    void take(const redis::ClusterMap& map);
    Member& member(const std::string& host, std::uint16_t port,
                   const std::string& name);
    void retire(Member& member);
    void bury();
    [[nodiscard]] Member* owner_of(const RedisLane& lane) noexcept;

    const RedisConf& conf_;
    const RedisKeys& keys_;
    ControlZone& control_;
    Members members_;  // seeds first
    std::size_t seeds_;
    std::vector<Member*> slots_;  // null: nobody's, as far as is known
    unsigned feed_slot_;
    Member* asked_ = nullptr;  // for the map
    std::size_t next_ = 0;     // whom to ask next
    bool known_ = false;       // there is a map
    bool doubted_ = false;     // since it was read
    ngx_msec_t read_at_ = 0;
    std::uint64_t epoch_ = 0;     // of the map
    unsigned covered_ = 0;        // slots that it has holders for
    ngx_msec_t worse_since_ = 0;  // nodes told a worse one; 0: none did
    ngx_msec_t asked_at_ = 0;
    ngx::Timer tick_;
};

}  // namespace cacheback::store
