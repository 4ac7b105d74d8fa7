// http/background_fetch.hpp: one fetch of an item that no client waits for: a
// refresh of a stale item, or the fill of a missing one.
//
// It is a function of the item, not of the client that caused it: it asks as
// GET with the fields that the item depends on, and nobody's cookies.
#pragma once

#include <memory>
#include <string>

#include "../core/entry.hpp"
#include "../ngx/detached_request.hpp"
#include "../store/fleet_claim.hpp"
#include "../store/store.hpp"
#include "capture.hpp"
#include "configuration.hpp"
#include "redirects.hpp"

namespace cacheback::http {

class BackgroundFetch {
  public:
    // Copies what it needs of `r`, which stands in its look-up; takes over the
    // `lease`. Sends the fields that the item varies on (`names`). With
    // `stored` the fetch is conditional and a 304 renews that entry. Null when
    // there is no memory: the lease stays the caller's.
    static std::unique_ptr<BackgroundFetch> prepare(
        ngx_http_request_t& r, LocationConf& conf, const store::Key& key,
        store::Lease lease, core::Millis lease_end, std::string_view names,
        const core::EntryView* stored, store::FleetClaim::Seen seen);

    // Given up before it entered the line: gives the lease back.
    ~BackgroundFetch();
    BackgroundFetch(const BackgroundFetch&) = delete;
    BackgroundFetch& operator=(const BackgroundFetch&) = delete;

    // Into the store's line; from here on it ends by itself.
    static void launch(std::unique_ptr<BackgroundFetch> fetch) noexcept;

    // The fetch that the detached request `r` carries out; null for others.
    static BackgroundFetch* of(const ngx_http_request_t& r) noexcept;

    // From the filters: its response passes by, and goes no further.
    ngx_int_t on_header(ngx_http_request_t& r);
    ngx_int_t on_body(ngx_http_request_t& r, ngx_chain_t* in) noexcept;

    // The client's own fetch hands its lease over: it will not store.
    void adopt(store::Lease lease) noexcept { lease_ = lease; }
    void adopt(store::Lease lease, core::Millis lease_end) noexcept {
        lease_ = lease;
        lease_end_ = lease_end;
    }
    // It refreshes an item that may not be there any more, or may be in Redis
    // alone: when it is not, there is nothing to fetch. `held`: it is here.
    void expect_item(bool held) noexcept {
        waiting_.kind = store::WaitingFetch::Kind::refresh;
        only_if_stored_ = !held;
    }
    // The reverse, for one that will not be launched.
    [[nodiscard]] store::Lease yield() noexcept {
        return std::exchange(lease_, {});
    }

    Redirects redirects;

  private:
    struct Waiting : store::WaitingFetch {
        BackgroundFetch* owner;
    };

    BackgroundFetch(LocationConf& conf, core::Millis lease_end) noexcept;

    static bool start(store::WaitingFetch& waiting) noexcept;
    static void drop(store::WaitingFetch& waiting) noexcept;
    static void on_fleet_answer(void* self,
                                store::FleetClaim::Answer answer) noexcept;
    static void on_newer(void* self, const store::RedisReply& reply) noexcept;
    static void on_finished(void* owner, ngx_http_request_t* r) noexcept;

    [[nodiscard]] bool asks_fleet();
    bool take_newer() noexcept;
    bool run() noexcept;
    void end() noexcept;  // without a fetch; `this` is gone then

    ngx_int_t go_on(off_t rest) noexcept;
    [[nodiscard]] core::FetchOutcome outcome(const ngx_http_request_t& r) const;
    void settle(ngx_http_request_t& r);
    void give_up() noexcept;  // the old item stays, and so does the lease

    LocationConf& conf_;
    store::Store& store_;
    store::Key key_;
    store::Lease lease_;
    core::Millis lease_end_;
    core::Millis asked_ = 0;  // when the origin was
    store::PurgeNumber began_;
    store::FleetClaim fleet_;
    store::RedisTicket ticket_;
    std::uint32_t fence_ = 0;  // when Redis was asked for the newer
    store::FleetClaim::Seen seen_;
    ngx::DetachedRequest* detached_ = nullptr;
    Waiting waiting_;
    std::optional<core::EntryView> stored_;
    unsigned stored_status_ = 0;  // of the item as it is; 0: there is none
    bool conditional_ = false;
    bool is_secure_ = false;  // its client's request was
    bool only_if_stored_ = false;
    bool ended_early_ = false;  // its header said enough
    bool settled_ = false;
    bool running_ = false;
    std::unique_ptr<Capture> capture_;
};

}  // namespace cacheback::http
