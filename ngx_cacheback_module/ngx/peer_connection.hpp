// ngx/peer_connection.hpp: a nonblocking connection to a server, TCP, TLS or
// unix socket, on nginx's event loop. Knows nothing of what travels over it.
//
// Right under edge- and level-triggered event methods: a readable socket is
// read until it is dry or a budget is used up, then once more in the next turn.
#pragma once

#include "tls.hpp"

namespace cacheback::ngx {

// What the owner hears of. All calls come from the event loop, none from
// within open(); the connection may be closed in any, never destroyed.
class PeerListener {
  public:
    virtual void connected() = 0;
    virtual void received(std::string_view bytes) = 0;
    virtual void writable() = 0;
    // The connection has been closed; `why` lasts for the call.
    virtual void lost(std::string_view why) = 0;
    // The worker leaves and set_idle(true) was said.
    virtual void asked_to_leave() = 0;

  protected:
    ~PeerListener() = default;
};

// Where to connect to; what it points to outlives the connection.
struct PeerAddress {
    const struct sockaddr* sockaddr = nullptr;
    socklen_t length = 0;
    const Tls* tls = nullptr;  // null: plain text
    std::string host;          // as the operator knows it, for TLS
};

class PeerConnection {
  public:
    static constexpr std::size_t max_pieces = 32;

    explicit PeerConnection(PeerListener& listener) noexcept
        : listener_(listener) {}
    ~PeerConnection() { close(); }
    PeerConnection(const PeerConnection&) = delete;
    PeerConnection& operator=(const PeerConnection&) = delete;

    // False: it failed at once, see failure(). `name` is for debug logs;
    // `timeout` is for all until connected(), TLS included.
    [[nodiscard]] bool open(const PeerAddress& address, const ngx_str_t& name,
                            ngx_msec_t timeout);
    void close() noexcept;
    [[nodiscard]] bool is_open() const noexcept {
        return connection_ != nullptr;
    }
    [[nodiscard]] bool is_connected() const noexcept {
        return connection_ != nullptr && connected_;
    }
    [[nodiscard]] const std::string& failure() const noexcept {
        return failure_;
    }

    // Sends what the kernel takes of up to max_pieces pieces. Nothing: the
    // connection is broken and has been closed, see failure(); lost() is not
    // called.
    [[nodiscard]] std::optional<std::size_t> send(
        const std::string_view* pieces, std::size_t count);

    // Reads until the socket is dry, whatever its events said so far, so that
    // nothing that has arrived is taken for missing.
    void read_dry();

    // Idle connections are closed when the worker leaves.
    void set_idle(bool idle) noexcept {
        if (connection_ != nullptr) { connection_->idle = idle; }
    }

  private:
    static void on_read(ngx_event_t* event);
    static void on_write(ngx_event_t* event);
    // `dry`: until nothing more comes, whatever events say.
    void read(std::size_t budget, bool dry = false);
    void finish_connect();
    void establish();
#if (NGX_SSL)
    void start_tls();
    void finish_tls();
    static void on_tls(ngx_connection_t* c);
    static void on_tls_log(ngx_log_t* log, ngx_uint_t level, u_char* text,
                           size_t size);
#endif
    void lose(const char* what, ngx_err_t error);
    void give_up() noexcept;
    void set_failure(const char* what, ngx_err_t error);
    // Of the socket, or of TLS in OpenSSL's words.
    void set_io_failure(const char* what, ngx_err_t error);
    void fail_to_send(const char* what);

    PeerListener& listener_;
    ngx_connection_t* connection_ = nullptr;
    bool connected_ = false;
    const Tls* tls_ = nullptr;
    std::string host_;
    std::string tls_error_;  // in OpenSSL's words
    // Silent, with TLS to tls_error_: the owner decides what is worth a line.
    ngx_log_t log_{};
    ngx_str_t name_{};
    std::string failure_;
};

}  // namespace cacheback::ngx
