// store/control/control_feed.cpp: what this box knows of the others: how far it
// has read their feed, and which tags were purged.
#include <cstdlib>

#include "control_shared.hpp"

namespace cacheback::store {
namespace {

// What others do is seen within a second, the time of looking included.
constexpr core::Millis trust = 900;

}  // namespace

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

PurgeNumber ControlZone::fetch_number() const noexcept {
    return std::max(
        purge_number(),
        PurgeNumber(__atomic_load_n(&shared_->purges_heard, __ATOMIC_ACQUIRE)));
}

void ControlZone::hear_of_purge(PurgeNumber number) {
    const Access access(*this);
    Access::raise(shared_->purges_heard, number);
}

bool ControlZone::knows_all_heard_of() const noexcept {
    return __atomic_load_n(&shared_->purges_heard, __ATOMIC_ACQUIRE) <=
           __atomic_load_n(&shared_->purges_told, __ATOMIC_ACQUIRE);
}

void ControlZone::note_purge(const std::vector<TagId>& tags, PurgeKind kind,
                             PurgeNumber number) {
    Access access(*this);
    // Of a server that has lost its count, and whose clock is behind, there may
    // be new ones with numbers that others had before.
    const bool again = number.value() <= shared_->purges_told &&
                       purges_->floor() < number &&
                       std::any_of(tags.begin(), tags.end(), [&](TagId tag) {
                           return purges_->find(tag, kind) < number;
                       });
    access.note_purge(tags, kind, again ? fetch_number().next() : number);
    Access::raise(shared_->purges_told, number);
}

void ControlZone::note_mark(TagId tag, PurgeKind kind, PurgeNumber number) {
    const Access access(*this);
    purges_->set(tag, kind, number);
}

void ControlZone::note_own_purge(const std::vector<TagId>& tags, PurgeKind kind,
                                 PurgeNumber least) {
    Access access(*this);
    // Of two at once the second has a number of its own: a fetch may have begun
    // between them.
    access.note_purge(tags, kind, std::max(least, fetch_number().next()));
}

PurgeVerdict ControlZone::judge_tags(const std::vector<TagId>& tags,
                                     PurgeNumber began, core::Millis now) {
    Access access(*this);
    return purges_->judge(tags, began, now);
}

void ControlZone::know_purges(PurgeNumber since, PurgeNumber last) {
    Access access(*this);
    purges_->raise_floor(since);
    access.note_purge({}, {}, last);
    Access::raise(shared_->purges_told, last);
    __atomic_store_n(&shared_->knows_purges, 1, __ATOMIC_RELEASE);
}

bool ControlZone::knows_purges() const noexcept {
    return __atomic_load_n(&shared_->knows_purges, __ATOMIC_ACQUIRE) != 0;
}

bool ControlZone::hears_purges() const noexcept {
    return knows_purges() && feed_proven() >= monotonic() - trust;
}

core::Millis ControlZone::unjudged(core::Millis as_of) noexcept {
    return as_of - 2 * trust;
}

core::Millis ControlZone::trusted_since() const noexcept {
    const core::Millis then = monotonic() - trust;
    const core::Millis missed =
        __atomic_load_n(&shared_->feed.missed, __ATOMIC_ACQUIRE);
    return feed_proven() >= then ? missed : std::max(missed, then);
}

}  // namespace cacheback::store
