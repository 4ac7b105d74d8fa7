// store/fetch_line.hpp: the bounded line of background fetches of one store in
// one worker, refreshes before fills. What a fetch is, the line does not know:
// whoever enters brings the two functions that start or drop it.
#pragma once

#include "../ngx/ngx.hpp"
#include "../ngx/timer.hpp"
#include "control/control_zone.hpp"

namespace cacheback::store {

// In the memory of whoever waits; must outlive its stay in the line.
struct WaitingFetch {
    using Kind = FetchKind;

    ngx_queue_t link;
    Kind kind;
    // True: it runs and will call FetchLine::finished() once. False: it could
    // not start now and stays in line.
    bool (*start)(WaitingFetch& self) noexcept;
    void (*drop)(WaitingFetch& self) noexcept;  // frees it
};

class FetchLine {
  public:
    // `limit` fetches in flight and `queue` in line, counted over the box;
    // fills take at most half of both.
    FetchLine(ControlZone& control, std::uint32_t limit,
              std::uint32_t queue) noexcept;
    ~FetchLine();
    FetchLine(const FetchLine&) = delete;
    FetchLine& operator=(const FetchLine&) = delete;

    // Starts the fetch, or puts it in line, or (line full, worker leaving)
    // drops and counts it.
    void enter(WaitingFetch& fetch) noexcept;
    // One that start() had started is over; the next may go. Starts it from a
    // posted event, never from within this call.
    void finished() noexcept;
    // One that was started has a question to ask before it runs, until
    // answered(). Dropped when the worker is gone by then.
    void asking(WaitingFetch& fetch) noexcept;
    static void answered(WaitingFetch& fetch) noexcept;
    // This worker was woken: it may be its turn to take a place.
    void wake() noexcept;
    // The worker leaves: what waits is dropped, what runs goes on.
    void close() noexcept;

  private:
    bool try_start(WaitingFetch& fetch) noexcept;
    void advance() noexcept;
    bool advance(ngx_queue_t& waiting) noexcept;
    void pass_turn(bool done) noexcept;
    void watch() noexcept;
    void drop_all(ngx_queue_t& waiting) noexcept;
    [[nodiscard]] bool empty() const noexcept;
    [[nodiscard]] static std::uint32_t share(WaitingFetch::Kind kind,
                                             std::uint32_t whole) noexcept;

    ControlZone& control_;
    std::uint32_t limit_;
    std::uint32_t queue_;
    ngx_queue_t refreshes_;
    ngx_queue_t fills_;
    ngx_queue_t asking_;
    ngx::PostedEvent turn_;  // a place may have become free
    ngx::Timer backstop_;    // whoever was to tell us did not
    bool closed_ = false;
};

}  // namespace cacheback::store
