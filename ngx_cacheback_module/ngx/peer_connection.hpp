// ngx/peer_connection.hpp: a nonblocking connection to a server, TCP or unix
// socket, on nginx's event loop. Knows nothing of what travels over it.
//
// Right under edge- and level-triggered event methods: a readable socket is
// read until it is dry or a budget is used up, then once more in the next turn.
#pragma once

#include "ngx.hpp"

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

class PeerConnection {
  public:
    static constexpr std::size_t max_pieces = 32;

    explicit PeerConnection(PeerListener& listener) noexcept
        : listener_(listener) {}
    ~PeerConnection() { close(); }
    PeerConnection(const PeerConnection&) = delete;
    PeerConnection& operator=(const PeerConnection&) = delete;

    // False: it failed at once, see failure(). `name` is for debug logs.
    [[nodiscard]] bool open(const struct sockaddr* address, socklen_t length,
                            const ngx_str_t& name, ngx_msec_t timeout);
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
    void read(std::size_t budget);
    void finish_connect();
    void lose(const char* what, ngx_err_t error);
    void give_up() noexcept;
    void set_failure(const char* what, ngx_err_t error);

    PeerListener& listener_;
    ngx_connection_t* connection_ = nullptr;
    bool connected_ = false;
    ngx_log_t log_{};  // silent: the owner decides what is worth a line
    ngx_str_t name_{};
    std::string failure_;
};

}  // namespace cacheback::ngx
