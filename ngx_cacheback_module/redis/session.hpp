// redis/session.hpp: one conversation with a Redis server, without its socket:
// commands in, bytes out; bytes in, typed answers out to those who asked.
//
// Sans I/O: the owner moves the bytes and tells the time (milliseconds of a
// clock that only goes forward). A session lives as long as its owner and is
// begun anew for each link. Questions are asked between begin() and fail_all()
// or forget_all(). Callbacks may ask and cancel, and end the link.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "../core/time.hpp"
#include "reply_error.hpp"
#include "reply_reader.hpp"

namespace cacheback::redis {

// Never used twice in the life of a session; 0 = none.
using QuestionId = std::uint64_t;

struct Answer {
    enum class End : unsigned char {
        reply,
        timeout,  // the deadline passed; a late reply will be dropped
        lost,     // the link ended first
    };
    End end = End::lost;
    const Reply* reply = nullptr;  // set for End::reply, valid in the callback
};

// What is remembered of a command until its reply comes.
struct Question {
    using Done = void (*)(const Question& question, const Answer& answer);
    Done done = nullptr;       // null: nobody waits for the answer
    void* owner = nullptr;     // for `done`
    void (*then)() = nullptr;  // for `done`: a callback of its own caller,
    void* data = nullptr;      // and that one's data
    std::uint64_t tag = 0;     // for `done`
    core::Millis deadline = 0;
    // Called in place of forgetting `done` when the asker has gone.
    void (*cancelled)(const Question& question) = nullptr;
    void* server = nullptr;  // who is asked; for `done`
    void* sent = nullptr;    // whoever asks it elsewhere says so there
    unsigned char hops = 0;  // how often that was
};

struct Login {
    std::string_view user, password;  // empty: not sent
    unsigned long db = 0;
    std::string_view name;  // how the server lists this client
    // A key that is read as proof that reads work; empty: a Sentinel, which
    // has no keys, no databases, and often no password.
    std::string_view probe;
    bool only_master = false;  // a replica will not do
    bool in_cluster = false;   // the key may be somebody else's, who is named
};

// Which step of the greeting failed, with the server's words.
struct GreetingFailure {
    enum class Step : unsigned char {
        none,
        auth,
        select,
        role,  // the server's words are the role it has
        probe,
        ping,
        timeout,
    };
    Step step = Step::none;
    ErrorKind kind = ErrorKind::other;
    std::string text;
};

class Session {
  public:
    // `patience`: how far behind its deadline the oldest unanswered question
    // may be before the link counts as dead.
    Session(std::size_t max_reply, core::Millis patience);

    // -- the link

    // A new link: greets the server. What is asked before the greeting is
    // done waits for it, so nothing is ever asked of the wrong database.
    void begin(const Login& login, core::Millis now, core::Millis deadline);
    [[nodiscard]] bool ready() const noexcept { return state_ == State::ready; }
    [[nodiscard]] const GreetingFailure& greeting() const noexcept {
        return failure_;
    }
    // Why the stream is of no use any more; empty when it is.
    [[nodiscard]] const std::string& broken() const noexcept { return broken_; }
    // The link has ended: all questions are answered with End::lost.
    void fail_all();
    // The same without telling anybody.
    void forget_all() noexcept;

    // -- questions

    // Where the bytes of a command are put; then ask() once for each command.
    [[nodiscard]] std::string& commands();
    void take_over(std::string&& command);  // a large one, not copied again
    QuestionId ask(const Question& question);

    // Keeps a copy of each command until it is answered. An error that names
    // another server is given to `redirect`, which asks there and says true, or
    // lets it be the answer.
    using Redirect = bool (*)(void* owner, const Question& question,
                              std::string_view command, std::string_view error);
    void keep_commands(Redirect redirect, void* owner) noexcept {
        redirect_ = redirect;
        redirect_owner_ = owner;
    }
    // The answer is of no interest any more. Any id, at any time.
    void cancel(QuestionId id) noexcept;
    [[nodiscard]] std::size_t waiting() const noexcept { return count_; }

    // -- bytes out

    [[nodiscard]] std::size_t unsent() const noexcept;
    // Up to `max` pieces of what may be sent now; valid until the next call.
    [[nodiscard]] std::size_t views(std::string_view* to,
                                    std::size_t max) const noexcept;
    void sent(std::size_t count, core::Millis now);

    // -- bytes in

    // False: the link is of no use (see greeting() and broken()), or a
    // callback ended it.
    [[nodiscard]] bool received(std::string_view bytes, core::Millis now);

    // -- time

    // Answers overdue questions with End::timeout. Returns how many somebody
    // was waiting for.
    std::size_t expire(core::Millis now);
    // The server owes an answer whose deadline has passed.
    [[nodiscard]] bool late(core::Millis now) const noexcept;
    // It owes one for so long, and nothing moves, that the link is dead.
    [[nodiscard]] bool dead(core::Millis now) const noexcept;
    // When to call expire() and dead() again; 0 = nothing is under way.
    [[nodiscard]] core::Millis next_wake(core::Millis now) const noexcept;

  private:
    enum class State : unsigned char { closed, greeting, ready };

    struct Chunk {
        std::string bytes;
        std::size_t at = 0;  // sent up to here
    };

    [[nodiscard]] Question& slot(QuestionId id) noexcept {
        return ring_[id & (ring_.size() - 1)];
    }
    [[nodiscard]] const Question& slot(QuestionId id) const noexcept {
        return ring_[id & (ring_.size() - 1)];
    }
    void make_room();
    void end_link() noexcept;
    bool answer(const Reply& reply);
    void greet(std::initializer_list<std::string_view> words,
               GreetingFailure::Step step, core::Millis deadline);
    static void on_greeting(const Question& question, const Answer& answer);

    State state_ = State::closed;
    bool in_cluster_ = false;
    std::uint64_t link_ = 0;  // which link this is
    core::Millis patience_;
    core::Millis moved_ = 0;  // when bytes last went either way
    GreetingFailure failure_;
    std::string broken_;

    ReplyReader reader_;

    [[nodiscard]] std::string& kept(QuestionId id) noexcept {
        return kept_[id & (ring_.size() - 1)];
    }
    void pass_over() noexcept;
    bool redirected(const Question& question, std::string_view error);

    std::vector<Question> ring_;  // a power of two; index = id
    QuestionId head_ = 1;         // oldest
    std::size_t count_ = 0;
    Redirect redirect_ = nullptr;
    void* redirect_owner_ = nullptr;
    std::vector<std::string> kept_;  // like ring_, where commands are kept
    static constexpr std::size_t no_command = ~std::size_t{0};
    std::size_t command_at_ = no_command;  // in the last chunk

    std::string greeting_;  // goes out before anything else
    std::size_t greeting_at_ = 0;
    std::deque<Chunk> out_;        // never empty; commands go to the last
    std::size_t before_last_ = 0;  // unsent bytes of all chunks but the last
};

}  // namespace cacheback::redis
