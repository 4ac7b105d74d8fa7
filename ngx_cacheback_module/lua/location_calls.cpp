// lua/location_calls.cpp: the response of a location, for who caches it as a
// value (location_job).
#include "../core/text.hpp"
#include "../ngx/body_buffer.hpp"
#include "../ngx/detached_request.hpp"
#include "../ngx/pool.hpp"
#include "handle.hpp"
#include "value_entry.hpp"

namespace cacheback::lua {

namespace {

// Belongs to the handle until it runs, then to the request; the handle may go
// before that has ended, and then nobody wants the response.
class Visit final : public ngx::ResponseTaker {
  public:
    enum class Outcome : unsigned char { pending, whole, too_large, failed };

    Visit(ngx::DetachedRequest& request, std::size_t limit) noexcept
        : request_(request) {
        body_.expect(limit, 0);
        request_.set_taker(this);
        request_.set_owner(this, on_finished);
    }

    [[nodiscard]] bool start(ngx_msec_t limit, Signal signal) noexcept {
        if (started_) { return false; }
        signal_ = signal;
        started_ = request_.start(limit);
        return started_;
    }

    // Lua no longer holds it.
    void leave() noexcept {
        left_ = true;
        if (!started_) {
            request_.discard();  // and so to on_finished()
        } else if (outcome_ != Outcome::pending) {
            delete this;
        }
    }

    ngx_int_t on_header(ngx_http_request_t& r) override {
        // nginx must not send a second answer when the rest of this one fails.
        r.header_sent = 1;
        if (status_ != 0) {  // 412 or 416 in its place: not what was asked for
            broken_ = true;
            return NGX_OK;
        }
        status_ = static_cast<int>(r.headers_out.status);
        announced_ = r.headers_out.content_length_n;
        note("Content-Type", ngx::view(r.headers_out.content_type));
        for (const ngx_list_part_t* part = &r.headers_out.headers.part;
             part != nullptr; part = part->next) {
            auto* fields = static_cast<ngx_table_elt_t*>(part->elts);
            for (ngx_uint_t i = 0; i < part->nelts; i++) {
                if (fields[i].hash == 0) { continue; }
                note(ngx::view(fields[i].key), ngx::view(fields[i].value));
            }
        }
        return NGX_OK;
    }

    ngx_int_t on_body(ngx_chain_t* in) noexcept override {
        using Added = ngx::BodyBuffer::Added;
        for (; in != nullptr; in = in->next) {
            ngx_buf_t& buf = *in->buf;
            if (buf.last_buf) { last_seen_ = true; }
            switch (broken_ || too_large_ ? Added::yes : body_.add(buf)) {
            case Added::yes: break;
            case Added::too_large: too_large_ = true; break;
            case Added::busy:
            case Added::unreadable: broken_ = true; break;
            }
            buf.pos = buf.last;
            buf.file_pos = buf.file_last;
        }
        return broken_ || too_large_ ? NGX_ERROR : NGX_OK;
    }

    [[nodiscard]] Outcome outcome() const noexcept { return outcome_; }
    [[nodiscard]] int status() const noexcept { return status_; }
    [[nodiscard]] std::string_view fields() const noexcept { return fields_; }
    [[nodiscard]] std::string_view whole_body() const noexcept {
        return whole_;
    }

  private:
    ~Visit() = default;

    // What is for one client alone is for nobody here.
    void note(std::string_view name, std::string_view value) {
        if (name.empty() || value.empty() || core::iequal(name, "Set-Cookie") ||
            core::iequal(name, "Connection")) {
            return;
        }
        fields_.append(name).append(": ").append(value).append("\n");
    }

    void end(ngx_http_request_t* r) {
        std::vector<std::string_view> pieces;
        body_.append_to(pieces);
        whole_.reserve(body_.size());
        for (std::string_view piece : pieces) { whole_.append(piece); }
        body_.clear();
        const bool is_whole =
            r != nullptr && status_ != 0 && !broken_ &&
            (last_seen_ || r->header_only) &&
            !ngx::DetachedRequest::leaked(*r) &&
            (announced_ == -1 ||
             static_cast<std::size_t>(announced_) == whole_.size());
        outcome_ = is_whole ? Outcome::whole : Outcome::failed;
    }

    static void on_finished(void* owner, ngx_http_request_t* r) noexcept {
        auto* self = static_cast<Visit*>(owner);
        if (self->left_) {
            delete self;
            return;
        }
        self->outcome_ = Outcome::failed;
        (void)guarded(
            [&] {
                self->end(r);
                return 0;
            },
            0);
        if (self->too_large_) { self->outcome_ = Outcome::too_large; }
        self->signal_.send();
    }

    ngx::DetachedRequest& request_;
    Signal signal_{nullptr};
    Outcome outcome_ = Outcome::pending;
    bool started_ = false;
    bool left_ = false;
    bool last_seen_ = false;
    bool too_large_ = false;
    bool broken_ = false;
    int status_ = 0;
    off_t announced_ = -1;
    std::string fields_;
    ngx::BodyBuffer body_;
    std::string whole_;
};

class VisitHandle : public Handle {
  public:
    VisitHandle(store::Store& store, Visit& visit) noexcept
        : Handle(store), visit_(visit) {}
    ~VisitHandle() override { visit_.leave(); }
    [[nodiscard]] Visit& visit() noexcept { return visit_; }

  private:
    Visit& visit_;
};

int prepare(ngx_http_request_t& r, store::Store& store, std::string_view uri,
            std::string_view args, std::string_view host) {
    // Decoded, and parted from its own arguments, as nginx does for Lua's
    // subrequests.
    ngx_str_t path;
    ngx_str_t more = ngx_null_string;
    ngx_uint_t flags = 0;
    if (!ngx::copy(*r.pool, path, uri) ||
        ngx_http_parse_unsafe_uri(&r, &path, &more, &flags) != NGX_OK) {
        return 0;
    }
    std::string all(ngx::view(more));
    if (!all.empty() && !args.empty()) { all += '&'; }
    all += args;

    const ngx::VariablePlan none;
    const std::vector<ngx::RequestField> fields = {{"Host", host}};
    auto* request = ngx::DetachedRequest::create(r, fields, none);
    if (request == nullptr) { return 0; }
    if (!request->go_to(r, ngx::view(path), all)) {
        request->discard();
        return 0;
    }
    auto* visit = new Visit(*request, store.settings.max_entry);
    return Handles::add(std::make_unique<VisitHandle>(store, *visit), nullptr);
}

}  // namespace

}  // namespace cacheback::lua

using namespace cacheback::lua;

int ngx_http_cacheback_lua_locate(void* request, void* store, const char* uri,
                                  std::size_t uri_size, const char* args,
                                  std::size_t args_size, const char* host,
                                  std::size_t host_size) {
    return guarded(
        [&] {
            return prepare(*static_cast<ngx_http_request_t*>(request),
                           as_store(store), {uri, uri_size}, {args, args_size},
                           {host, host_size});
        },
        0);
}

int ngx_http_cacheback_lua_visit(int handle, double limit, void* semaphore) {
    auto* held = Handles::get<VisitHandle>(handle);
    if (held == nullptr) { return 0; }
    const auto length = static_cast<ngx_msec_t>(
        std::clamp<cacheback::core::Millis>(to_millis(limit), 1, 0x7fffffff));
    return held->visit().start(length, Signal(semaphore)) ? 1 : 0;
}

int ngx_http_cacheback_lua_response(
    int handle, ngx_http_cacheback_lua_response_t* response) {
    auto* held = Handles::get<VisitHandle>(handle);
    if (held == nullptr) { return ngx_http_cacheback_lua_unavailable; }
    const Visit& visit = held->visit();
    switch (visit.outcome()) {
    case Visit::Outcome::pending: return ngx_http_cacheback_lua_pending;
    case Visit::Outcome::too_large: return ngx_http_cacheback_lua_too_large;
    case Visit::Outcome::failed: return ngx_http_cacheback_lua_unavailable;
    case Visit::Outcome::whole: break;
    }
    response->status = visit.status();
    response->fields = visit.fields().data();
    response->fields_size = visit.fields().size();
    response->body = visit.whole_body().data();
    response->body_size = visit.whole_body().size();
    return 1;
}
