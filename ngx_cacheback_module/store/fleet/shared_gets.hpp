// store/fleet/shared_gets.hpp: the GETs that one worker has under way, and who
// waits for the answer of each: whoever asks for the same key meanwhile joins,
// so that a crowd costs Redis and the link one transfer.
//
// An asker has a deadline of its own, and may leave at any time without a loss
// to the others.
#pragma once

#include <deque>
#include <vector>

#include "../../ngx/ngx.hpp"
#include "../../ngx/timer.hpp"
#include "redis_lane.hpp"

namespace cacheback::store {

// How a look-up ended. `bytes` is the value, valid during the callback only.
struct RedisReply {
    enum class Status : unsigned char {
        found,
        absent,
        unavailable,  // breaker open, link down, timeout, error reply, garbage
    };
    Status status = Status::unavailable;
    std::string_view bytes;
    // Who is told last may move from it: see redis::Reply.
    std::string* owner = nullptr;
    core::Millis asked = 0;  // so it was then at least, see MemoryTier::clock()
};

using RedisDone = void (*)(void* data, const RedisReply& reply) noexcept;

class SharedGets {
  public:
    // What is read: an item as it was before the GET was sent, in the words of
    // ControlZone.
    struct Subject {
        std::uint64_t hash;
        std::uint32_t fence;
        std::uint32_t writes;

        bool operator==(const Subject& other) const noexcept {
            return hash == other.hash && fence == other.fence &&
                   writes == other.writes;
        }
    };

    struct Get {
        SharedGets* owner;
        Get* next;  // in its bucket, or free
        Subject subject;
        SentQuestion sent;
        core::Millis deadline;
        ngx_queue_t askers;
    };

    // In the memory of whoever asks. Destroying it or leaving: the callback is
    // not called any more; the last one to go takes the question along.
    class Asker {
      public:
        Asker() = default;
        ~Asker() { leave(); }
        Asker(const Asker&) = delete;
        Asker& operator=(const Asker&) = delete;

        void leave() noexcept;

      private:
        friend class SharedGets;

        ngx_queue_t link_{};  // first: found again from the queue
        Get* get_ = nullptr;
        RedisDone done_ = nullptr;  // null: waits for nothing
        void* data_ = nullptr;
        core::Millis deadline_ = 0;
    };

    // `timeout`: what an asker's answer may take, less what it has spent.
    explicit SharedGets(core::Millis timeout);
    SharedGets(const SharedGets&) = delete;
    SharedGets& operator=(const SharedGets&) = delete;
    ~SharedGets() { close(); }

    // False: there is no such GET, the item may have changed since.
    // For this and begin(), `asker` waits for nothing.
    [[nodiscard]] bool join(const Subject& subject, Asker& asker,
                            RedisDone done, void* data,
                            core::Millis spent) noexcept;

    // A place for one that is about to be sent; then begin(), or nothing. The
    // question says `sent = &get.sent`.
    [[nodiscard]] Get& place();
    void begin(Get& get, const Subject& subject, RedisLane& lane,
               redis::QuestionId question, Asker& asker, RedisDone done,
               void* data, core::Millis spent) noexcept;
    // Its question has ended: all who wait are told.
    void end(Get& get, RedisReply reply) noexcept;

    // Nobody is called any more.
    void close() noexcept;

  private:
    [[nodiscard]] static core::Millis now() noexcept {
        return static_cast<core::Millis>(ngx_current_msec);
    }
    [[nodiscard]] Get*& bucket(std::uint64_t hash) noexcept {
        return buckets_[hash % buckets];
    }
    void add(Get& get, Asker& asker, RedisDone done, void* data,
             core::Millis spent) noexcept;
    void remove(Get& get) noexcept;
    static void tell(ngx_queue_t& askers, RedisReply reply) noexcept;
    void watch(core::Millis when) noexcept;
    void on_deadline();
    // What has arrived of answers that somebody waits too long for is in time.
    void catch_up();

    static constexpr std::size_t buckets = 512;

    core::Millis timeout_;
    std::deque<Get> places_;
    Get* free_ = nullptr;
    std::vector<Get*> buckets_;
    std::size_t under_way_ = 0;
    // For those who have less time than their question; others are told by it.
    ngx::Timer deadline_;
};

}  // namespace cacheback::store
