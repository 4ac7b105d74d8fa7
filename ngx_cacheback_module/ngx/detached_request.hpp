// ngx/detached_request.hpp: a request of our own on a connection of our own,
// which runs the content handler of somebody's location while no client is
// attached to it. docs/DESIGN.md, "The detached refresh", tells why each field
// is what it is.
//
// Made in two steps: create() copies all it needs from the client's request,
// at once and while that request lives; start() takes a connection and runs
// it, later. Between the two it may stand in a line.
#pragma once

#include "ngx.hpp"
#include "variable_plan.hpp"

namespace cacheback::ngx {

struct RequestField {
    std::string_view name;
    std::string_view value;
};

// Who gets the response of a detached request in place of a client, through
// the module's filters.
class ResponseTaker {
  public:
    virtual ngx_int_t on_header(ngx_http_request_t& r) = 0;
    virtual ngx_int_t on_body(ngx_chain_t* in) noexcept = 0;

  protected:
    ~ResponseTaker() = default;
};

class DetachedRequest {
  public:
    // Called once, when the request has ended in whatever way; `request` is
    // null when it was never started. Must not create connections: post it.
    using Finished = void (*)(void* owner, ngx_http_request_t* request);

    // A copy of `from` as a GET with exactly these request fields. Lives in a
    // pool of its own, which ends with it. Null when there is no memory.
    static DetachedRequest* create(ngx_http_request_t& from,
                                   const std::vector<RequestField>& fields,
                                   const VariablePlan& variables) noexcept;

    // Memory that lives until `finished` has been called.
    [[nodiscard]] ngx_pool_t& pool() noexcept { return *pool_; }
    [[nodiscard]] void* owner() const noexcept { return owner_; }
    void set_owner(void* owner, Finished finished) noexcept {
        owner_ = owner;
        finished_ = finished;
    }

    // Before start(): it is not `from` again but another place of its server,
    // also an internal one; found as nginx finds it, with all phases.
    [[nodiscard]] bool go_to(ngx_http_request_t& from, std::string_view uri,
                             std::string_view args) noexcept;
    // Its response goes there; without, to who knows it by owner().
    void set_taker(ResponseTaker* taker) noexcept { taker_ = taker; }
    // Of the detached request that `r` belongs to, if any.
    [[nodiscard]] static ResponseTaker* taker_of(
        const ngx_http_request_t& r) noexcept {
        DetachedRequest* detached = of(r);
        return detached == nullptr ? nullptr : detached->taker_;
    }

    // It enters the access log when it ends: the log phase runs for it.
    void enable_log() noexcept { logs_ = 1; }

    // It has done what it is for; what it still runs need not be told of when
    // the limit ends it.
    void set_answered() noexcept { answered_ = 1; }

    // Runs it from the next posted event on, for `limit` milliseconds at most.
    // False: it cannot start now (connections are short, the worker leaves, no
    // memory); then discard() it. Afterwards it belongs to nginx.
    [[nodiscard]] bool start(ngx_msec_t limit) noexcept;

    // Frees what was never started; calls `finished`.
    void discard() noexcept;

    // True when the request wrote past our filter (through a subrequest), so
    // what was captured is not the whole answer.
    [[nodiscard]] static bool leaked(const ngx_http_request_t& r) noexcept;

    // The detached request that `r` belongs to; null for a client's request.
    [[nodiscard]] static DetachedRequest* of(
        const ngx_http_request_t& r) noexcept;

    // Once per worker.
    static ngx_int_t open_worker(ngx_cycle_t& cycle) noexcept;
    static void close_worker() noexcept;

  private:
    DetachedRequest() = default;

    bool copy_request(ngx_http_request_t& from,
                      const std::vector<RequestField>& fields,
                      const VariablePlan& variables) noexcept;
    bool copy_connection(ngx_connection_t& from) noexcept;
    bool copy_captures(const ngx_http_request_t& from) noexcept;
    ngx_connection_t* open_connection() noexcept;
    bool fill(ngx_http_request_t& r) noexcept;
    bool fill_headers(ngx_http_request_t& r) noexcept;
    [[nodiscard]] bool repeats(ngx_uint_t index) const noexcept;

    static void on_event(ngx_event_t* event) noexcept;
    static void on_kick(ngx_event_t* event) noexcept;
    static void on_limit(ngx_event_t* event) noexcept;
    static void on_request_end(void* data) noexcept;

    ngx_buf_t buffer_;  // first: the connection's buffer leads back to us
    ngx_pool_t* pool_;
    void* owner_;
    Finished finished_;
    ResponseTaker* taker_;
    ngx_connection_t* connection_;
    ngx_http_connection_t http_connection_;
    ngx_log_t log_;
    ngx_http_log_ctx_t log_ctx_;
    ngx_event_t kick_;
    ngx_event_t limit_;

    // the client's connection
    struct sockaddr* sockaddr_;
    socklen_t socklen_;
    struct sockaddr* local_sockaddr_;
    socklen_t local_socklen_;
    ngx_str_t addr_text_;
    ngx_listening_t* listening_;

    // the client's request
    void** main_conf_;
    void** srv_conf_;
    void** loc_conf_;
    ngx_str_t uri_, args_, unparsed_uri_, request_line_, protocol_, schema_,
        server_;
    ngx_table_elt_t* fields_;
    ngx_uint_t fields_count_;
    ngx_http_variable_value_t* variables_;
    ngx_uint_t variables_count_;
    ngx_http_handler_pt content_handler_;
    ngx_int_t phase_handler_;
    ngx_uint_t http_version_;
    ngx_int_t host_field_;
    unsigned valid_unparsed_uri_ : 1;
    unsigned quoted_uri_ : 1;
    unsigned plus_in_uri_ : 1;
    unsigned empty_path_in_uri_ : 1;
    unsigned internal_ : 1;
    unsigned add_uri_to_alias_ : 1;
    unsigned finished_called_ : 1;
    unsigned logs_ : 1;
    unsigned answered_ : 1;
#if (NGX_PCRE)
    ngx_uint_t ncaptures_;
    int* captures_;
    u_char* captures_data_;
#endif
};

}  // namespace cacheback::ngx
