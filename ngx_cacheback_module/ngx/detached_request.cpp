#include "detached_request.hpp"

#include <fcntl.h>

#include "pool.hpp"

namespace cacheback::ngx {

namespace {

// What every detached connection has as its socket: never read or written,
// never handed to the event method, closed once with the worker.
ngx_socket_t idle_fd = -1;

ssize_t receive_nothing(ngx_connection_t*, u_char*, size_t) {
    return NGX_AGAIN;
}

ssize_t receive_chain_nothing(ngx_connection_t*, ngx_chain_t*, off_t) {
    return NGX_AGAIN;
}

ssize_t sink(ngx_connection_t* c, u_char*, size_t size) {
    c->sent += static_cast<off_t>(size);
    return static_cast<ssize_t>(size);
}

// Consumes what reaches the wire. Our filter, first in the chain, lets nothing
// of the main request come here; bytes that do come are a subrequest's, and
// `c->sent` tells (see leaked()). Also the mark by which of() knows its own.
ngx_chain_t* sink_chain(ngx_connection_t* c, ngx_chain_t* in, off_t) {
    for (; in != nullptr; in = in->next) {
        ngx_buf_t* b = in->buf;
        c->sent += ngx_buf_size(b);
        if (ngx_buf_in_memory(b)) { b->pos = b->last; }
        if (b->in_file) { b->file_pos = b->file_last; }
    }
    return nullptr;
}

// nginx was built from other sources than the headers this module was compiled
// with when a bit of ngx_connection_s is not where we think: then closing a
// shared connection closes the descriptor (docs/DESIGN.md, "Same version, other
// layout"). Nothing else tells before clients are hurt.
bool layout_agrees(ngx_log_t* log) noexcept {
    ngx_socket_t fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd == -1) { return false; }

    ngx_connection_t* c = ngx_get_connection(fd, log);
    if (c == nullptr) {
        ::close(fd);
        return false;
    }
    c->shared = 1;
    c->read->log = log;
    c->write->log = log;
    ngx_close_connection(c);

    if (::fcntl(fd, F_GETFD) == -1) { return false; }
    ::close(fd);
    return true;
}

}  // namespace

ngx_int_t DetachedRequest::open_worker(ngx_cycle_t& cycle) noexcept {
    if (idle_fd != -1) { return NGX_OK; }

    if (!layout_agrees(cycle.log)) {
        ngx_log_error(NGX_LOG_EMERG, cycle.log, 0,
                      "cacheback: this module was built for another build of "
                      "nginx %s (structures differ though the version does "
                      "not), expected a module compiled against the sources "
                      "of this very binary",
                      NGINX_VERSION);
        return NGX_ERROR;
    }

    idle_fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (idle_fd == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle.log, ngx_errno,
                      "cacheback: open() \"/dev/null\" failed");
        return NGX_ERROR;
    }
    return NGX_OK;
}

void DetachedRequest::close_worker() noexcept {
    if (idle_fd == -1) { return; }
    ::close(idle_fd);
    idle_fd = -1;
}

DetachedRequest* DetachedRequest::of(const ngx_http_request_t& r) noexcept {
    ngx_connection_t* c = r.connection;
    if (c->send_chain != sink_chain) { return nullptr; }
    return reinterpret_cast<DetachedRequest*>(c->buffer);
}

bool DetachedRequest::leaked(const ngx_http_request_t& r) noexcept {
    return r.connection->sent != 0 || r.out != nullptr;
}

// ------------------------------------------------------------------- start

ngx_connection_t* DetachedRequest::open_connection() noexcept {
    // ngx_get_connection would drop idle clients to find a place for us, and
    // the content handler needs one more for its upstream.
    if (ngx_exiting || ngx_terminate || idle_fd == -1 ||
        ngx_cycle->free_connection_n <= ngx_cycle->connection_n / 4) {
        return nullptr;
    }

    // Event methods with a table by descriptor must not find us in it.
    ngx_connection_t* held =
        ngx_cycle->files != nullptr ? ngx_cycle->files[idle_fd] : nullptr;
    ngx_connection_t* c = ngx_get_connection(idle_fd, ngx_cycle->log);
    if (ngx_cycle->files != nullptr) { ngx_cycle->files[idle_fd] = held; }
    if (c == nullptr) { return nullptr; }

    c->shared = 1;  // closing neither closes the fd nor tells the event method
    c->pool = pool_;
    c->log = &log_;
    c->log_error = NGX_ERROR_INFO;
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
    c->type = SOCK_STREAM;
    c->listening = listening_;
    c->sockaddr = sockaddr_;
    c->socklen = socklen_;
    c->local_sockaddr = local_sockaddr_;
    c->local_socklen = local_socklen_;
    c->addr_text = addr_text_;
    c->buffer = &buffer_;
    c->recv = receive_nothing;
    c->recv_chain = receive_chain_nothing;
    c->send = sink;
    c->send_chain = sink_chain;
    c->tcp_nodelay = NGX_TCP_NODELAY_DISABLED;
    c->tcp_nopush = NGX_TCP_NOPUSH_DISABLED;
    c->sndlowat = 1;
    c->start_time = ngx_current_msec;
    c->data = &http_connection_;

    log_ctx_.connection = c;
    log_ctx_.request = nullptr;
    log_ctx_.current_request = nullptr;
    log_.data = &log_ctx_;
    log_.connection = c->number;
    log_.action = const_cast<char*>("refreshing a cached response");
    pool_->log = &log_;

    // A client that takes everything at once and never says a word: these
    // values make ngx_handle_*_event() do nothing with any event method.
    c->write->handler = on_event;
    c->write->log = &log_;
    c->write->ready = 1;
    c->write->active = (ngx_event_flags & NGX_USE_CLEAR_EVENT) ? 1 : 0;
    c->read->handler = on_event;
    c->read->log = &log_;
    c->read->ready = 0;
    c->read->active = 1;
    c->read->eof = 1;  // nothing to linger for at the end
    return c;
}

bool DetachedRequest::start(ngx_msec_t limit) noexcept {
    ngx_connection_t* c = open_connection();
    if (c == nullptr) { return false; }

    ngx_http_request_t* r = ngx_http_create_request(c);
    if (r == nullptr) {
        pool_->log = ngx_cycle->log;
        ngx_close_connection(c);
        return false;
    }

#if (NGX_STAT_STUB)
    // stub_status counts clients: end where we began.
    (void)ngx_atomic_fetch_add(ngx_stat_active, 1);
    (void)ngx_atomic_fetch_add(ngx_stat_reading, -1);
    r->stat_reading = 0;
    (void)ngx_atomic_fetch_add(ngx_stat_writing, 1);
    r->stat_writing = 1;
    (void)ngx_atomic_fetch_add(ngx_stat_requests, -1);
#endif

    c->data = r;
    connection_ = c;
    r->logged = 1;

    ngx_http_cleanup_t* cleanup = nullptr;
    if (fill(*r)) { cleanup = ngx_http_cleanup_add(r, 0); }
    if (cleanup == nullptr) {
        // Nothing of it has run: take it down by the ordinary way out, which
        // frees us too.
        finished_called_ = 1;
        if (finished_ != nullptr) { finished_(owner_, nullptr); }
        ngx_http_finalize_request(r, NGX_ERROR);
        ngx_http_run_posted_requests(c);
        return true;
    }
    cleanup->data = this;
    cleanup->handler = on_request_end;
    if (logs_) { r->logged = 0; }

    limit_.data = this;
    limit_.handler = on_limit;
    limit_.log = &log_;
    ngx_add_timer(&limit_, limit);

    kick_.data = this;
    kick_.handler = on_kick;
    kick_.log = &log_;
    ngx_post_event(&kick_, &ngx_posted_events);
    return true;
}

bool DetachedRequest::fill(ngx_http_request_t& r) noexcept {
    r.main_conf = main_conf_;
    r.srv_conf = srv_conf_;
    r.loc_conf = loc_conf_;

    r.method = NGX_HTTP_GET;
    r.method_name = ngx_http_core_get_method;
    r.http_version = http_version_;
    r.http_protocol = protocol_;
    r.request_line = request_line_;
    r.schema = schema_;
    r.uri = uri_;
    r.args = args_;
    r.unparsed_uri = unparsed_uri_;
    r.valid_unparsed_uri = valid_unparsed_uri_;
    r.quoted_uri = quoted_uri_;
    r.plus_in_uri = plus_in_uri_;
    r.empty_path_in_uri = empty_path_in_uri_;
    r.internal = internal_;
    r.add_uri_to_alias = add_uri_to_alias_;
    r.valid_location = 1;
    ngx_http_set_exten(&r);

#if (NGX_PCRE)
    r.ncaptures = ncaptures_;
    r.captures = captures_;
    r.captures_data = captures_data_;
    r.realloc_captures = 1;
#endif

    if (!fill_headers(r)) { return false; }
    ngx_memcpy(r.variables, variables_,
               variables_count_ * sizeof(ngx_http_variable_value_t));

    r.headers_in.content_length_n = -1;
    r.headers_in.connection_type = NGX_HTTP_CONNECTION_CLOSE;
    r.keepalive = 0;
    r.lingering_close = 0;
    r.expect_tested = 1;
    r.http_state = NGX_HTTP_PROCESS_REQUEST_STATE;

    ngx_http_update_location_config(&r);
    r.content_handler = content_handler_;
    r.phase_handler = phase_handler_;
    r.read_event_handler = ngx_http_block_reading;
    r.write_event_handler = ngx_http_core_run_phases;
    return true;
}

// Whether a field before this one has its name, and nginx keeps no list of it.
bool DetachedRequest::repeats(ngx_uint_t index) const noexcept {
    std::string_view name(reinterpret_cast<char*>(fields_[index].lowcase_key),
                          fields_[index].key.len);
    if (name == "cookie" || name == "x-forwarded-for") { return false; }
    for (ngx_uint_t i = 0; i < index; i++) {
        std::string_view other(reinterpret_cast<char*>(fields_[i].lowcase_key),
                               fields_[i].key.len);
        if (name == other) { return true; }
    }
    return false;
}

bool DetachedRequest::fill_headers(ngx_http_request_t& r) noexcept {
    if (ngx_list_init(&r.headers_in.headers, r.pool,
                      std::max<ngx_uint_t>(fields_count_, 1),
                      sizeof(ngx_table_elt_t)) != NGX_OK) {
        return false;
    }

    auto* core = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_get_module_main_conf((&r), ngx_http_core_module));
    for (ngx_uint_t i = 0; i < fields_count_; i++) {
        auto* field =
            static_cast<ngx_table_elt_t*>(ngx_list_push(&r.headers_in.headers));
        if (field == nullptr) { return false; }
        *field = fields_[i];

        // Host's own handler would choose the virtual server again.
        if (view(field->key).size() == 4 &&
            ngx_strncmp(field->lowcase_key, "host", 4) == 0) {
            r.headers_in.host = field;
            continue;
        }
        // A second one that must be the only one would end the request.
        if (repeats(i)) { continue; }
        auto* known = static_cast<ngx_http_header_t*>(
            ngx_hash_find(&core->headers_in_hash, field->hash,
                          field->lowcase_key, field->key.len));
        // Knows where the typed pointer stands, whatever the version.
        if (known != nullptr && known->handler != nullptr &&
            known->handler(&r, field, known->offset) != NGX_OK) {
            return false;
        }
    }
    r.headers_in.server = server_;
    return true;
}

void DetachedRequest::discard() noexcept {
    if (!finished_called_ && finished_ != nullptr) {
        finished_called_ = 1;
        finished_(owner_, nullptr);
    }
    ngx_destroy_pool(pool_);
}

// ------------------------------------------------------------------ events

void DetachedRequest::on_kick(ngx_event_t* event) noexcept {
    auto* self = static_cast<DetachedRequest*>(event->data);
    ngx_connection_t* c = self->connection_;
    auto* r = static_cast<ngx_http_request_t*>(c->data);
    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}

// What nginx's own, private, handler does for clients.
void DetachedRequest::on_event(ngx_event_t* event) noexcept {
    auto* c = static_cast<ngx_connection_t*>(event->data);
    auto* r = static_cast<ngx_http_request_t*>(c->data);

    auto* log_ctx = static_cast<ngx_http_log_ctx_t*>(c->log->data);
    log_ctx->current_request = r;

    if (c->close) {
        r->main->count++;
        ngx_http_finalize_request(r->main, NGX_ERROR);
        ngx_http_run_posted_requests(c);
        return;
    }
    if (event->delayed && event->timedout) {
        event->delayed = 0;
        event->timedout = 0;
    }
    if (event->write) {
        r->write_event_handler(r);
    } else {
        r->read_event_handler(r);
    }
    ngx_http_run_posted_requests(c);
}

void DetachedRequest::on_limit(ngx_event_t* event) noexcept {
    auto* self = static_cast<DetachedRequest*>(event->data);
    ngx_connection_t* c = self->connection_;
    if (!self->answered_) {
        ngx_log_error(NGX_LOG_WARN, &self->log_, 0,
                      "cacheback: a background fetch took longer than "
                      "cacheback_refresh_timeout and was ended, the stored "
                      "response stays");
    }
    c->error = 1;
    c->close = 1;
    c->read->handler(c->read);
}

void DetachedRequest::on_request_end(void* data) noexcept {
    auto* self = static_cast<DetachedRequest*>(data);
    if (self->limit_.timer_set) { ngx_del_timer(&self->limit_); }
    if (self->kick_.posted) { ngx_delete_posted_event(&self->kick_); }
    if (!self->finished_called_ && self->finished_ != nullptr) {
        self->finished_called_ = 1;
        auto* r = static_cast<ngx_http_request_t*>(self->connection_->data);
        self->finished_(self->owner_, r->main);
    }
}

}  // namespace cacheback::ngx
