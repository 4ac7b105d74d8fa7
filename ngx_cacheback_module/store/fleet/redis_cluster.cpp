#include "redis_cluster.hpp"

#include "../../redis/commands.hpp"

namespace cacheback::store {

namespace {

constexpr ngx_msec_t usual = 10 * 1000;  // between two looks at the map
constexpr ngx_msec_t incomplete = 1000;
constexpr ngx_msec_t soonest = 500;
constexpr ngx_msec_t first_look = 20;
// A map, although other nodes tell an older one, or one with fewer slots.
constexpr ngx_msec_t believed = 5 * 1000;
// A node that left is kept for those who still hold its address.
constexpr ngx_msec_t grace = 10 * 1000;
// A command that is sent on more often goes round in circles.
constexpr unsigned most_hops = 4;
// A server that lies could name ever new ones. Room for two maps, for nodes
// that have all moved.
constexpr std::size_t most_members = 2 * redis::most_nodes;

// Not 0, which is for never.
ngx_msec_t time_now() noexcept {
    const ngx_msec_t now = ngx_current_msec;
    return now == 0 ? 1 : now;
}

std::string text_of(const ngx_str_t& text) {
    return {reinterpret_cast<char*>(text.data), text.len};
}

std::string place_of(const std::string& host, std::uint16_t port) {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace

RedisCluster::Member::Member(const RedisConf& conf, const RedisKeys& keys,
                             ControlZone& control,
                             std::unique_ptr<HostPlace> where,
                             std::string host_, std::uint16_t port_)
    : host(std::move(host_)),
      port(port_),
      place(*where),
      node(conf, keys, control, std::move(where),
           "cluster node " + place_of(host, port)) {}

RedisCluster::RedisCluster(const RedisConf& conf, const RedisKeys& keys,
                           ControlZone& control)
    : conf_(conf),
      keys_(keys),
      control_(control),
      seeds_(conf.seed_count),
      slots_(redis::slot_count),
      feed_slot_(redis::slot_of(keys.feed())),
      tick_(
          ngx::Timer::Exit::goes,
          [](void* self) { static_cast<RedisCluster*>(self)->tick(); }, this) {
    for (std::size_t i = 0; i < seeds_; ++i) {
        const RedisSeed& seed = conf.seeds[i];
        members_.push_back(std::make_unique<Member>(
            conf, keys, control, std::make_unique<HostPlace>(conf, seed),
            text_of(seed.host), seed.port));
        members_.back()->node.redirect_to(*this);
    }
    tick_.start(1);  // the event loop is not there yet when a worker starts
}

// -- who holds what

RedisNode* RedisCluster::holder(const TextDigest& digest) noexcept {
    Member* member = slots_[redis::slot_of(digest.view())];
    return member == nullptr ? nullptr : &member->node;
}

RedisNode* RedisCluster::feed_holder() noexcept {
    Member* member = slots_[feed_slot_];
    return member == nullptr ? nullptr : &member->node;
}

RedisServers::State RedisCluster::state() const noexcept {
    State all{true, true};
    bool any = false;
    for (const std::unique_ptr<Member>& member : members_) {
        if (!member->in_map) { continue; }
        any = true;
        all.up = all.up && member->node.health.well();
        all.writable = all.writable && member->node.health.writes();
    }
    return any ? all : State{false, false};
}

RedisCluster::Member* RedisCluster::owner_of(const RedisLane& lane) noexcept {
    for (const std::unique_ptr<Member>& member : members_) {
        if (&lane == &member->node.small || &lane == &member->node.bulk ||
            &lane == &member->node.feed) {
            return member.get();
        }
    }
    return nullptr;
}

bool RedisCluster::redirect(const RedisLane& from,
                            const redis::Question& question,
                            std::string_view command, std::string_view error) {
    const auto redirection = redis::read_redirection(error);
    Member* here = owner_of(from);
    if (!redirection || here == nullptr || question.hops >= most_hops) {
        return false;
    }
    if (members_.size() >= most_members) {
        doubt();
        return false;
    }
    Member& there =
        member(redirection->host.empty() ? here->host : redirection->host,
               redirection->port, {});
    there.left_at = 0;
    if (!redirection->ask) {
        slots_[redirection->slot] = &there;
        doubt();
    }
    redis::Question again = question;
    again.hops++;
    RedisLane& lane =
        &from == &here->node.bulk ? there.node.bulk : there.node.small;
    return lane.ask_again(again, command, redirection->ask);
}

// -- the map

void RedisCluster::doubt() noexcept {
    doubted_ = true;
    // Nodes that do not agree give a doubt with every answer.
    const ngx_msec_t since = ngx_current_msec - asked_at_;
    plan(since + first_look < soonest ? soonest - since : first_look);
}

void RedisCluster::plan(ngx_msec_t delay) noexcept {
    if (ngx_exiting ||
        (tick_.running() && tick_.due() <= ngx_current_msec + delay)) {
        return;
    }
    tick_.stop();
    tick_.start(delay);
}

void RedisCluster::tick() {
    if (ngx_exiting) { return; }
    tick_.start(soonest);
    bury();
    const ngx_msec_t pause = covered_ == redis::slot_count ? usual : incomplete;
    bool wanted = doubted_ || !known_ || ngx_current_msec - read_at_ >= pause;
    for (const std::unique_ptr<Member>& member : members_) {
        if (!member->in_map || member->node.health.well()) { continue; }
        // Somebody else may hold its slots by now.
        wanted = true;
        // Who opened the breaker may be gone, and with him the probes.
        (void)member->node.small.open_for_questions();
    }
    if (wanted) { ask(); }
}

// One that is up already; then any other that may be.
RedisCluster::Member* RedisCluster::member_to_ask() {
    for (const bool greeted : {true, false}) {
        for (std::size_t i = 0; i < members_.size(); ++i) {
            Member& member = *members_[(next_ + i) % members_.size()];
            RedisLane& lane = member.node.small;
            if ((!greeted || lane.takes_questions_now()) &&
                (known_ || !member.in_map) && lane.open_for_questions()) {
                next_ = (next_ + i + 1) % members_.size();
                return &member;
            }
        }
    }
    return nullptr;
}

void RedisCluster::ask() {
    if (asked_ != nullptr) { return; }
    asked_ = member_to_ask();
    if (asked_ == nullptr) { return; }
    asked_at_ = ngx_current_msec;
    RedisLane& lane = asked_->node.small;
    redis::append_command(lane.commands(), {"CLUSTER", "NODES"});
    redis::Question question;
    question.done = on_map;
    question.owner = this;
    lane.ask(question);
}

void RedisCluster::on_map(const redis::Question& question,
                          const redis::Answer& answer) {
    auto& self = *static_cast<RedisCluster*>(question.owner);
    Member* asked = std::exchange(self.asked_, nullptr);
    if (answer.end != redis::Answer::End::reply) {
        if (!self.known_) { self.plan(first_look); }  // the next seed
        return;
    }
    const redis::Reply& reply = *answer.reply;
    if (reply.kind == redis::Reply::Kind::error) {
        asked->node.health.map_error(reply.text);
        return;
    }
    const auto map = redis::read_cluster_nodes(reply.text, asked->host);
    if (!map) {
        asked->node.health.map_error("no node holds any slot");
        return;
    }
    if (self.members_.size() + map->nodes.size() > most_members) {
        asked->node.health.map_error("ever new nodes");
        return;
    }
    // A node that was cut off tells of what was; one that has just joined does
    // not know all yet. The next tick asks the next one.
    const bool worse =
        map->slots < self.covered_ ||
        (map->slots == self.covered_ && map->epoch < self.epoch_);
    if (worse && self.stands_by_its_map()) { return; }
    self.take(*map);
}

// Unless nobody tells it any more: a cluster that was made anew counts from the
// beginning.
bool RedisCluster::stands_by_its_map() noexcept {
    if (worse_since_ == 0) { worse_since_ = time_now(); }
    return ngx_current_msec - worse_since_ < believed;
}

void RedisCluster::take(const redis::ClusterMap& map) {
    known_ = true;
    doubted_ = false;
    read_at_ = ngx_current_msec;
    epoch_ = map.epoch;
    covered_ = map.slots;
    worse_since_ = 0;
    for (const std::unique_ptr<Member>& member : members_) {
        member->in_map = false;
    }
    std::vector<Member*> by_index;
    for (const redis::ClusterNode& node : map.nodes) {
        Member& found = member(node.host, node.port, node.name);
        found.in_map = true;
        found.left_at = 0;
        found.place.is_named(node.name);
        by_index.push_back(&found);
    }
    std::fill(slots_.begin(), slots_.end(), nullptr);
    for (const redis::SlotRange& range : map.ranges) {
        for (unsigned slot = range.first; slot <= range.last; ++slot) {
            slots_[slot] = by_index[range.node];
        }
    }
    for (const std::unique_ptr<Member>& member : members_) {
        if (!member->in_map && member->left_at == 0) { retire(*member); }
    }
}

RedisCluster::Member& RedisCluster::member(const std::string& host,
                                           std::uint16_t port,
                                           const std::string& name) {
    for (const std::unique_ptr<Member>& known : members_) {
        if (known->port == port && known->host == host) { return *known; }
    }
    members_.push_back(std::make_unique<Member>(
        conf_, keys_, control_,
        std::make_unique<HostPlace>(conf_, host, port,
                                    name.empty() ? host : name),
        host, port));
    members_.back()->node.redirect_to(*this);
    return *members_.back();
}

// Its links end; it may still be asked for the map.
void RedisCluster::retire(Member& member) {
    member.left_at = time_now();
    member.node.rest();
}

void RedisCluster::bury() {
    auto gone = [&](const std::unique_ptr<Member>& member) {
        return member.get() != asked_ && !member->in_map &&
               member->left_at != 0 &&
               ngx_current_msec - member->left_at >= grace &&
               !member->node.is_held() &&
               std::find(slots_.begin(), slots_.end(), member.get()) ==
                   slots_.end();
    };
    const auto first = members_.begin() + static_cast<std::ptrdiff_t>(seeds_);
    members_.erase(std::remove_if(first, members_.end(), gone), members_.end());
}

void RedisCluster::shut_down() noexcept {
    tick_.stop();
    for (const std::unique_ptr<Member>& member : members_) {
        member->node.shut_down();
    }
}

}  // namespace cacheback::store
