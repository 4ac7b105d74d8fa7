#include "peer_connection.hpp"

#include "guard.hpp"

namespace cacheback::ngx {

namespace {

// One for all connections of the worker: bytes leave it before read() returns
// to nginx, and a listener never reads from within received().
alignas(64) char read_buffer[64 * 1024];

// 256 KB: some 0.1 ms, in TLS twice that; then others have their turn.
constexpr std::size_t reads_per_event = 4;

// Where a connection is on its way out, errors of the socket are no news.
ngx_log_t silent(const ngx_log_t& from) noexcept {
    ngx_log_t log = from;
    if (!(log.log_level & NGX_LOG_DEBUG_ALL)) { log.log_level = NGX_LOG_ALERT; }
    return log;
}

}  // namespace

bool PeerConnection::open(const PeerAddress& address, const ngx_str_t& name,
                          ngx_msec_t timeout) {
    close();
    failure_.clear();
    tls_ = address.tls;
    tls_error_.clear();
    host_ = address.host;
    log_ = silent(*ngx_cycle->log);
    name_ = name;

    ngx_peer_connection_t peer{};
    peer.sockaddr = const_cast<struct sockaddr*>(address.sockaddr);
    peer.socklen = address.length;
    peer.name = &name_;
    peer.get = ngx_event_get_peer;
    peer.log = &log_;
    peer.log_error = NGX_ERROR_ERR;
    peer.so_keepalive = 1;

    ngx_set_errno(0);
    const ngx_int_t rc = ngx_event_connect_peer(&peer);
    if (rc != NGX_OK && rc != NGX_AGAIN) {
        set_failure("connect() failed", ngx_socket_errno);
        return false;
    }
    connection_ = peer.connection;
    connection_->data = this;
    connection_->log = &log_;
    connection_->read->log = &log_;
    connection_->write->log = &log_;
    connection_->read->handler = on_read;
    connection_->write->handler = on_write;
    connection_->addr_text = name_;
    connected_ = false;

    if (address.sockaddr->sa_family != AF_UNIX &&
        ngx_tcp_nodelay(connection_) != NGX_OK) {
        set_failure("setsockopt(TCP_NODELAY) failed", ngx_socket_errno);
        close();
        return false;
    }
    if (rc == NGX_OK) {
        // Connected already; the owner still hears of it from the event loop.
        ngx_post_event(connection_->write, &ngx_posted_events);
        if (tls_ == nullptr) { return true; }
    }
    // Nobody waits on this one: the owner's questions have their deadlines.
    connection_->write->cancelable = 1;
    ngx_add_timer(connection_->write, timeout);
    return true;
}

void PeerConnection::close() noexcept {
    if (connection_ == nullptr) { return; }
#if (NGX_SSL)
    if (connection_->ssl != nullptr) { Tls::end(connection_); }
#endif
    ngx_pool_t* pool = connection_->pool;
    ngx_close_connection(connection_);  // timers and posted events as well
    if (pool != nullptr) { ngx_destroy_pool(pool); }
    connection_ = nullptr;
    connected_ = false;
}

void PeerConnection::set_failure(const char* what, ngx_err_t error) {
    failure_ = what;
    if (error == 0) { return; }
    u_char text[128];
    u_char* end = ngx_strerror(error, text, sizeof(text));
    failure_ += " (" + std::to_string(error) + ": ";
    failure_.append(reinterpret_cast<char*>(text),
                    static_cast<std::size_t>(end - text));
    failure_ += ")";
}

void PeerConnection::set_io_failure(const char* what, ngx_err_t error) {
    set_failure(what, tls_error_.empty() ? error : 0);
    if (!tls_error_.empty()) { failure_ += ": " + tls_error_; }
}

void PeerConnection::fail_to_send(const char* what) {
    const ngx_err_t error = ngx_socket_errno;
    if (tls_ != nullptr) {
        // Why the server has gone may stand in what it said last.
        std::string own = std::exchange(tls_error_, {});
        u_char rest[64];
        (void)connection_->recv(connection_, rest, sizeof(rest));
        if (tls_error_.empty()) { tls_error_ = std::move(own); }
    }
    set_io_failure(what, error);
    close();
}

void PeerConnection::lose(const char* what, ngx_err_t error) {
    set_failure(what, error);
    close();
    listener_.lost(failure_);
}

void PeerConnection::finish_connect() {
    if (connection_->write->timedout) {
        lose("connect() timed out", 0);
        return;
    }
    int error = 0;
    socklen_t length = sizeof(error);
    if (getsockopt(connection_->fd, SOL_SOCKET, SO_ERROR, &error, &length) ==
        -1) {
        error = ngx_socket_errno;
    }
    if (error != 0) {
        lose("connect() failed", error);
        return;
    }
#if (NGX_SSL)
    if (tls_ != nullptr) {
        start_tls();
        return;
    }
#endif
    establish();
}

void PeerConnection::establish() {
    if (connection_->write->timer_set) { ngx_del_timer(connection_->write); }
    connected_ = true;
    ngx_connection_t* c = connection_;
    listener_.connected();
    // What came before is told by no further edge.
    if (connection_ == c && c->read->ready) { read(reads_per_event); }
}

#if (NGX_SSL)

void PeerConnection::start_tls() {
    ngx_connection_t* c = connection_;
    if (c->ssl != nullptr) { return; }
    // nginx logs what went wrong; here it is what lost() tells.
    log_.log_level = NGX_LOG_INFO;
    log_.writer = on_tls_log;
    log_.wdata = this;
    log_.next = nullptr;
    constexpr std::size_t pool_size = 256;
    c->pool = ngx_create_pool(pool_size, &log_);
    if (c->pool == nullptr) {
        lose("out of memory", 0);
        return;
    }
    if (tls_->begin(c, host_, on_tls) != NGX_AGAIN) { finish_tls(); }
}

void PeerConnection::finish_tls() {
    ngx_connection_t* c = connection_;
    const bool late = c->write->timedout;
    c->read->handler = on_read;
    c->write->handler = on_write;
    if (c->ssl == nullptr || !c->ssl->handshaked) {
        const std::string why = late                 ? "timed out"
                                : tls_error_.empty() ? "failed"
                                                     : "failed: " + tls_error_;
        lose(("TLS handshake " + why).c_str(), 0);
        return;
    }
    const std::string wrong = tls_->refused(c, host_);
    if (!wrong.empty()) {
        lose(wrong.c_str(), 0);
        return;
    }
    if (c->close) {
        listener_.asked_to_leave();
        return;
    }
    establish();
}

void PeerConnection::on_tls(ngx_connection_t* c) {
    auto& self = *static_cast<PeerConnection*>(c->data);
    guard(
        ngx_cycle->log, [&] { self.finish_tls(); }, [&] { self.give_up(); });
}

// The line as it would stand in a log file: time, level, process, message.
void PeerConnection::on_tls_log(ngx_log_t* log, ngx_uint_t, u_char* text,
                                size_t size) {
    auto& self = *static_cast<PeerConnection*>(log->wdata);
    if (!self.tls_error_.empty()) { return; }  // the first is the cause
    std::string_view line(reinterpret_cast<char*>(text), size);
    const std::size_t process = line.find('#');
    const std::size_t colon = line.find(": ", std::min(process, line.size()));
    if (colon != std::string_view::npos) { line.remove_prefix(colon + 2); }
    line = line.substr(0, line.find('\n'));
    guard(
        ngx_cycle->log, [&] { self.tls_error_ = line; }, [] {});
}

#endif

void PeerConnection::on_write(ngx_event_t* event) {
    auto* c = static_cast<ngx_connection_t*>(event->data);
    auto& self = *static_cast<PeerConnection*>(c->data);
    guard(
        c->log,
        [&] {
            if (self.connected_) {
                self.listener_.writable();
            } else {
                self.finish_connect();
            }
            // TLS sees to its own events until it stands.
            if (self.connection_ == c && self.connected_ &&
                ngx_handle_write_event(event, 0) != NGX_OK) {
                self.lose("no event for the socket", 0);
            }
        },
        [&] { self.give_up(); });
}

void PeerConnection::on_read(ngx_event_t* event) {
    auto* c = static_cast<ngx_connection_t*>(event->data);
    auto& self = *static_cast<PeerConnection*>(c->data);
    guard(
        c->log,
        [&] {
            if (c->close) {
                self.listener_.asked_to_leave();
            } else if (self.connected_) {
                self.read(reads_per_event);
            }
        },
        [&] { self.give_up(); });
}

// After an exception: the link's state is unknown, so it ends.
void PeerConnection::give_up() noexcept {
    guard(
        ngx_cycle->log, [&] { lose("out of memory", 0); }, [&] { close(); });
}

void PeerConnection::read(std::size_t budget, bool dry) {
    ngx_connection_t* c = connection_;
    ngx_event_t* event = c->read;
    do {
        if (budget-- == 0) {
            // Others first; edge-triggered methods would not tell again.
            ngx_post_event(event, &ngx_posted_next_events);
            return;
        }
        const ssize_t n = c->recv(c, reinterpret_cast<u_char*>(read_buffer),
                                  sizeof(read_buffer));
        if (n == NGX_AGAIN) { break; }
        if (n == 0) {
            lose("the server closed the connection", 0);
            return;
        }
        if (n < 0) {
            set_io_failure("recv() failed", ngx_socket_errno);
            close();
            listener_.lost(failure_);
            return;
        }
        listener_.received({read_buffer, static_cast<std::size_t>(n)});
        if (connection_ != c) { return; }
    } while (event->ready || dry);

    if (ngx_handle_read_event(event, 0) != NGX_OK) {
        lose("no event for the socket", 0);
    }
}

void PeerConnection::read_dry() {
    if (!is_connected()) { return; }
    // Without these recv() may trust an event older than the bytes.
    connection_->read->ready = 1;
    connection_->read->available = -1;
    constexpr std::size_t enough = 1024;  // 64 MB
    read(enough, true);
}

std::optional<std::size_t> PeerConnection::send(const std::string_view* pieces,
                                                std::size_t count) {
    ngx_connection_t* c = connection_;
    if (c == nullptr || !connected_ || !c->write->ready) { return 0; }
    std::size_t sent = 0;
    if (count == 1) {
        auto* bytes = const_cast<char*>(pieces[0].data());
        const ssize_t n =
            c->send(c, reinterpret_cast<u_char*>(bytes), pieces[0].size());
        if (n == NGX_ERROR) {
            fail_to_send("send() failed");
            return {};
        }
        sent = n > 0 ? static_cast<std::size_t>(n) : 0;
    } else if (count > 1) {
        ngx_buf_t buffers[max_pieces];
        ngx_chain_t links[max_pieces];
        count = std::min(count, max_pieces);
        std::size_t size = 0;
        for (std::size_t i = 0; i < count; ++i) {
            ngx_memzero(&buffers[i], sizeof(ngx_buf_t));
            auto* begin = const_cast<char*>(pieces[i].data());
            buffers[i].pos = reinterpret_cast<u_char*>(begin);
            buffers[i].last = buffers[i].pos + pieces[i].size();
            buffers[i].memory = 1;
            links[i].buf = &buffers[i];
            links[i].next = i + 1 < count ? &links[i + 1] : nullptr;
            size += pieces[i].size();
        }
        ngx_chain_t* rest = c->send_chain(c, links, 0);
        if (rest == NGX_CHAIN_ERROR) {
            fail_to_send("writev() failed");
            return {};
        }
        sent = size;
        for (; rest != nullptr; rest = rest->next) {
            sent -= static_cast<std::size_t>(ngx_buf_size(rest->buf));
        }
    }
    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        set_failure("no event for the socket", 0);
        close();
        return {};
    }
    return sent;
}

}  // namespace cacheback::ngx
