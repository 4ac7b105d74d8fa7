// store/fleet/master_place.hpp: where the master is that Sentinels watch. They
// are asked once a second, so that a failover is followed also where the old
// master still answers.
#pragma once

#include <memory>

#include "../../ngx/timer.hpp"
#include "../../redis/sentinel.hpp"
#include "redis_lane.hpp"

namespace cacheback::store {

class MasterPlace final : public RedisPlace {
  public:
    MasterPlace(const RedisConf& conf, ControlZone& control);
    ~MasterPlace() override;

    [[nodiscard]] bool names_a_master() const noexcept override { return true; }
    void doubt() override;

  private:
    struct Sentinel;
    // What becomes of the search for the master's address.
    class Search final : public RedisPlace::Seeker {
      public:
        explicit Search(MasterPlace& owner) noexcept : owner_(owner) {}
        void found() override;
        void not_found(std::string_view why) override;
        void moved() override {}

      private:
        MasterPlace& owner_;
    };

    Outcome look() override;
    Outcome look_up_host();
    void tick();
    bool ask();  // false: nobody can be asked
    void conclude();
    void follow(const redis::SentinelMaster& master);
    void tell_found();  // the address of the master
    static void on_answer(const redis::Question& question,
                          const redis::Answer& answer);

    const RedisConf& conf_;
    std::vector<std::unique_ptr<Sentinel>> sentinels_;
    std::size_t asked_ = 0;  // in this round, without an answer yet
    std::vector<redis::SentinelMaster> answers_;
    std::string refusal_;   // in a Sentinel's words
    bool doubted_ = false;  // an older failover is as good as the known one
    bool leaving_ = false;  // links to another master have not been told yet
    redis::SentinelMaster master_;
    Search search_{*this};
    std::unique_ptr<HostPlace> host_;  // the master's; null: not known yet
    ngx::Timer tick_;
};

}  // namespace cacheback::store
