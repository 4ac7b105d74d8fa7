// http/capture.hpp: one response of the origin on its way into an entry.
#pragma once

#include <memory>
#include <string>

#include "../core/entry.hpp"
#include "../core/storability.hpp"
#include "../core/vary.hpp"
#include "../ngx/body_buffer.hpp"
#include "../ngx/ngx.hpp"
#include "../store/control/purge_marks.hpp"
#include "../store/memory/bytes.hpp"
#include "configuration.hpp"

namespace cacheback::http {

class Capture {
  public:
    // When the origin was asked, and which purge of tags had been the last.
    Capture(core::Millis started, store::PurgeNumber began) noexcept
        : started_(started), began_(began) {}

    // What judging a response needs to know about its request.
    struct Circumstances {
        bool had_cookie = false;
        bool by_accel_redirect = false;
        bool no_store = false;   // cacheback_no_store said so
        std::string_view key;    // of the item, for cacheback_jitter
        bool by_head = false;    // a HEAD's answer, for the GET that is stored
        bool is_secure = false;  // the client's request
    };

    // Why the response of `r`, taken as one with `status`, may not be stored.
    [[nodiscard]] static core::Reason judge(ngx_http_request_t& r,
                                            const LocationConf& conf,
                                            const Circumstances& circumstances,
                                            ngx_uint_t status,
                                            core::Millis now);

    // The response header has come, raw: decides whether it may be stored.
    // From then on refused() tells, and add() collects. A 304 is judged as the
    // entry it renews: `stored`, null when there is none.
    void begin(ngx_http_request_t& r, const LocationConf& conf,
               const Circumstances& circumstances,
               const core::EntryView* stored);

    // A part of the body. After a refusal it does nothing.
    void add(const ngx_chain_t* in) noexcept;

    // Gives up: what was collected is dropped at once.
    void refuse(core::Reason reason) noexcept;

    [[nodiscard]] bool begun() const noexcept { return begun_; }
    [[nodiscard]] core::Reason refused() const noexcept {
        return verdict_.refused;
    }
    // By cacheback_no_store: this answer is not stored, which says nothing
    // about the next one.
    [[nodiscard]] bool refused_by_directive() const noexcept {
        return refused_by_directive_;
    }
    [[nodiscard]] const core::Storability& verdict() const noexcept {
        return verdict_;
    }
    [[nodiscard]] unsigned status() const noexcept { return status_; }
    // It is a 304 or the answer to a HEAD, and about the very entry that is
    // stored.
    [[nodiscard]] bool confirms() const noexcept { return confirms_; }
    // How much of the body has passed.
    [[nodiscard]] off_t seen() const noexcept { return seen_; }
    // The last buffer was seen and the length is the announced one.
    [[nodiscard]] bool complete() const noexcept;

    // The entry: its head is written into `head`, the pieces show `head` and
    // the body and last as long as both. Only when complete and not refused.
    // `request` are the fields the origin was sent (for Vary).
    [[nodiscard]] store::Pieces entry(std::string_view key,
                                      core::Fields request,
                                      std::string& head) const;
    // The entry that a 304 renews, likewise.
    [[nodiscard]] store::Pieces renewed(const core::EntryView& stored,
                                        core::Fields request,
                                        std::string& head) const;
    // How long after now both tiers keep it.
    [[nodiscard]] core::Millis keep_for() const noexcept;

  private:
    [[nodiscard]] core::EntryMeta meta() const noexcept;

    core::Millis started_;
    store::PurgeNumber began_;
    core::Millis received_ = 0;
    unsigned status_ = 0;
    bool begun_ = false;
    bool last_seen_ = false;
    bool ignores_vary_ = false;
    bool confirms_ = false;
    bool refused_by_directive_ = false;
    off_t announced_ = -1;
    core::Storability verdict_;
    off_t seen_ = 0;                   // bytes of the body, collected or not
    std::vector<core::Field> origin_;  // views into the request's memory
    std::vector<core::Field> fields_;  // likewise
    core::Seconds date_ = core::no_time;
    core::Seconds last_modified_ = core::no_time;
    // Its groups as tags; of a 304 without any, nothing: it keeps its own.
    std::optional<std::string> tags_;
    ngx::BodyBuffer body_;
};

}  // namespace cacheback::http
