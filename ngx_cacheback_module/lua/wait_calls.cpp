// lua/wait_calls.cpp: coroutines that wait for what somebody else fetches, and
// those that wait for a place among the background fetches.
#include "../store/waiting_room.hpp"
#include "lease_calls.hpp"

namespace cacheback::lua {

namespace {

class Waiting : public Handle {
  public:
    Waiting(store::Store& store, std::string text, Signal signal)
        : Handle(store),
          key_(store, std::move(text)),
          signal_(signal),
          seat_(*this) {}

    [[nodiscard]] bool begin() noexcept {
        return seat_.enter(store().control(), *key_);
    }

  private:
    // The waiter's own queue link must be found from the waiter: no bases.
    struct Seat : store::Waiter {
        explicit Seat(Waiting& waiting) noexcept
            : Waiter([](store::Waiter& self) noexcept {
                  static_cast<Seat&>(self).owner.signal_.send();
              }),
              owner(waiting) {}
        Waiting& owner;
    };

    OwnedKey key_;
    Signal signal_;
    Seat seat_;
};

// One background fetch as the store's line knows it. The line may hold it
// longer than Lua does.
struct InLine : store::WaitingFetch {
    enum class Stage : unsigned char { waiting, running, dropped };

    store::Store* store;
    Signal signal{nullptr};
    core::Millis until = 0;  // of its lease
    Stage stage = Stage::waiting;
    bool abandoned = false;

    static bool on_start(store::WaitingFetch& fetch) noexcept {
        auto& self = static_cast<InLine&>(fetch);
        store::Store& store = *self.store;
        if (self.abandoned || self.until <= store::wall_clock()) {
            // It stood in line for as long as it might have taken.
            store.control().count(store::Counter::refreshes_dropped);
            on_drop(fetch);
            store.line().finished();
            return true;
        }
        self.stage = Stage::running;
        self.signal.send();
        return true;
    }

    static void on_drop(store::WaitingFetch& fetch) noexcept {
        auto& self = static_cast<InLine&>(fetch);
        if (self.abandoned) {
            delete &self;
            return;
        }
        self.stage = Stage::dropped;
        self.signal.send();
    }
};

class Place : public Handle {
  public:
    Place(store::Store& store, store::WaitingFetch::Kind kind,
          core::Millis until, Signal signal)
        : Handle(store), fetch_(new InLine) {
        fetch_->kind = kind;
        fetch_->start = InLine::on_start;
        fetch_->drop = InLine::on_drop;
        fetch_->store = &store;
        fetch_->until = until;
        store.line().enter(*fetch_);
        // Only what comes later needs to be told.
        fetch_->signal = signal;
    }
    ~Place() override {
        switch (fetch_->stage) {
        case InLine::Stage::waiting: fetch_->abandoned = true; return;
        case InLine::Stage::running: store().line().finished(); break;
        case InLine::Stage::dropped: break;
        }
        delete fetch_;
    }

    [[nodiscard]] InLine::Stage stage() const noexcept { return fetch_->stage; }

  private:
    InLine* fetch_;
};

}  // namespace

}  // namespace cacheback::lua

using namespace cacheback::lua;

int ngx_http_cacheback_lua_wait(void* request, void* store, const char* key,
                                std::size_t size, void* semaphore) {
    return guarded(
        [&]() -> int {
            auto made = std::make_unique<Waiting>(
                as_store(store), std::string(key, size), Signal(semaphore));
            Waiting& waiting = *made;
            const int handle = Handles::add(std::move(made), request);
            if (waiting.begin()) { return handle; }
            Handles::drop(handle);
            return 0;
        },
        0);
}

int ngx_http_cacheback_lua_place(int lease, int fills, void* semaphore) {
    auto* held = Handles::get<HeldLease>(lease);
    if (held == nullptr) { return 0; }
    return guarded(
        [&] {
            using Kind = cacheback::store::WaitingFetch::Kind;
            return Handles::add(
                std::make_unique<Place>(held->store(),
                                        fills != 0 ? Kind::fill : Kind::refresh,
                                        held->until(), Signal(semaphore)),
                nullptr);
        },
        0);
}

int ngx_http_cacheback_lua_may_start(int place) {
    auto* made = Handles::get<Place>(place);
    if (made == nullptr) { return -1; }
    switch (made->stage()) {
    case InLine::Stage::running: return 1;
    case InLine::Stage::waiting: return 0;
    case InLine::Stage::dropped: break;
    }
    return -1;
}
