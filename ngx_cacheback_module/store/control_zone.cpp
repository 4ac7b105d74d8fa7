// store/control_zone.cpp: what all workers of a box know of one store.
#include "control_zone.hpp"

#include "../ngx/wake_channel.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdlib>

namespace cacheback::store {
namespace {

constexpr std::size_t items_counted = 8192;  // UseTable's
constexpr std::size_t tags_marked = 16384;   // PurgeMarks'
constexpr std::size_t fence_count = 4096;
// How soon this box asks again what another one does with an item.
constexpr core::Millis look_again = 1000;
constexpr std::size_t epoch_count = 4096;
constexpr std::size_t glance_count = 2048;
constexpr std::size_t background_count = 1024;
// What others do is seen within a second, the time of looking included.
constexpr core::Millis trust = 900;
constexpr unsigned counter_places = 64;  // room for more in this layout
static_assert(static_cast<unsigned>(Counter::last) <= counter_places);

template <class Number>
Number load(const Number& value) noexcept {
    return __atomic_load_n(&value, __ATOMIC_RELAXED);
}

core::Millis monotonic() noexcept {
    return static_cast<core::Millis>(ngx_current_msec);
}

// Whose turn it is. True: this worker's, which needs no wake.
bool tell(ngx::WakeMask next) noexcept {
    if (next == ngx::WakeChannel::own()) { return true; }
    ngx::WakeChannel::wake(next);
    return false;
}

std::uint32_t own_pid() noexcept { return static_cast<std::uint32_t>(ngx_pid); }

std::uint32_t glance(const Key& key) noexcept {
    return static_cast<std::uint32_t>(key.hash >> 32);
}

std::uint64_t random_seed() noexcept {
    std::uint64_t seed = 0;
    if (getentropy(&seed, sizeof(seed)) != 0) {
        // No source of randomness: what strangers do not know must do.
        seed = static_cast<std::uint64_t>(ngx_random()) << 32 ^
               static_cast<std::uint64_t>(ngx_time()) ^
               static_cast<std::uint64_t>(ngx_pid) << 20;
    }
    return seed;
}

}  // namespace

struct ControlZone::Process {
    std::uint32_t pid;  // 0: never used
    std::uint32_t in_flight;
    std::uint32_t in_line;
};

struct ControlZone::FeedReader {
    std::uint32_t pid;  // 0: nobody
    std::uint32_t position_size;
    std::uint64_t seen;  // when it last said that it reads
    core::Millis proven;
    core::Millis missed;
    char position[48];  // two numbers of 20 digits at most
};

// The regions of UseTable, PurgeMarks and LeaseTable follow.
struct alignas(64) ControlZone::Shared {
    std::uint64_t counters[counter_places];
    BreakerTable breakers;
    std::uint32_t dirty;
    std::uint32_t in_flight;  // sums over the processes
    std::uint32_t in_line;
    Turns turns;
    std::uint64_t box;
    FeedReader feed;
    std::uint64_t purge_number;
    std::uint32_t knows_purges;
    Process processes[NGX_MAX_PROCESSES];
    std::uint32_t fences[fence_count];
    std::uint32_t writes_to[fence_count];  // in Redis
    // See outdate() and revoke(); items may share one, as with fences.
    std::uint32_t epochs[epoch_count];
    std::uint32_t revocations[epoch_count];
    std::uint32_t glances[glance_count];  // the last mark there, by its hash
    std::uint8_t background[background_count];  // 1: asked for
};

// The zone under its lock. Leases and the counts of a process are right at any
// moment; only the sums can be left wrong by a worker that dies here.
class ControlZone::Access {
  public:
    explicit Access(ControlZone& zone) noexcept
        : lock_(zone.zone_), zone_(zone), shared_(*zone.shared_) {
        const bool lost = shared_.dirty != 0;
        shared_.dirty = own_pid();
        std::atomic_signal_fence(std::memory_order_seq_cst);
        if (lost) { sum_up(); }
    }
    ~Access() {
        std::atomic_signal_fence(std::memory_order_seq_cst);
        shared_.dirty = 0;
    }
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

    // The slot of this process, freed of what its last user left.
    Process& process() noexcept {
        Process& own = shared_.processes[slot()];
        if (own.pid != own_pid()) {
            bury(own);
            own.pid = own_pid();
        }
        return own;
    }

    Owner owner() noexcept { return {process().pid, slot()}; }

    void bury(Process& process) noexcept {
        if (process.pid == 0) { return; }
        // Nobody else would tell those who wait for what it fetched, or for
        // the places it had.
        ngx::WakeChannel::wake(zone_.leases_->sweep(process.pid));
        if (process.in_flight != 0) {
            ngx::WakeChannel::wake(shared_.turns.take_next(true));
        }
        process = {};
        sum_up();
    }

    void sum_up() noexcept {
        shared_.in_flight = 0;
        shared_.in_line = 0;
        for (const Process& process : shared_.processes) {
            shared_.in_flight += process.in_flight;
            shared_.in_line += process.in_line;
        }
    }

    // `sum` is one of the two above, `own` its share of this process.
    static bool enter(std::uint32_t& sum, std::uint32_t& own,
                      std::uint32_t limit) noexcept {
        if (sum >= limit) { return false; }
        sum++;
        own++;
        return true;
    }

    static void leave(std::uint32_t& sum, std::uint32_t& own) noexcept {
        if (own == 0 || sum == 0) { return; }
        own--;
        sum--;
    }

    void note_purge(const std::vector<TagId>& tags, PurgeKind kind,
                    PurgeNumber number) noexcept {
        for (TagId tag : tags) { zone_.purges_->set(tag, kind, number); }
        // Last: who takes an entry for good by this number has missed no mark.
        std::uint64_t& last = shared_.purge_number;
        __atomic_store_n(&last, std::max(last, number.value()),
                         __ATOMIC_RELEASE);
    }

  private:
    static std::uint32_t slot() noexcept {
        return static_cast<std::uint32_t>(ngx_process_slot) % NGX_MAX_PROCESSES;
    }

    ngx::SharedZone::Lock lock_;
    ControlZone& zone_;
    Shared& shared_;
};

char* ControlZone::configure(ngx_conf_t* cf, const ngx_str_t& store_name,
                             void* tag) {
    const std::size_t room =
        store_name.len + sizeof("cacheback::v:control") + NGX_INT_T_LEN;
    auto* text = static_cast<u_char*>(ngx_pnalloc(cf->pool, room));
    if (text == nullptr) { return static_cast<char*>(NGX_CONF_ERROR); }
    u_char* end =
        ngx_snprintf(text, room, "cacheback:%V:v%ui:control", &store_name,
                     static_cast<ngx_uint_t>(layout_version));
    const ngx_str_t name{static_cast<std::size_t>(end - text), text};
    return const_cast<char*>(zone_.add(cf, name, zone_size, tag, attach, this));
}

void ControlZone::attach(void* self, void* region, std::size_t size,
                         bool fresh) {
    constexpr std::size_t uses_size = UseTable::size_for(items_counted);
    constexpr std::size_t purges_size = PurgeMarks::size_for(tags_marked);
    constexpr std::size_t before_leases =
        sizeof(Shared) + uses_size + purges_size;
    static_assert(zone_size >= before_leases + 64 * 1024);
    auto* zone = static_cast<ControlZone*>(self);
    void* uses = static_cast<char*>(region) + sizeof(Shared);
    void* purges = static_cast<char*>(uses) + uses_size;
    void* leases = static_cast<char*>(purges) + purges_size;
    zone->shared_ = static_cast<Shared*>(region);
    if (fresh) {
        ngx_memzero(region, before_leases);
        zone->shared_->box = random_seed();
        LeaseTable::format(leases, size - before_leases, random_seed());
    }
    zone->leases_.emplace(leases);
    zone->uses_.emplace(uses, items_counted);
    zone->purges_.emplace(purges, tags_marked);
}

Key ControlZone::key(std::string_view text) const noexcept {
    return {text, seeded_hash(leases_->seed(), text)};
}

void ControlZone::name_variant(Key& key,
                               std::string_view variant) const noexcept {
    key.variant = variant;
    key.variant_hash = seeded_hash(leases_->seed() ^ key.hash, variant);
}

Variety ControlZone::variety(std::string_view names,
                             std::string_view section) const noexcept {
    if (names.empty()) { return {}; }
    const std::uint64_t seed = leases_->seed();
    return {static_cast<std::uint32_t>(seeded_hash(seed, names)) | 1U,
            seeded_hash(seed, section), 0};
}

// The upper half counts what voids fetches, the lower what outdates them.
std::uint64_t ControlZone::epoch(const Key& key) const noexcept {
    const std::size_t place = key.hash % epoch_count;
    return std::uint64_t{load(shared_->revocations[place])} << 32U |
           load(shared_->epochs[place]);
}

// The lease of an item is taken away at once; those of its variants cannot be
// found, and end here.
bool ControlZone::valid(const Key& key,
                        std::uint64_t claimed_in) const noexcept {
    return key.variant.empty() || claimed_in >> 32U == epoch(key) >> 32U;
}

// A delete ends the marks of variants, too: they are not found any more.
std::uint64_t ControlZone::mark_of(const Key& key) const noexcept {
    return key.variant.empty()
               ? key.hash
               : key.lease() ^ (epoch(key) >> 32U) * 0x9e3779b97f4a7c15ULL;
}

LeaseToken ControlZone::claim(const Key& key, core::Millis length, Over over,
                              bool& kept) {
    Access access(*this);
    const core::Millis now = monotonic();
    if (!valid(key, leases_->epoch_of(key.lease()))) { over = Over::anybody; }
    const LeaseToken token = leases_->claim(key.lease(), access.owner(), length,
                                            now, over, epoch(key));
    kept = token == 0 && leases_->is_kept(key.lease(), now);
    return token;
}

bool ControlZone::holds(const Key& key, LeaseToken token) {
    const Access access(*this);
    return leases_->holds(key.lease(), token, monotonic()) &&
           valid(key, leases_->epoch_of(key.lease()));
}

template <class End>
void ControlZone::end(const Key& key, LeaseToken token, End end) {
    ngx::WakeMask waiting = 0;
    {
        const Access access(*this);
        if (leases_->holds(key.lease(), token, 0)) {
            waiting = leases_->take_waiting(key.lease());
        }
        end(waiting);
    }
    ngx::WakeChannel::wake(waiting);
}

void ControlZone::let_pass(const Key& key, Waiting waiting,
                           core::Millis moment) noexcept {
    const core::Millis now = monotonic();
    if (waiting != 0 && !leases_->is_uncacheable(mark_of(key), now)) {
        leases_->mark_uncacheable(mark_of(key), now + moment, now);
    }
}

void ControlZone::release(const Key& key, LeaseToken token) {
    end(key, token, [&](Waiting) { leases_->release(key.lease(), token); });
}

void ControlZone::release_to_all(const Key& key, LeaseToken token,
                                 core::Millis moment) {
    end(key, token, [&](Waiting waiting) {
        let_pass(key, waiting, moment);
        leases_->release(key.lease(), token);
    });
}

void ControlZone::keep(const Key& key, LeaseToken token) {
    end(key, token, [&](Waiting) { leases_->keep(key.lease(), token); });
}

void ControlZone::keep_a_while(const Key& key, LeaseToken token) {
    end(key, token, [&](Waiting) {
        leases_->keep(key.lease(), token, monotonic() + look_again);
    });
}

void ControlZone::hand_over(const Key& key, LeaseToken token) {
    const Access access(*this);
    leases_->hand_over(key.lease(), token, monotonic() + look_again);
}

void ControlZone::come_back(const Key& key) {
    ngx::WakeMask waiting = 0;
    {
        const Access access(*this);
        waiting = leases_->take_elsewhere(key.lease());
    }
    ngx::WakeChannel::wake(waiting);
}

void ControlZone::come_back_to_all(const Key& key, core::Millis moment) {
    ngx::WakeMask waiting = 0;
    {
        const Access access(*this);
        waiting = leases_->take_elsewhere(key.lease());
        let_pass(key, waiting, moment);
    }
    ngx::WakeChannel::wake(waiting);
}

void ControlZone::come_back_everywhere() {
    ngx::WakeMask waiting = 0;
    {
        const Access access(*this);
        waiting = leases_->take_all_elsewhere();
    }
    ngx::WakeChannel::wake(waiting);
}

void ControlZone::revoke(const Key& key) {
    ngx::WakeMask waiting = 0;
    {
        const Access access(*this);
        waiting = leases_->take_waiting(key.hash);
        (void)leases_->revoke(key.hash);
        __atomic_fetch_add(&shared_->revocations[key.hash % epoch_count], 1,
                           __ATOMIC_SEQ_CST);
        raise_fence(key);
    }
    ngx::WakeChannel::wake(waiting);
}

void ControlZone::outdate(const Key& key) noexcept {
    __atomic_fetch_add(&shared_->epochs[key.hash % epoch_count], 1,
                       __ATOMIC_SEQ_CST);
    raise_fence(key);
}

bool ControlZone::is_outdated(const Key& key, LeaseToken token) {
    const Access access(*this);
    return leases_->epoch_of(key.lease(), token) != epoch(key);
}

std::uint32_t ControlZone::fence(const Key& key) const noexcept {
    return __atomic_load_n(&shared_->fences[key.hash % fence_count],
                           __ATOMIC_SEQ_CST);
}

void ControlZone::raise_fence(const Key& key) noexcept {
    __atomic_fetch_add(&shared_->fences[key.hash % fence_count], 1,
                       __ATOMIC_SEQ_CST);
}

std::uint32_t ControlZone::writes(std::uint64_t hash) const noexcept {
    return __atomic_load_n(&shared_->writes_to[hash % fence_count],
                           __ATOMIC_SEQ_CST);
}

void ControlZone::note_write(std::uint64_t hash) noexcept {
    __atomic_fetch_add(&shared_->writes_to[hash % fence_count], 1,
                       __ATOMIC_SEQ_CST);
}

bool ControlZone::await(const Key& key) {
    const Access access(*this);
    return leases_->await(key.lease(), ngx::WakeChannel::own(), monotonic());
}

bool ControlZone::is_awaited(const Key& key) {
    const Access access(*this);
    return leases_->is_awaited(key.lease());
}

void ControlZone::ask_for_background(const Key& key) noexcept {
    __atomic_store_n(&shared_->background[key.lease() % background_count], 1,
                     __ATOMIC_SEQ_CST);
}

bool ControlZone::take_background(const Key& key) noexcept {
    return __atomic_exchange_n(
               &shared_->background[key.lease() % background_count], 0,
               __ATOMIC_SEQ_CST) != 0;
}

void ControlZone::check_owner(const Key& key) {
    std::uint32_t pid = 0;
    {
        const Access access(*this);
        pid = leases_->worked_on_by(key.lease(), monotonic());
    }
    if (pid != 0 && !ngx::is_alive(pid)) { sweep(); }
}

void ControlZone::mark_uncacheable(const Key& key, core::Millis length) {
    const Access access(*this);
    const core::Millis now = monotonic();
    leases_->mark_uncacheable(mark_of(key), now + length, now);
    if (key.variant.empty()) {
        shared_->glances[key.hash % glance_count] = glance(key);
    }
}

bool ControlZone::is_uncacheable(const Key& key) {
    const Access access(*this);
    const core::Millis now = monotonic();
    return leases_->is_uncacheable(key.hash, now) ||
           (!key.variant.empty() && leases_->is_uncacheable(mark_of(key), now));
}

bool ControlZone::is_known_uncacheable(const Key& key) {
    return __atomic_load_n(&shared_->glances[key.hash % glance_count],
                           __ATOMIC_RELAXED) == glance(key) &&
           is_uncacheable(key);
}

void ControlZone::unmark(const Key& key) {
    const Access access(*this);
    leases_->unmark(key.hash);
    if (!key.variant.empty()) { leases_->unmark(mark_of(key)); }
    std::uint32_t& last = shared_->glances[key.hash % glance_count];
    if (last == glance(key)) { last = 0; }
}

unsigned ControlZone::count_use(const Key& key) noexcept {
    return uses_->count(key.hash, monotonic());
}

bool ControlZone::enter_line(std::uint32_t queue) {
    Access access(*this);
    return Access::enter(shared_->in_line, access.process().in_line, queue);
}

void ControlZone::leave_line() {
    Access access(*this);
    Access::leave(shared_->in_line, access.process().in_line);
}

bool ControlZone::start_fetch(std::uint32_t limit, FetchKind kind) {
    Access access(*this);
    if (Access::enter(shared_->in_flight, access.process().in_flight, limit)) {
        return true;
    }
    // In one step with the look: no end of a fetch falls between.
    shared_->turns.want(kind, ngx::WakeChannel::own());
    return false;
}

bool ControlZone::end_fetch(std::uint32_t fill_limit) {
    ngx::WakeMask next = 0;
    {
        Access access(*this);
        Access::leave(shared_->in_flight, access.process().in_flight);
        next = shared_->turns.take_next(shared_->in_flight < fill_limit);
    }
    return tell(next);
}

bool ControlZone::pass_turn(std::uint32_t limit, std::uint32_t fill_limit,
                            bool done) {
    ngx::WakeMask next = 0;
    {
        const Access access(*this);
        if (done) { shared_->turns.forget(ngx::WakeChannel::own()); }
        if (shared_->in_flight < limit) {
            next = shared_->turns.take_next(shared_->in_flight < fill_limit);
        }
    }
    return tell(next);
}

bool ControlZone::turn_wanted() const noexcept {
    return shared_->turns.wanted();
}

std::uint32_t ControlZone::in_flight() const noexcept {
    return __atomic_load_n(&shared_->in_flight, __ATOMIC_RELAXED);
}

std::uint32_t ControlZone::in_line() const noexcept {
    return __atomic_load_n(&shared_->in_line, __ATOMIC_RELAXED);
}

void ControlZone::count(Counter counter, std::uint64_t by) noexcept {
    __atomic_fetch_add(&shared_->counters[static_cast<unsigned>(counter)], by,
                       __ATOMIC_RELAXED);
}

std::uint64_t ControlZone::value(Counter counter) const noexcept {
    return load(shared_->counters[static_cast<unsigned>(counter)]);
}

ServerBreakers& ControlZone::breakers(std::uint64_t server) {
    const Access access(*this);
    return shared_->breakers.of(server, monotonic());
}

std::uint64_t ControlZone::box() const noexcept { return shared_->box; }

bool ControlZone::reads_feed() {
    constexpr core::Millis silence = 1000;
    const Access access(*this);
    FeedReader& reader = shared_->feed;
    const core::Millis now = monotonic();
    // The clocks of workers differ by the length of a turn.
    const core::Millis since =
        std::abs(now - static_cast<core::Millis>(reader.seen));
    const bool free =
        reader.pid == 0 || since >= silence || !ngx::is_alive(reader.pid);
    if (reader.pid != own_pid() && !free) { return false; }
    reader.pid = own_pid();
    reader.seen = static_cast<std::uint64_t>(now);
    return true;
}

void ControlZone::leave_feed() {
    const Access access(*this);
    if (shared_->feed.pid == own_pid()) { shared_->feed.pid = 0; }
}

std::string ControlZone::feed_position() {
    const Access access(*this);
    const FeedReader& reader = shared_->feed;
    return {reader.position, std::min<std::size_t>(reader.position_size,
                                                   sizeof(reader.position))};
}

void ControlZone::set_feed_position(std::string_view position) {
    const Access access(*this);
    FeedReader& reader = shared_->feed;
    if (reader.pid != own_pid() || position.size() > sizeof(reader.position)) {
        return;
    }
    reader.position_size = static_cast<std::uint32_t>(position.size());
    ngx_memcpy(reader.position, position.data(), position.size());
}

void ControlZone::prove_feed(core::Millis when) noexcept {
    core::Millis& proven = shared_->feed.proven;
    // A step back, by a worker that was held up, would only be a doubt.
    __atomic_store_n(&proven, std::max(proven, when), __ATOMIC_RELEASE);
}

core::Millis ControlZone::feed_proven() const noexcept {
    return __atomic_load_n(&shared_->feed.proven, __ATOMIC_ACQUIRE);
}

void ControlZone::miss_feed() noexcept {
    __atomic_store_n(&shared_->knows_purges, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&shared_->feed.missed, monotonic(), __ATOMIC_RELEASE);
}

PurgeNumber ControlZone::purge_number() const noexcept {
    return __atomic_load_n(&shared_->purge_number, __ATOMIC_ACQUIRE);
}

void ControlZone::note_purge(const std::vector<TagId>& tags, PurgeKind kind,
                             PurgeNumber number) {
    Access access(*this);
    access.note_purge(tags, kind, number);
}

void ControlZone::note_own_purge(const std::vector<TagId>& tags, PurgeKind kind,
                                 PurgeNumber least) {
    Access access(*this);
    // Of two at once the second has a number of its own: a fetch may have begun
    // between them.
    access.note_purge(tags, kind, std::max(least, purge_number().next()));
}

PurgeVerdict ControlZone::judge_tags(const std::vector<TagId>& tags,
                                     PurgeNumber began) {
    Access access(*this);
    return purges_->judge(tags, began);
}

void ControlZone::know_purges(PurgeNumber since) {
    Access access(*this);
    access.note_purge({}, {}, since);
    purges_->raise_floor(since);
    __atomic_store_n(&shared_->knows_purges, 1, __ATOMIC_RELEASE);
}

bool ControlZone::knows_purges() const noexcept {
    return __atomic_load_n(&shared_->knows_purges, __ATOMIC_ACQUIRE) != 0;
}

bool ControlZone::hears_purges() const noexcept {
    return knows_purges() && feed_proven() >= monotonic() - trust;
}

core::Millis ControlZone::trusted_since() const noexcept {
    const core::Millis then = monotonic() - trust;
    const core::Millis missed =
        __atomic_load_n(&shared_->feed.missed, __ATOMIC_ACQUIRE);
    return feed_proven() >= then ? missed : std::max(missed, then);
}

void ControlZone::sweep() {
    for (Process& process : shared_->processes) {
        const std::uint32_t pid =
            __atomic_load_n(&process.pid, __ATOMIC_RELAXED);
        if (pid == 0 || ngx::is_alive(pid)) { continue; }
        Access access(*this);
        if (process.pid == pid) { access.bury(process); }
    }
}

}  // namespace cacheback::store
