#include "session.hpp"

#include <algorithm>
#include <utility>

#include "commands.hpp"

namespace cacheback::redis {

namespace {

// Small commands share a chunk up to this size. A chunk that grew beyond it
// is let go once it is sent.
constexpr std::size_t chunk_size = 64 * 1024;

// A link on which something moves may be behind by this many times the
// patience, so that a trickle does not hold it for ever.
constexpr core::Millis trickle = 20;

// Assigning an empty string would keep the memory.
void let_go(std::string& text) noexcept { std::string().swap(text); }

}  // namespace

Session::Session(std::size_t max_reply, core::Millis patience)
    : patience_(patience), reader_(max_reply), ring_(64), out_(1) {}

// -- the link

void Session::begin(const Login& login, core::Millis now,
                    core::Millis deadline) {
    forget_all();
    reader_.reset();
    failure_ = {};
    broken_.clear();
    state_ = State::greeting;
    moved_ = now;

    using Step = GreetingFailure::Step;
    const bool sentinel = login.probe.empty();
    const Step auth = sentinel ? Step::none : Step::auth;
    if (!login.user.empty()) {
        greet({"AUTH", login.user, login.password}, auth, deadline);
    } else if (!login.password.empty()) {
        greet({"AUTH", login.password}, auth, deadline);
    }
    if (login.db != 0 && !sentinel) {
        greet({"SELECT", std::to_string(login.db)}, Step::select, deadline);
    }
    greet({"CLIENT", "SETNAME", login.name}, Step::none, deadline);
    if (login.only_master) { greet({"ROLE"}, Step::role, deadline); }
    in_cluster_ = login.in_cluster;
    if (sentinel) {
        greet({"PING"}, Step::ping, deadline);
    } else {
        greet({"GET", login.probe}, Step::probe, deadline);
    }
}

void Session::greet(std::initializer_list<std::string_view> words,
                    GreetingFailure::Step step, core::Millis deadline) {
    make_room();
    command_at_ = no_command;
    append_command(greeting_, words);
    Question question;
    question.done = on_greeting;
    question.owner = this;
    question.tag = static_cast<std::uint64_t>(step);
    question.deadline = deadline;
    ask(question);
}

void Session::on_greeting(const Question& question, const Answer& answer) {
    using Step = GreetingFailure::Step;
    auto& self = *static_cast<Session*>(question.owner);
    const auto step = static_cast<Step>(question.tag);
    if (self.failure_.step != Step::none) { return; }  // the first one counts
    if (answer.end == Answer::End::timeout) {
        self.failure_.step = Step::timeout;
        return;
    }
    if (answer.end == Answer::End::lost) { return; }

    const Reply& reply = *answer.reply;
    if (reply.kind == Reply::Kind::error) {
        // A name is not worth a link; whether a Sentinel wants a password
        // shows when it is asked for something.
        if (step == Step::none) { return; }
        const ErrorKind kind = error_kind(reply.text);
        if (step == Step::probe && self.in_cluster_ &&
            (kind == ErrorKind::moved || kind == ErrorKind::ask)) {
            self.state_ = State::ready;
            return;
        }
        self.failure_ = {step, kind, std::string(reply.text)};
        return;
    }
    if (step == Step::role) {
        const std::string_view role =
            reply.kind == Reply::Kind::array && reply.count > 0
                ? reply.elements[0].text
                : std::string_view();
        if (role != "master") {
            self.failure_ = {step, ErrorKind::other, std::string(role)};
        }
        return;
    }
    const bool sound =
        step == Step::ping
            ? reply.kind == Reply::Kind::status && reply.text == "PONG"
            : reply.kind == Reply::Kind::nil ||
                  reply.kind == Reply::Kind::string;
    if (step != Step::ping && step != Step::probe) { return; }
    if (!sound) {
        self.broken_ = step == Step::ping ? "an answer to PING that is none"
                                          : "an answer to GET that is no value";
        return;
    }
    self.state_ = State::ready;
}

void Session::end_link() noexcept {
    ++link_;
    state_ = State::closed;
    greeting_.clear();
    greeting_at_ = 0;
    out_.resize(1);  // there always is one
    out_.back().at = 0;
    let_go(out_.back().bytes);
    before_last_ = 0;
}

void Session::fail_all() {
    end_link();
    const std::uint64_t link = link_;
    const QuestionId end = head_ + count_;
    while (link == link_ && head_ != end) {
        const Question question = slot(head_);
        pass_over();
        if (question.done != nullptr) { question.done(question, Answer{}); }
    }
}

void Session::forget_all() noexcept {
    end_link();
    while (count_ > 0) { pass_over(); }
}

// The oldest question. A place for many would else hold a large command each.
void Session::pass_over() noexcept {
    constexpr std::size_t small = 4096;
    if (!kept_.empty() && kept(head_).capacity() > small) {
        let_go(kept(head_));
    }
    ++head_;
    --count_;
}

// -- questions

std::string& Session::commands() {
    make_room();
    if (out_.back().bytes.size() >= chunk_size) {
        const Chunk& full = out_.back();
        const std::size_t rest = full.bytes.size() - full.at;
        out_.emplace_back();
        before_last_ += rest;
    }
    command_at_ = out_.back().bytes.size();
    return out_.back().bytes;
}

void Session::take_over(std::string&& command) {
    make_room();
    command_at_ = 0;
    Chunk& last = out_.back();
    if (last.bytes.empty()) {
        last.bytes = std::move(command);
        return;
    }
    const std::size_t rest = last.bytes.size() - last.at;
    out_.emplace_back();
    out_.back().bytes = std::move(command);
    before_last_ += rest;
}

QuestionId Session::ask(const Question& question) {
    const QuestionId id = head_ + count_;
    slot(id) = question;
    ++count_;
    if (redirect_ != nullptr) {
        kept_.resize(ring_.size());
        kept(id).clear();
        if (command_at_ != no_command) {
            kept(id).append(out_.back().bytes, command_at_);
        }
        command_at_ = no_command;
    }
    return id;
}

// Before any byte of a command: each needs its place, or answers would shift.
void Session::make_room() {
    if (count_ < ring_.size()) { return; }
    std::vector<Question> larger(ring_.size() * 2);
    for (QuestionId id = head_; id != head_ + count_; ++id) {
        larger[id & (larger.size() - 1)] = slot(id);
    }
    if (!kept_.empty()) {
        std::vector<std::string> commands(larger.size());
        for (QuestionId id = head_; id != head_ + count_; ++id) {
            commands[id & (larger.size() - 1)] = std::move(kept(id));
        }
        kept_ = std::move(commands);
    }
    ring_ = std::move(larger);
}

void Session::cancel(QuestionId id) noexcept {
    if (id < head_ || id >= head_ + count_) { return; }
    Question& place = slot(id);
    place.sent = nullptr;
    if (place.cancelled != nullptr) {
        place.cancelled(place);
    } else {
        place.done = nullptr;
    }
}

// -- bytes out

std::size_t Session::unsent() const noexcept {
    const Chunk& last = out_.back();
    return greeting_.size() - greeting_at_ + before_last_ + last.bytes.size() -
           last.at;
}

std::size_t Session::views(std::string_view* to,
                           std::size_t max) const noexcept {
    std::size_t used = 0;
    if (greeting_at_ < greeting_.size() && used < max) {
        to[used++] = std::string_view(greeting_).substr(greeting_at_);
    }
    if (state_ != State::ready) { return used; }
    for (const Chunk& chunk : out_) {
        if (used == max) { break; }
        if (chunk.at == chunk.bytes.size()) { continue; }
        to[used++] = std::string_view(chunk.bytes).substr(chunk.at);
    }
    return used;
}

void Session::sent(std::size_t count, core::Millis now) {
    moved_ = now;
    const std::size_t hello = std::min(count, greeting_.size() - greeting_at_);
    greeting_at_ += hello;
    count -= hello;

    while (count > 0) {
        Chunk& first = out_.front();
        const std::size_t part = std::min(count, first.bytes.size() - first.at);
        first.at += part;
        count -= part;
        const bool last = out_.size() == 1;
        if (!last) { before_last_ -= part; }
        if (first.at < first.bytes.size()) { return; }
        if (!last) {
            out_.pop_front();
            continue;
        }
        first.at = 0;
        if (first.bytes.capacity() > chunk_size) {
            let_go(first.bytes);
        } else {
            first.bytes.clear();
        }
        return;
    }
}

// -- bytes in

bool Session::received(std::string_view bytes, core::Millis now) {
    moved_ = now;
    if (!reader_.feed(bytes)) {
        broken_ = reader_.error();
        return false;
    }
    while (const Reply* reply = reader_.next()) {
        if (!answer(*reply)) { return false; }
    }
    if (!reader_.error().empty()) {
        broken_ = reader_.error();
        return false;
    }
    return true;
}

bool Session::answer(const Reply& reply) {
    if (count_ == 0) {
        broken_ = "a reply that nobody asked for";
        return false;
    }
    const Question question = slot(head_);
    const std::uint64_t link = link_;
    bool answered = false;
    if (reply.kind == Reply::Kind::error && redirect_ != nullptr) {
        answered = redirected(question, reply.text);
        if (link != link_) { return false; }
    }
    pass_over();
    if (!answered && question.done != nullptr) {
        question.done(question, Answer{Answer::End::reply, &reply});
        if (link != link_) { return false; }
    }
    return broken_.empty() && failure_.step == GreetingFailure::Step::none;
}

bool Session::redirected(const Question& question, std::string_view error) {
    const ErrorKind kind = error_kind(error);
    if (kind != ErrorKind::moved && kind != ErrorKind::ask) { return false; }
    const std::string command = kept(head_);
    return !command.empty() &&
           redirect_(redirect_owner_, question, command, error);
}

// -- time

std::size_t Session::expire(core::Millis now) {
    const std::uint64_t link = link_;
    const QuestionId end = head_ + count_;
    std::size_t expired = 0;
    for (QuestionId id = head_; id != end; ++id) {
        Question& place = slot(id);
        if (place.done == nullptr || place.deadline > now) { continue; }
        // The place stays: the reply is still to come, and is dropped then.
        const Question question = place;
        place.done = nullptr;
        place.cancelled = nullptr;
        place.sent = nullptr;
        ++expired;
        question.done(question, Answer{Answer::End::timeout, nullptr});
        if (link != link_) { break; }
    }
    return expired;
}

bool Session::late(core::Millis now) const noexcept {
    return count_ > 0 && slot(head_).deadline <= now;
}

bool Session::dead(core::Millis now) const noexcept {
    if (count_ == 0) { return false; }
    const core::Millis deadline = slot(head_).deadline;
    if (now >= deadline + trickle * patience_) { return true; }
    return now >= deadline + patience_ && now >= moved_ + patience_;
}

core::Millis Session::next_wake(core::Millis now) const noexcept {
    if (count_ == 0) { return 0; }
    const core::Millis oldest = slot(head_).deadline;
    core::Millis wake = std::max(oldest + patience_, moved_ + patience_);
    wake = std::min(wake, oldest + trickle * patience_);
    for (QuestionId id = head_; id != head_ + count_; ++id) {
        const Question& question = slot(id);
        if (question.done != nullptr) {
            wake = std::min(wake, question.deadline);
        }
    }
    return std::max(wake, now + 1);
}

}  // namespace cacheback::redis
