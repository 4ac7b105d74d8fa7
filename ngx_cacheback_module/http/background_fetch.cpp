#include "background_fetch.hpp"

#include "../core/text.hpp"
#include "../core/vary_record.hpp"
#include "../ngx/guard.hpp"
#include "../ngx/pool.hpp"
#include "lookup.hpp"
#include "origin_fields.hpp"
#include "request_fields.hpp"

namespace cacheback::http {

BackgroundFetch::BackgroundFetch(LocationConf& conf,
                                 core::Millis lease_end) noexcept
    : conf_(conf),
      store_(*conf.store),
      lease_end_(lease_end),
      fleet_(on_fleet_answer, this),
      waiting_() {
    waiting_.owner = this;
    waiting_.start = start;
    waiting_.drop = drop;
}

BackgroundFetch::~BackgroundFetch() {
    store_.release(key_, lease_);
    if (detached_ != nullptr && !running_) {
        detached_->set_owner(nullptr, nullptr);
        detached_->discard();
    }
}

std::unique_ptr<BackgroundFetch> BackgroundFetch::prepare(
    ngx_http_request_t& r, LocationConf& conf, const store::Key& key,
    store::Lease lease, core::Millis lease_end, std::string_view names,
    const core::EntryView* stored, store::FleetClaim::Seen seen) {
    bool conditional =
        conf.revalidate && stored != nullptr && has_validator(*stored);
    std::vector<ngx::RequestField> fields =
        background_fields(r, conf, names, conditional ? stored : nullptr);

    std::unique_ptr<BackgroundFetch> fetch(
        new BackgroundFetch(conf, lease_end));
    fetch->detached_ =
        ngx::DetachedRequest::create(r, fields, main_conf(r).variables);
    if (fetch->detached_ == nullptr) { return nullptr; }

    // The client's memory will be gone when we are done with it.
    ngx_pool_t& pool = fetch->detached_->pool();
    ngx_str_t text;
    ngx_str_t variant;
    if (!ngx::copy(pool, text, key.text) ||
        !ngx::copy(pool, variant, key.variant)) {
        return nullptr;
    }
    fetch->key_ = key;
    fetch->key_.text = ngx::view(text);
    fetch->key_.variant = ngx::view(variant);
    if (conditional) {
        std::string_view head = stored->head();
        std::string_view body = stored->body();
        auto* bytes =
            static_cast<char*>(ngx_palloc(&pool, head.size() + body.size()));
        if (bytes == nullptr) { return nullptr; }
        ngx_memcpy(bytes, head.data(), head.size());
        if (!body.empty()) {
            ngx_memcpy(bytes + head.size(), body.data(), body.size());
        }
        fetch->stored_ =
            core::EntryView::trusted({bytes, head.size() + body.size()});
        fetch->conditional_ = true;
    }
    fetch->is_secure_ = is_secure(r);
    fetch->stored_status_ = stored == nullptr ? 0U : stored->meta.status;
    fetch->waiting_.kind = stored == nullptr
                               ? store::WaitingFetch::Kind::fill
                               : store::WaitingFetch::Kind::refresh;
    fetch->seen_ = seen;
    fetch->lease_ = lease;
    if (conf.refresh_log) { fetch->detached_->enable_log(); }
    return fetch;
}

void BackgroundFetch::launch(std::unique_ptr<BackgroundFetch> fetch) noexcept {
    BackgroundFetch* self = fetch.release();
    self->store_.line().enter(self->waiting_);
}

BackgroundFetch* BackgroundFetch::of(const ngx_http_request_t& r) noexcept {
    ngx::DetachedRequest* detached = ngx::DetachedRequest::of(r);
    return detached == nullptr || ngx::DetachedRequest::taker_of(r) != nullptr
               ? nullptr
               : static_cast<BackgroundFetch*>(detached->owner());
}

bool BackgroundFetch::start(store::WaitingFetch& waiting) noexcept {
    BackgroundFetch* self = static_cast<Waiting&>(waiting).owner;
    core::Millis left = self->lease_end_ - store::wall_clock();
    if (left <= 0) {
        // It stood in line for as long as it might have taken.
        store::Store& store = self->store_;
        store.control().count(store::Counter::refreshes_dropped);
        delete self;
        store.line().finished();
        return true;
    }
    bool asking = ngx::guard(
        ngx_cycle->log, [&] { return self->asks_fleet(); },
        [] { return false; });
    if (asking) { self->store_.line().asking(self->waiting_); }
    if (!asking && self->only_if_stored_) {
        self->end();
        return true;
    }
    return asking || self->run();
}

// True: this place in the line's share is taken until the fleet has answered.
bool BackgroundFetch::asks_fleet() {
    if (lease_.in_fleet) { return false; }
    // Where there is nothing to serve, a failure's back-off does not count.
    store::Over over = waiting_.kind == store::WaitingFetch::Kind::fill
                           ? store::Over::kept
                           : store::Over::nobody;
    return fleet_.begin(store_, key_, lease_,
                        {lease_end_ - store::wall_clock(), over, 0}, seen_);
}

void BackgroundFetch::on_fleet_answer(
    void* self, store::FleetClaim::Answer answer) noexcept {
    using Answer = store::FleetClaim::Answer;
    auto& fetch = *static_cast<BackgroundFetch*>(self);
    store::ControlZone& control = fetch.store_.control();
    store::FetchLine::answered(fetch.waiting_);
    if (fetch.only_if_stored_ &&
        (answer == Answer::alone || !fetch.fleet_.found())) {
        fetch.end();  // gives the lease back
        return;
    }
    switch (answer) {
    case Answer::ours:
    case Answer::alone:
        if (fetch.run()) { return; }
        control.count(store::Counter::refreshes_dropped);
        break;
    case Answer::newer:
        control.count(store::Counter::refreshes_elsewhere);
        if (fetch.take_newer()) { return; }
        break;
    case Answer::working:
    case Answer::kept:
        control.count(store::Counter::refreshes_elsewhere);
        break;
    }
    fetch.end();
}

// Another box has stored the item since it was seen here.
bool BackgroundFetch::take_newer() noexcept {
    if (!store_.memory().enabled()) { return false; }
    if (!key_.variant.empty()) {  // its next reader knows where to look
        store_.drop_copies(key_);
        return false;
    }
    fence_ = store_.control().fence(key_);
    bool asking = ngx::guard(
        ngx_cycle->log,
        [&] { return store_.redis()->get(key_, {}, on_newer, this, ticket_); },
        [] { return false; });
    if (asking) { store_.line().asking(waiting_); }
    return asking;
}

void BackgroundFetch::on_newer(void* self,
                               const store::RedisReply& reply) noexcept {
    auto& fetch = *static_cast<BackgroundFetch*>(self);
    store::FetchLine::answered(fetch.waiting_);
    if (reply.status == store::RedisReply::Status::found) {
        ngx::guard(
            ngx_cycle->log,
            [&] {
                const auto bytes =
                    fetch.store_.redis()->open(fetch.key_, reply.bytes);
                if (bytes && core::EntryView::check(*bytes, fetch.key_.text)) {
                    fetch.store_.replace(fetch.key_, *bytes, fetch.fence_,
                                         reply.asked);
                } else if (core::begins_vary_record(reply.bytes)) {
                    fetch.store_.drop_copies(fetch.key_);
                }
            },
            [] {});
    }
    fetch.end();
}

void BackgroundFetch::end() noexcept {
    store::Store& store = store_;
    delete this;
    store.line().finished();
}

bool BackgroundFetch::run() noexcept {
    // The lease bounds the fetch: nobody else tries before it ends.
    asked_ = store::wall_clock();
    began_ = store_.control().fetch_number();
    core::Millis left = std::max<core::Millis>(lease_end_ - asked_, 1);
    detached_->set_owner(this, on_finished);
    running_ = true;
    if (detached_->start(static_cast<ngx_msec_t>(left))) { return true; }
    running_ = false;
    return false;
}

void BackgroundFetch::drop(store::WaitingFetch& waiting) noexcept {
    delete static_cast<Waiting&>(waiting).owner;
}

ngx_int_t BackgroundFetch::on_header(ngx_http_request_t& r) {
    // nginx must not send a second answer when the rest of this one fails.
    r.header_sent = 1;
    if (capture_ != nullptr) {
        // 412 or 416: another response under the same header.
        redirects.by_error_page = true;
        return NGX_OK;
    }
    capture_ = std::make_unique<Capture>(asked_, began_);
    Capture::Circumstances circumstances;
    circumstances.by_accel_redirect = redirects.by_accel_redirect;
    circumstances.no_store =
        ngx_http_test_predicates(&r, conf_.no_store) == NGX_DECLINED;
    circumstances.key = key_.text;
    circumstances.is_secure = is_secure_;
    capture_->begin(r, conf_, circumstances, stored_ ? &*stored_ : nullptr);
    ngx_int_t rc = go_on(r.headers_out.content_length_n);
    // Those who wait for the item need not wait for the rest.
    if (ended_early_) { settle(r); }
    return rc;
}

// What will not be stored is read to its end when that is near, so that the
// connection to the origin can be kept; an endless stream is not.
ngx_int_t BackgroundFetch::go_on(off_t rest) noexcept {
    constexpr off_t near = 64 * 1024;
    if (capture_->refused() == core::Reason::none ||
        capture_->status() == NGX_HTTP_NOT_MODIFIED) {
        return NGX_OK;
    }
    ended_early_ = true;
    return rest != -1 && rest <= near ? NGX_OK : NGX_ERROR;
}

ngx_int_t BackgroundFetch::on_body(ngx_http_request_t& r,
                                   ngx_chain_t* in) noexcept {
    if (capture_ == nullptr) {
        ngx::consume(in);
        return NGX_OK;
    }
    bool was_refused = capture_->refused() != core::Reason::none;
    capture_->add(in);
    ngx::consume(in);
    // All that decides is known, unless a subrequest has yet to print. The
    // request itself may go on for long: mirrors are waited for.
    if (capture_->complete() && r.postponed == nullptr) {
        ngx::guard(
            r.connection->log, [&] { settle(r); }, [&] { give_up(); });
    }
    // Only now too large, maybe.
    return was_refused ? NGX_OK : go_on(-1);
}

core::FetchOutcome BackgroundFetch::outcome(const ngx_http_request_t& r) const {
    core::FetchFacts facts;
    facts.status = capture_->status();
    facts.stored_status = stored_status_;
    facts.complete = (capture_->complete() || ended_early_) &&
                     !ngx::DetachedRequest::leaked(r);
    facts.conditional = conditional_ && capture_->confirms();
    facts.from_error_page = redirects.by_error_page;
#if (NGX_HTTP_CACHE)
    if (r.upstream != nullptr) {
        facts.nested_stale =
            r.upstream->cache_status == NGX_HTTP_CACHE_STALE ||
            r.upstream->cache_status == NGX_HTTP_CACHE_UPDATING;
    }
#endif
    return core::fetch_outcome(facts, capture_->verdict());
}

void BackgroundFetch::give_up() noexcept {
    store_.keep(key_, std::exchange(lease_, {}));
    store_.control().count(store::Counter::refreshes_failed);
}

void BackgroundFetch::settle(ngx_http_request_t& r) {
    if (std::exchange(settled_, true)) { return; }
    detached_->set_answered();
    if (capture_ == nullptr || !capture_->begun() ||
        capture_->refused_by_directive()) {
        give_up();
        return;
    }

    store::ControlZone& control = store_.control();
    const std::vector<core::Field> fields = sent_fields(r);
    const core::Fields sent{fields.data(), fields.size()};
    std::string head;
    switch (outcome(r)) {
    case core::FetchOutcome::keep: give_up(); return;

    case core::FetchOutcome::replace: {
        store::Pieces entry = capture_->entry(key_.text, sent, head);
        if (store_.commit(key_, lease_, entry, capture_->keep_for())) {
            control.count(store::Counter::refreshes_stored);
        }
        break;
    }

    case core::FetchOutcome::renew: {
        store::Pieces entry = capture_->renewed(*stored_, sent, head);
        if (store_.commit(key_, lease_, entry, capture_->keep_for())) {
            control.count(store::Counter::refreshes_renewed);
        }
        break;
    }

    case core::FetchOutcome::remove_and_mark:
        control.mark_uncacheable(key_, uncacheable_ttl_of(r, conf_));
        [[fallthrough]];
    case core::FetchOutcome::remove:
        if (store_.commit_removal(key_, lease_)) {
            control.count(store::Counter::refreshes_removed);
        }
        ngx_log_error(NGX_LOG_INFO, r.connection->log, 0,
                      "cacheback: the item was removed, its new response "
                      "may not be stored (%*s)",
                      core::word(capture_->refused()).size(),
                      core::word(capture_->refused()).data());
        break;
    }
    lease_ = {};
}

void BackgroundFetch::on_finished(void* owner, ngx_http_request_t* r) noexcept {
    std::unique_ptr<BackgroundFetch> self(static_cast<BackgroundFetch*>(owner));
    store::Store& store = self->store_;
    try {
        if (r != nullptr) {
            self->settle(*r);
        } else {
            self->give_up();
        }
    } catch (const std::exception& e) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "cacheback: %s, a fetched response was not stored",
                      e.what());
        self->give_up();
    }
    self.reset();
    store.line().finished();
}

}  // namespace cacheback::http
