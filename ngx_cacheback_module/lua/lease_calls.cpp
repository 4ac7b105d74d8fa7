// lua/lease_calls.cpp: claims and ends, and what to do in between.
#include "lease_calls.hpp"

#include "lookup_calls.hpp"
#include "value_entry.hpp"

namespace cacheback::lua {

HeldLease::~HeldLease() {
    if (!keeps_unended_ || !lease_) {
        release();
        return;
    }
    store().control().count(store::Counter::refreshes_failed);
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "cacheback: the refresh of \"%*s\" ended without a result",
                  key().text.size(), key().text.data());
    keep();
}

core::Lease HeldLease::claim(core::Millis length, store::Over over) {
    since_ = store::wall_clock();
    until_ = since_ + length;
    bool kept = false;
    lease_ = store().claim(*key_, length, over, kept);
    if (lease_) { return core::Lease::ours; }
    return kept ? core::Lease::kept : core::Lease::working;
}

bool HeldLease::ask_fleet(store::Over over, store::FleetClaim::Seen seen,
                          core::Millis spent, Signal signal) {
    if (!lease_ || lease_.in_fleet) { return false; }
    const core::Millis left = until_ - store::wall_clock();
    if (!fleet_.begin(store(), *key_, lease_, {left, over, spent}, seen)) {
        return false;
    }
    signal_ = signal;
    return true;
}

void HeldLease::on_fleet_answer(void* data,
                                store::FleetClaim::Answer answer) noexcept {
    auto& self = *static_cast<HeldLease*>(data);
    self.fleet_answer_ = answer;
    self.signal_.send();
}

void HeldLease::release() noexcept {
    store().release(*key_, std::exchange(lease_, {}));
}

void HeldLease::release_to_all() noexcept {
    (void)guarded(
        [&] {
            store().release_to_all(*key_, std::exchange(lease_, {}), 0);
            return 0;
        },
        0);
}

void HeldLease::keep() noexcept {
    store().keep(*key_, std::exchange(lease_, {}));
}

HeldLease::Stored HeldLease::commit(std::string_view value, char kind,
                                    core::Millis expiry, core::Millis ttl,
                                    void* semaphore) {
    const core::Millis now = store::wall_clock();
    const core::Windows windows = value_windows(expiry, ttl, now);
    if (value.size() > store().settings.max_entry) { return Stored::too_large; }
    const std::string head = make_value_head((*key_).text, {value, kind},
                                             windows, now, now - since_);
    store::Pieces entry{head};
    if (!value.empty()) { entry.push_back(value); }
    if (store::total(entry) > store().settings.max_entry) {
        return Stored::too_large;
    }

    const bool watched = semaphore != nullptr && store().redis() != nullptr;
    if (!store().commit(*key_, std::exchange(lease_, {}), entry,
                        core::kept_for(windows), watched ? &watch_ : nullptr)) {
        return Stored::lost;
    }
    if (!watched || written_) {
        return written_.value_or(store::Written::yes) == store::Written::yes
                   ? Stored::yes
                   : Stored::asking_redis;
    }
    signal_ = Signal(semaphore);
    return Stored::asking_redis;
}

void HeldLease::on_written(store::Watch& watch,
                           store::Written written) noexcept {
    HeldLease& self = static_cast<Watch&>(watch).owner;
    self.written_ = written;
    self.signal_.send();
}

namespace {

// Between the look and the claim somebody may have stored what is about to be
// fetched.
bool overtaken(HeldLease& lease, double stored, double ttl) {
    const auto entry = in_memory(lease.store(), lease.key());
    if (!entry || !read_value(*entry)) { return false; }
    core::Rules rules;
    rules.ttl = to_millis(ttl);
    return entry->meta.stored > to_millis(stored) &&
           core::state_of(entry->meta, rules, store::wall_clock()) ==
               core::State::fresh;
}

int what_to_do(core::Verdict verdict) noexcept {
    switch (verdict) {
    case core::Verdict::fetch:
    case core::Verdict::fetch_expired: return ngx_http_cacheback_lua_do_fetch;
    case core::Verdict::wait: return ngx_http_cacheback_lua_do_wait;
    case core::Verdict::serve_stale_and_refresh:
        return ngx_http_cacheback_lua_do_refresh;
    case core::Verdict::serve_fresh:
    case core::Verdict::serve_stale: return ngx_http_cacheback_lua_do_serve;
    case core::Verdict::fill_and_serve_empty:
        return ngx_http_cacheback_lua_do_fill;
    case core::Verdict::serve_empty: break;
    }
    return ngx_http_cacheback_lua_do_empty;
}

core::Millis lease_length(double seconds) noexcept {
    // A lease of no length would let every get refresh.
    return std::clamp<core::Millis>(to_millis(seconds), 1,
                                    core::max_seconds * core::second);
}

static_assert(static_cast<int>(store::Over::nobody) ==
              ngx_http_cacheback_lua_over_nobody);
static_assert(static_cast<int>(store::Over::kept) ==
              ngx_http_cacheback_lua_over_kept);
static_assert(static_cast<int>(store::Over::anybody) ==
              ngx_http_cacheback_lua_over_anybody);

}  // namespace

}  // namespace cacheback::lua

using namespace cacheback::lua;
using cacheback::store::Over;

int ngx_http_cacheback_lua_claim(void* request, void* store, const char* key,
                                 std::size_t size, double length, double ttl,
                                 int state, double stored, int wait,
                                 int* lease) {
    namespace core = cacheback::core;
    *lease = 0;
    return guarded(
        [&]() -> int {
            const bool missing = state == ngx_http_cacheback_lua_absent;
            auto held = std::make_unique<HeldLease>(as_store(store),
                                                    std::string(key, size));
            // Who has nothing to serve need not respect a failure's back-off.
            const core::Lease had = held->claim(
                lease_length(length), wait != 0 ? Over::kept : Over::nobody);
            if (had == core::Lease::ours && overtaken(*held, stored, ttl)) {
                return ngx_http_cacheback_lua_do_look;
            }
            core::Rules rules;
            rules.fetch_on_miss = wait != 0;
            core::State found = core::State::gone;
            if (!missing) {
                found = wait != 0 ? core::State::expired : core::State::stale;
            }
            const int to_do =
                what_to_do(core::decide(found, rules, had, false));
            if (had == core::Lease::ours) {
                *lease = Handles::add(std::move(held),
                                      to_do == ngx_http_cacheback_lua_do_fetch
                                          ? request
                                          : nullptr);
            }
            return to_do;
        },
        wait != 0 ? ngx_http_cacheback_lua_do_fetch
                  : ngx_http_cacheback_lua_do_empty);
}

int ngx_http_cacheback_lua_take(void* request, void* store, const char* key,
                                std::size_t size, double length,
                                int only_kept) {
    return guarded(
        [&]() -> int {
            auto held = std::make_unique<HeldLease>(as_store(store),
                                                    std::string(key, size));
            if (held->claim(lease_length(length),
                            only_kept != 0 ? Over::kept : Over::anybody) !=
                cacheback::core::Lease::ours) {
                return 0;
            }
            return Handles::add(std::move(held), request);
        },
        0);
}

int ngx_http_cacheback_lua_ask_fleet(int lease, int over, double stored,
                                     double spent, void* semaphore) {
    auto* held = Handles::get<HeldLease>(lease);
    if (held == nullptr) { return ngx_http_cacheback_lua_alone; }
    return guarded(
        [&]() -> int {
            cacheback::store::FleetClaim::Seen seen;
            if (stored < 0) {
                seen.any = true;
            } else if (stored > 0) {
                seen.stored = to_millis(stored);
            }
            if (held->ask_fleet(static_cast<Over>(over), seen, to_millis(spent),
                                Signal(semaphore))) {
                return ngx_http_cacheback_lua_pending;
            }
            return ngx_http_cacheback_lua_alone;
        },
        ngx_http_cacheback_lua_alone);
}

int ngx_http_cacheback_lua_fleet_answer(int lease) {
    using Answer = cacheback::store::FleetClaim::Answer;
    auto* held = Handles::get<HeldLease>(lease);
    if (held == nullptr) { return ngx_http_cacheback_lua_elsewhere; }
    if (!held->fleet_answer()) { return ngx_http_cacheback_lua_pending; }
    switch (*held->fleet_answer()) {
    case Answer::ours: return ngx_http_cacheback_lua_ours;
    case Answer::newer: return ngx_http_cacheback_lua_newer;
    case Answer::working:
    case Answer::kept: return ngx_http_cacheback_lua_elsewhere;
    case Answer::alone: break;
    }
    return ngx_http_cacheback_lua_alone;
}

int ngx_http_cacheback_lua_commit(int lease, const char* value,
                                  std::size_t size, int kind, double expiry,
                                  double ttl, void* semaphore) {
    auto* held = Handles::get<HeldLease>(lease);
    if (held == nullptr) { return 0; }
    return guarded(
        [&]() -> int {
            switch (held->commit({value, size}, static_cast<char>(kind),
                                 to_millis(expiry), to_millis(ttl),
                                 semaphore)) {
            case HeldLease::Stored::yes: return 1;
            case HeldLease::Stored::asking_redis:
                return ngx_http_cacheback_lua_pending;
            case HeldLease::Stored::too_large:
                return ngx_http_cacheback_lua_too_large;
            case HeldLease::Stored::lost: break;
            }
            return 0;
        },
        0);
}

int ngx_http_cacheback_lua_written(int lease) {
    using cacheback::store::Written;
    auto* held = Handles::get<HeldLease>(lease);
    if (held == nullptr) { return ngx_http_cacheback_lua_unavailable; }
    if (!held->written()) { return ngx_http_cacheback_lua_pending; }
    switch (*held->written()) {
    case Written::yes:
    case Written::outdated: return 1;
    case Written::refused: return 0;
    case Written::late:
    case Written::no: break;
    }
    return ngx_http_cacheback_lua_unavailable;
}

void ngx_http_cacheback_lua_end(int lease, int how) {
    auto* held = Handles::get<HeldLease>(lease);
    if (held == nullptr) { return; }
    switch (how) {
    case ngx_http_cacheback_lua_failure: held->keep(); break;
    case ngx_http_cacheback_lua_to_all: held->release_to_all(); break;
    default: held->release(); break;
    }
    Handles::drop(lease);
}

void ngx_http_cacheback_lua_keep_unended(int lease) {
    auto* held = Handles::get<HeldLease>(lease);
    if (held != nullptr) { held->keep_unended(); }
}

double ngx_http_cacheback_lua_left(int lease) {
    auto* held = Handles::get<HeldLease>(lease);
    if (held == nullptr) { return 0; }
    return static_cast<double>(held->until() - cacheback::store::wall_clock()) /
           cacheback::core::second;
}
