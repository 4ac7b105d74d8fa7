// redis_session_fuzz.cpp: whatever a server sends, in whatever pieces and at
// whatever time, each question is answered at most once and in its order.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "redis/commands.hpp"
#include "redis/session.hpp"

using namespace cacheback::redis;
using cacheback::core::Millis;

namespace {

struct Conversation {
    Session session{256 * 1024, 250};
    std::vector<std::uint8_t> answered;  // by tag
    std::uint64_t last_reply = 0;        // replies keep the order
    std::size_t touched = 0;

    static void touch(Conversation& talk, const Reply& reply) {
        for (char c : reply.text) {
            talk.touched += static_cast<unsigned char>(c);
        }
        for (std::size_t i = 0; i < reply.count; ++i) {
            touch(talk, reply.elements[i]);
        }
    }

    static void done(const Question& question, const Answer& answer) {
        auto& talk = *static_cast<Conversation*>(question.owner);
        if (talk.answered[question.tag]++ != 0) { std::abort(); }
        if (answer.end != Answer::End::reply) { return; }
        if (question.tag < talk.last_reply) { std::abort(); }
        talk.last_reply = question.tag;
        touch(talk, *answer.reply);
    }

    QuestionId ask(Millis deadline) {
        append_command(session.commands(), {"GET", "key"});
        Question question;
        question.done = done;
        question.owner = this;
        question.tag = answered.size();
        question.deadline = deadline;
        answered.push_back(0);
        return session.ask(question);
    }
};

}  // namespace

// The input is a script: a byte says what happens, some take a length more.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
    Conversation talk;
    Millis now = 0;
    std::vector<QuestionId> asked;
    const Login login{{}, {}, 0, "cacheback", "probe"};
    talk.session.begin(login, now, now + 1000);

    const std::uint8_t* const end = data + size;
    while (data < end) {
        const std::uint8_t what = *data++;
        const std::size_t more = data < end ? *data : 0;
        switch (what % 8) {
        case 0:  // the greeting is answered
            if (!talk.session.received("+OK\r\n$-1\r\n", now)) {
                talk.session.fail_all();
                talk.session.begin(login, now, now + 1000);
            }
            break;
        case 1: asked.push_back(talk.ask(now + 250)); break;
        case 2:
            if (!asked.empty()) {
                talk.session.cancel(asked[more % asked.size()]);
            }
            break;
        case 3:
            now += static_cast<Millis>(more);
            talk.session.expire(now);
            (void)talk.session.next_wake(now);
            break;
        case 4: {
            std::string_view pieces[4];
            if (talk.session.views(pieces, 4) > 0) {
                talk.session.sent(1 + more % pieces[0].size(), now);
            }
            break;
        }
        case 5:
            if (talk.session.dead(now)) {
                talk.session.fail_all();
                talk.session.begin(login, now, now + 1000);
            }
            break;
        default: {  // the server sends the next bytes
            if (data < end) { ++data; }
            const auto rest = static_cast<std::size_t>(end - data);
            const std::size_t part = more < rest ? more : rest;
            const std::string_view bytes(reinterpret_cast<const char*>(data),
                                         part);
            data += part;
            if (!talk.session.received(bytes, now)) {
                talk.session.fail_all();
                talk.session.begin(login, now, now + 1000);
            }
            break;
        }
        }
    }
    talk.session.fail_all();
    if (talk.session.waiting() != 0) { std::abort(); }
    return 0;
}
