// store/fleet/redis_lane.hpp: one link to Redis in one worker: a session, the
// connection under it, its deadlines, and its return after a failure.
//
// Connects by itself when it is told to start, and again whenever the link
// ends. What is asked in one turn of the event loop is written at its end.
#pragma once

#include "../../ngx/ngx.hpp"
#include "../../ngx/peer_connection.hpp"
#include "../../ngx/timer.hpp"
#include "../../redis/session.hpp"
#include "redis_health.hpp"
#include "redis_place.hpp"

namespace cacheback::store {

class RedisLane;

// Where a question is under way, in the hands of who asked it.
struct SentQuestion {
    RedisLane* lane = nullptr;  // null: nowhere
    redis::QuestionId id = 0;
};

// Asks another server when this one names it.
class Redirector {
  public:
    // True: it did. False: the error is the answer.
    virtual bool redirect(const RedisLane& from,
                          const redis::Question& question,
                          std::string_view command, std::string_view error) = 0;

  protected:
    ~Redirector() = default;
};

class RedisLane final : private ngx::PeerListener, private RedisPlace::Seeker {
  public:
    // `name` and `probe` as in redis::Login. `exit`: whether a worker that
    // leaves waits for the answers; where it does not, no request waits
    // either, and the health of the server is not judged by them.
    RedisLane(const RedisConf& conf, RedisHealth& health, RedisPlace& place,
              std::string name, std::string probe, ngx::Timer::Exit exit);
    ~RedisLane();

    // Whether a question would be sent on its way now, or as soon as the link
    // under construction stands. Starts a link where there is none.
    [[nodiscard]] bool open_for_questions();

    // The same for what must follow what was sent before, however late that is.
    [[nodiscard]] bool takes_commands() const noexcept {
        return state_ == State::up;
    }
    // The server has greeted.
    [[nodiscard]] bool takes_questions_now() const noexcept {
        return state_ == State::up && session_.ready();
    }
    [[nodiscard]] bool busy() const noexcept { return session_.waiting() > 0; }

    // Between commands() (or take_over) and ask() nothing else may be called;
    // false from open_for_questions() forbids all three.
    [[nodiscard]] std::string& commands() { return session_.commands(); }
    void take_over(std::string&& command) {
        session_.take_over(std::move(command));
    }
    // `question.deadline` is filled in; `wait`: so much later than usual, for
    // a command on which the server waits, or earlier, when it is negative.
    redis::QuestionId ask(redis::Question question, core::Millis wait = 0);
    void cancel(redis::QuestionId id) noexcept { session_.cancel(id); }
    // For good: questions keep their commands, and go where errors send them.
    void set_redirector(Redirector& redirector) noexcept;
    // One that was asked elsewhere, with its deadline; `asking`: of a slot that
    // is on its way here. False: it cannot be asked here.
    [[nodiscard]] bool ask_again(redis::Question question,
                                 std::string_view command, bool asking);
    // Something is left of the time that an answer may take.
    [[nodiscard]] bool has_time(core::Millis spent) const noexcept {
        return spent < static_cast<core::Millis>(conf_.timeout);
    }

    // Before anybody is told that it took too long: a worker that was held up
    // finds answers waiting, and they are in time.
    void catch_up() {
        if (state_ == State::up) { connection_.read_dry(); }
    }

    [[nodiscard]] std::size_t unsent() const noexcept {
        return session_.unsent();
    }

    // Ends the link until something is asked again.
    void rest();

    // Who may still cancel a question of this lane: it is not destroyed
    // meanwhile.
    void hold() noexcept { holders_++; }
    void let_go() noexcept { holders_--; }
    [[nodiscard]] bool is_held() const noexcept {
        return holders_ > 0 || session_.waiting() > 0;
    }

    // Ends the link for good, without telling those who wait.
    void shut_down() noexcept;

  private:
    enum class State : unsigned char { down, up, failing, ended };

    void connected() override;
    void received(std::string_view bytes) override;
    void writable() override { flush(); }
    void lost(std::string_view why) override;
    void asked_to_leave() override;

    void found() override;
    void not_found(std::string_view why) override;
    void moved() override;

    // What befalls this link says something of the server: where requests
    // wait for it, and where it is a Sentinel's only one.
    [[nodiscard]] bool is_witness() const noexcept {
        return exit_ == ngx::Timer::Exit::waits || probe_.empty();
    }
    void connect();
    bool another_address() noexcept;
    bool open_link();  // to this address, or the next that can be tried
    void unreachable(std::string_view why);
    void flush();
    void on_deadline();
    void on_retry();
    void on_idle();
    void watch(core::Millis when) noexcept;
    void set_idle(bool idle) noexcept;
    void settle();  // after answers: idle or not, leaving or not
    void drop();    // ends the link, fails its questions, plans anew
    void broken();  // the session says why
    void plan_retry() noexcept;

    [[nodiscard]] static core::Millis now() noexcept {
        return static_cast<core::Millis>(ngx_current_msec);
    }

    const RedisConf& conf_;
    RedisHealth& health_;
    RedisPlace& place_;
    std::string name_, probe_;
    ngx::Timer::Exit exit_;
    State state_ = State::down;
    bool connected_ = false;   // this link has been established
    bool greeted_ = false;     // and been ready
    bool traffic_ = false;     // since the last look of on_idle()
    bool moved_ = false;       // the next attempt is at another server
    std::size_t address_ = 0;  // the one in use, or next
    std::size_t tried_ = 0;    // of this attempt, in vain
    unsigned attempts_ = 0;    // in a row without a stable link
    core::Millis up_since_ = 0;
    std::size_t holders_ = 0;
    Redirector* redirector_ = nullptr;

    redis::Session session_;
    ngx::PeerConnection connection_;
    ngx::PostedEvent flush_;
    ngx::Timer deadline_;  // clients wait on it
    ngx::Timer retry_;
    ngx::Timer idle_;
};

}  // namespace cacheback::store
