#include "capture.hpp"

#include "../core/cache_groups.hpp"
#include "../core/http_date.hpp"
#include "../core/jitter.hpp"
#include "../core/renewal.hpp"
#include "../core/uri_reference.hpp"
#include "../ngx/pool.hpp"
#include "field_lists.hpp"
#include "origin_fields.hpp"

namespace cacheback::http {

namespace {

core::Fields as_fields(const std::vector<core::Field>& fields) noexcept {
    return {fields.data(), fields.size()};
}

struct Facts {
    core::RequestFacts request;
    core::ResponseFacts response;
};

Facts facts_of(const ngx_http_request_t& r,
               const Capture::Circumstances& circumstances, core::Fields fields,
               unsigned status, core::Millis delay) noexcept {
    Facts facts;
    facts.request.had_cookie = circumstances.had_cookie;
    facts.request.had_authorization = r.headers_in.authorization != nullptr;
    facts.request.delay = delay;
    facts.response.status = status;
    facts.response.fields = fields;
    facts.response.by_accel_redirect = circumstances.by_accel_redirect;
    facts.response.has_trailers = r.expect_trailers;
    return facts;
}

bool is_cookie(const core::Field& field) noexcept {
    return core::iequal(field.name, "Set-Cookie");
}

}  // namespace

core::Reason Capture::judge(ngx_http_request_t& r, const LocationConf& conf,
                            const Circumstances& circumstances,
                            ngx_uint_t status, core::Millis now) {
    if (circumstances.no_store) { return core::Reason::no_store; }
    std::vector<core::Field> fields = origin_fields(r);
    Facts facts = facts_of(r, circumstances, as_fields(fields),
                           static_cast<unsigned>(status), 0);
    return core::judge(facts.request, facts.response,
                       policy_of(r, conf, status), now)
        .refused;
}

void Capture::begin(ngx_http_request_t& r, const LocationConf& conf,
                    const Circumstances& circumstances,
                    const core::EntryView* stored) {
    begun_ = true;
    received_ = store::wall_clock();
    status_ = static_cast<unsigned>(r.headers_out.status);
    announced_ = r.headers_out.content_length_n;

    origin_ = origin_fields(r);
    const auto [request, response] = facts_of(
        r, circumstances, as_fields(origin_), status_, received_ - started_);

    bool renews = stored != nullptr &&
                  (status_ == NGX_HTTP_NOT_MODIFIED || circumstances.by_head);
    core::Policy policy =
        policy_of(r, conf, renews ? stored->meta.status : status_);
    ignores_vary_ = (policy.ignore & core::ignore_vary) != 0;
    verdict_ = renews ? core::judge_renewal(*stored, request, response, policy,
                                            received_)
                      : core::judge(request, response, policy, received_);
    // A lifetime that only goes on was shortened when it began.
    if (!renews || verdict_.lifetime_named || policy.lifetime) {
        core::apply_jitter(verdict_.windows, circumstances.key,
                           static_cast<unsigned>(conf.jitter));
    }
    confirms_ =
        renews && (circumstances.by_head
                       ? core::describes(*stored, response.fields, received_)
                       : core::confirms(*stored, response.fields, received_));
    if (circumstances.no_store && verdict_.may_store()) {
        refuse(core::Reason::no_store);
        refused_by_directive_ = true;
    }

    if (core::find(response.fields, "Cache-Groups") != nullptr) {
        const core::Groups groups = core::read_groups(
            response.fields, "Cache-Groups",
            core::origin_of(circumstances.is_secure ? "https" : "http",
                            authority_of(r)));
        if (groups.too_many && verdict_.may_store()) {
            refuse(core::Reason::tags);
        }
        tags_ = core::joined(groups.words);
    }

    std::size_t most = max_size_of(conf);
    if (verdict_.may_store() && announced_ > static_cast<off_t>(most)) {
        refuse(core::Reason::too_large);
    }
    if (!verdict_.may_store()) { return; }

    fields_ = delivered_fields(r, received_ / core::second);
    if ((policy.ignore & core::ignore_set_cookie) != 0) {
        fields_.erase(std::remove_if(fields_.begin(), fields_.end(), is_cookie),
                      fields_.end());
    }
    date_ = received_ / core::second;
    for (const core::Field& field : fields_) {
        if (field.name == "Date") {
            if (auto date = core::parse_http_date(field.value,
                                                  received_ / core::second)) {
                date_ = *date;
            }
        }
    }
    last_modified_ = r.headers_out.last_modified_time;
    body_.expect(most,
                 announced_ > 0 ? static_cast<std::size_t>(announced_) : 0);
}

void Capture::refuse(core::Reason reason) noexcept {
    verdict_.refused = reason;
    body_.clear();
}

void Capture::add(const ngx_chain_t* in) noexcept {
    for (; in != nullptr; in = in->next) {
        if (in->buf->last_buf) { last_seen_ = true; }
        seen_ += ngx_buf_size(in->buf);
        if (!verdict_.may_store()) { continue; }

        switch (body_.add(*in->buf)) {
        case ngx::BodyBuffer::Added::yes: break;
        case ngx::BodyBuffer::Added::too_large:
            refuse(core::Reason::too_large);
            break;
        case ngx::BodyBuffer::Added::busy: refuse(core::Reason::busy); break;
        case ngx::BodyBuffer::Added::unreadable:
            refuse(core::Reason::incomplete);
            break;
        }
    }
}

bool Capture::complete() const noexcept {
    return last_seen_ && (announced_ == -1 || seen_ == announced_);
}

core::EntryMeta Capture::meta() const noexcept {
    core::EntryMeta meta;
    meta.status = static_cast<std::uint16_t>(status_);
    meta.stored = received_;
    meta.sequence = began_.value();
    meta.windows = verdict_.windows;
    meta.date = date_;
    meta.last_modified = last_modified_;
    meta.fetch_ms = static_cast<std::uint32_t>(
        std::clamp<core::Millis>(received_ - started_, 0, 0xffffffff));
    return meta;
}

core::Millis Capture::keep_for() const noexcept {
    return core::kept_for(verdict_.windows);
}

store::Pieces Capture::entry(std::string_view key, core::Fields request,
                             std::string& head) const {
    store::Pieces pieces;
    pieces.emplace_back();  // the head's place
    body_.append_to(pieces);

    core::EntryParts parts;
    parts.meta = meta();
    parts.meta.body_size = static_cast<std::uint32_t>(body_.size());
    for (std::size_t i = 1; i < pieces.size(); i++) {
        parts.body_checksum = core::crc32c(parts.body_checksum, pieces[i]);
    }
    std::string vary =
        core::make_vary(as_fields(origin_), request, ignores_vary_);
    parts.key = key;
    parts.vary = vary;
    if (tags_) { parts.tags = *tags_; }
    parts.fields = as_fields(fields_);
    parts.received = as_fields(origin_);
    head = core::make_head(parts);
    pieces[0] = head;
    return pieces;
}

store::Pieces Capture::renewed(const core::EntryView& stored,
                               core::Fields request, std::string& head) const {
    core::EntryMeta renewed = meta();
    renewed.status = stored.meta.status;
    renewed.body_size = stored.meta.body_size;
    if (renewed.last_modified == core::no_time) {
        renewed.last_modified = stored.meta.last_modified;
    }
    const std::string_view tags = tags_ ? *tags_ : stored.tags();
    const std::string vary = core::renewed_vary(
        stored.vary(), as_fields(origin_), request, ignores_vary_);
    head = core::renew_head(stored, renewed, vary, tags, as_fields(fields_),
                            as_fields(origin_));

    store::Pieces pieces{head};
    if (!stored.body().empty()) { pieces.push_back(stored.body()); }
    return pieces;
}

}  // namespace cacheback::http
