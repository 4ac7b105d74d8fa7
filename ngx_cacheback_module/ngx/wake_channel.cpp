#include "wake_channel.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

namespace cacheback::ngx {

namespace {

constexpr unsigned channels = 64;

int fds[channels];
bool prepared = false;
ngx_connection_t* listening = nullptr;
WakeChannel::OnWake handler = nullptr;
void* handler_data = nullptr;

unsigned own_channel() noexcept {
    return static_cast<unsigned>(ngx_process_slot) % channels;
}

void on_readable(ngx_event_t* event) noexcept {
    auto* c = static_cast<ngx_connection_t*>(event->data);
    std::uint64_t count = 0;
    // Also when a process that shares the channel was faster.
    (void)!::read(c->fd, &count, sizeof(count));
    handler(handler_data);
}

}  // namespace

ngx_int_t WakeChannel::prepare(ngx_cycle_t& cycle) noexcept {
    if (prepared) { return NGX_OK; }
    for (int& fd : fds) {
        fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (fd == -1) {
            ngx_log_error(NGX_LOG_EMERG, cycle.log, ngx_errno,
                          "cacheback: eventfd() failed");
            return NGX_ERROR;
        }
    }
    prepared = true;
    return NGX_OK;
}

ngx_int_t WakeChannel::open_worker(ngx_cycle_t& cycle, OnWake on_wake,
                                   void* data) noexcept {
    if (!prepared || listening != nullptr) { return NGX_OK; }
    ngx_connection_t* c = ngx_get_connection(fds[own_channel()], cycle.log);
    if (c == nullptr) { return NGX_ERROR; }
    c->log = cycle.log;
    c->read->log = cycle.log;
    c->write->log = cycle.log;
    c->read->handler = on_readable;
    // Not idle: a worker that leaves closes those at once, while clients of its
    // still wait to be woken. It goes with close_worker().
    handler = on_wake;
    handler_data = data;

    ngx_uint_t flags = 0;
    if (ngx_event_flags & NGX_USE_CLEAR_EVENT) { flags = NGX_CLEAR_EVENT; }
    if (ngx_add_event(c->read, NGX_READ_EVENT, flags) != NGX_OK) {
        ngx_free_connection(c);
        return NGX_ERROR;
    }
    listening = c;
    return NGX_OK;
}

void WakeChannel::close_worker() noexcept {
    if (listening == nullptr) { return; }
    ngx_connection_t* c = listening;
    listening = nullptr;
    // The descriptor is the master's: it stays open for the next worker that
    // gets this slot, so it must leave our event method by name.
    (void)ngx_del_event(c->read, NGX_READ_EVENT, 0);
    if (c->read->posted) { ngx_delete_posted_event(c->read); }
    ngx_free_connection(c);
    c->fd = static_cast<ngx_socket_t>(-1);
}

WakeMask WakeChannel::own() noexcept { return WakeMask{1} << own_channel(); }

void WakeChannel::wake(WakeMask mask) noexcept {
    if (!prepared) { return; }
    for (unsigned i = 0; mask != 0; i++, mask >>= 1U) {
        if ((mask & 1U) == 0) { continue; }
        constexpr std::uint64_t one = 1;
        // EAGAIN: it has more wakes than it can count, so it will wake.
        (void)!::write(fds[i], &one, sizeof(one));
    }
}

}  // namespace cacheback::ngx
