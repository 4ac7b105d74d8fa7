// http/request_context.hpp: what this module knows about one client request,
// from its look-up to its end, also across internal redirects.
#pragma once

#include <memory>

#include "../core/cache_status.hpp"
#include "../core/decision.hpp"
#include "../core/reason.hpp"
#include "../ngx/ngx.hpp"
#include "../store/fleet_claim.hpp"
#include "../store/store.hpp"
#include "capture.hpp"
#include "client_wait.hpp"
#include "configuration.hpp"
#include "redirects.hpp"
#include "slow_leader.hpp"

namespace cacheback::http {

// $cacheback_status
enum class Status : u_char {
    none,
    bypass,
    miss,
    hit,
    stale,
    updating,
    expired,
    revalidated,
    empty,
};

enum class Tier : u_char { none, memory, redis };

class BackgroundFetch;
struct Purging;

struct RequestContext {
    explicit RequestContext(ngx_http_request_t& r, LocationConf& conf);
    ~RequestContext();
    RequestContext(const RequestContext&) = delete;
    RequestContext& operator=(const RequestContext&) = delete;

    // The one look-up of this request.
    enum class Stage : u_char {
        asking_redis,  // parked
        asking_fleet,  // parked: whether another box fetches the item
        newer,         // none does, but one has just stored it
        waiting,       // parked: somebody else fetches the item
        again,         // that has ended: look once more
        decided,
    };

    ngx_http_request_t& request;
    LocationConf& conf;  // of the location where the look-up took place
    store::Store& store;
    store::Key key;
    core::Millis began;       // when it was looked up first
    core::Millis now;         // and last
    ngx_uint_t http_version;  // of the client
    Stage stage = Stage::decided;
    Status status = Status::none;
    Tier tier = Tier::none;
    core::Reason reason = core::Reason::none;
    bool is_head = false;
    // HEAD, Range or conditional: its answer is not what the item is.
    bool is_partial = false;
    // A GET with If-None-Match or If-Modified-Since and nothing else of that
    // kind: where an entry is held, that is validated, and answers it.
    bool is_validation = false;
    bool had_cookie = false;
    bool vary_missed = false;  // what is stored is for other requests
    core::Forward forward = core::Forward::none;
    core::Forward would_forward = core::Forward::none;  // but it has waited
    ngx_str_t status_field{0, nullptr};                 // its Cache-Status
    Redirects redirects;                                // after its look-up
    // What it asks of caches; in the request's memory where there is any.
    const core::RequestDirectives* asks = &core::nothing_asked;

    // What it says in the fields that the item varies on, where that is known.
    std::string section;
    std::optional<core::EntryView> entry;
    bool in_doubt = false;  // Redis is asked whether it is still right
    store::Lease lease;     // given back at the end when still ours
    std::unique_ptr<store::FleetClaim> fleet;
    bool fleet_asked = false;      // what became of this lease there
    store::FleetClaim::Seen seen;  // by the look-up
    store::RedisTicket ticket;
    ngx_msec_t parked = 0;        // when it last was
    core::Millis spent = 0;       // parked until Redis answered
    core::Millis asked = 0;       // when Redis was, for what it has brought
    std::uint32_t fence = 0;      // of the item, when Redis was asked
    std::string_view generation;  // of the variant it was asked for last
    bool asked_for_variant = false;
    std::optional<ClientWait> wait;    // it has waited for somebody's fetch
    std::unique_ptr<Capture> capture;  // an attached fetch is collected
    std::optional<SlowLeader> slow;    // the client has made it wait
    std::unique_ptr<BackgroundFetch> fill;  // ready, should the answer ask
    // Its answer may make an item stale, of this key, which is refreshed then.
    store::Key changes;
    std::unique_ptr<BackgroundFetch> refresh;
    // Subrequests that filters below us made (SSI, addition): they are made
    // again for each delivery. What others print is a part of the answer that
    // never comes by us, so it cannot be collected.
    std::vector<const ngx_http_request_t*> made_by_filters;
    bool prints_elsewhere = false;
    bool in_filters = false;  // they may send through us again (addition)
    std::unique_ptr<Purging> purging;  // the request is a PURGE

    // A 304 or an error of the origin became the stored entry.
    enum class Body : u_char { of_origin, of_entry, entry_sent };
    Body body = Body::of_origin;

    // The client left after the header of an answer that is being stored.
    bool client_gone = false;

    // The client's own request fields while the origin is sent others.
    std::optional<ngx_list_t> client_fields;
    ngx_table_elt_t* client_accept_encoding = nullptr;

    // The filters have something to do with the answer to come.
    [[nodiscard]] bool awaits_answer() const noexcept {
        return capture != nullptr || fill != nullptr ||
               client_fields.has_value() || status == Status::expired;
    }
};

// The context of the client request that `r` belongs to; null when there was
// no look-up (yet). Survives internal redirects, which wipe r->ctx.
[[nodiscard]] RequestContext* context_of(ngx_http_request_t& r) noexcept;
RequestContext& make_context(ngx_http_request_t& r, LocationConf& conf);

// The client waits in `stage` until resume() runs the phases again, our
// handler among them. One that leaves meanwhile ends the request and with it
// the context. NGX_AGAIN, or a status when it cannot be done.
ngx_int_t park(RequestContext& context, RequestContext::Stage stage) noexcept;
// Redis has answered: `redis_timeout` is for all that it is asked in a request.
void add_time_spent(RequestContext& context) noexcept;
void resume(RequestContext& context) noexcept;

}  // namespace cacheback::http
