// session_test.cpp: the conversation with Redis, without a socket or a clock.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "redis/commands.hpp"
#include "redis/session.hpp"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
extern "C" {
#include <cmocka.h>
}

#include <malloc.h>
#include <cstdlib>
#include <new>

namespace {
std::size_t allocated = 0;  // bytes, by new
}

void* operator new(std::size_t size) {
    void* memory = std::malloc(size);
    if (memory == nullptr) { throw std::bad_alloc{}; }
    allocated += malloc_usable_size(memory);
    return memory;
}
void operator delete(void* memory) noexcept {
    allocated -= malloc_usable_size(memory);
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    operator delete(memory);
}

using namespace cacheback::redis;
using cacheback::core::Millis;
using Step = GreetingFailure::Step;

namespace {

constexpr Millis patience = 250;
constexpr std::size_t max_reply = 1024 * 1024;
constexpr std::string_view plain_greeting =
    "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$9\r\ncacheback\r\n"
    "*2\r\n$3\r\nGET\r\n$5\r\nprobe\r\n";

// A session with what its questions were answered.
struct Talk {
    Session session{max_reply, patience};
    std::string heard;
    bool end_in_callback = false;
    bool ask_in_callback = false;

    static void done(const Question& question, const Answer& answer) {
        auto& talk = *static_cast<Talk*>(question.owner);
        talk.heard += std::to_string(question.tag) + "=";
        switch (answer.end) {
        case Answer::End::timeout: talk.heard += "timeout"; break;
        case Answer::End::lost: talk.heard += "lost"; break;
        case Answer::End::reply:
            talk.heard += answer.reply->kind == Reply::Kind::nil
                              ? "nil"
                              : std::string(answer.reply->text);
            break;
        }
        talk.heard += ";";
        if (talk.end_in_callback) { talk.session.fail_all(); }
        if (talk.ask_in_callback) { talk.ask(question.tag + 100, 5000); }
    }

    QuestionId ask(std::uint64_t tag, Millis deadline) {
        append_command(session.commands(), {"GET", std::to_string(tag)});
        return expect(tag, deadline);
    }

    QuestionId expect(std::uint64_t tag, Millis deadline) {
        Question question;
        question.done = done;
        question.owner = this;
        question.tag = tag;
        question.deadline = deadline;
        return session.ask(question);
    }

    void begin(const Login& login = {{}, {}, 0, "cacheback", "probe"}) {
        session.begin(login, 0, 1000);
    }

    // Begun and greeted at time 0.
    void stand() {
        begin();
        (void)send_all();
        assert_true(session.received("+OK\r\n$-1\r\n", 0));
        assert_true(session.ready());
    }

    // Everything that may be sent now, at most `step` bytes at a time.
    std::string send_all(std::size_t step = 1 << 30, Millis now = 0) {
        std::string sent;
        std::string_view pieces[4];
        while (session.views(pieces, 4) > 0) {
            const std::string_view part = pieces[0].substr(0, step);
            sent += part;
            session.sent(part.size(), now);
        }
        return sent;
    }
};

// A failed assertion jumps past destructors, so each test has its own here.
int make_talk(void** state) {
    *state = new Talk;
    return 0;
}
int drop_talk(void** state) {
    delete static_cast<Talk*>(*state);
    return 0;
}
Talk& of(void** state) { return *static_cast<Talk*>(*state); }

// -- greeting

void the_greeting_names_the_client_and_reads_a_key(void** state) {
    Talk& talk = of(state);
    talk.begin();
    assert_true(talk.send_all() == plain_greeting);
    assert_false(talk.session.ready());
    assert_true(talk.session.received("+OK\r\n", 0));
    assert_false(talk.session.ready());
    assert_true(talk.session.received("$-1\r\n", 0));
    assert_true(talk.session.ready());
}

void the_greeting_logs_in_before_it_chooses_the_database(void** state) {
    Talk& talk = of(state);
    talk.begin({"ann", "secret", 3, "cacheback", "probe"});
    assert_true(talk.send_all() ==
                "*3\r\n$4\r\nAUTH\r\n$3\r\nann\r\n$6\r\nsecret\r\n"
                "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n" +
                    std::string(plain_greeting));
    assert_true(talk.session.received("+OK\r\n+OK\r\n+OK\r\n$1\r\nx\r\n", 0));
    assert_true(talk.session.ready());
}

void a_password_without_user_is_sent_alone(void** state) {
    Talk& talk = of(state);
    talk.begin({{}, "secret", 0, "cacheback", "probe"});
    assert_true(talk.send_all() == "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n" +
                                       std::string(plain_greeting));
}

void a_wrong_password_fails_the_greeting(void** state) {
    Talk& talk = of(state);
    talk.begin({"ann", "wrong", 1, "cacheback", "probe"});
    assert_false(talk.session.received(
        "-WRONGPASS invalid username-password pair\r\n-NOAUTH a\r\n"
        "-NOAUTH b\r\n-NOAUTH c\r\n",
        0));
    assert_true(talk.session.greeting().step == Step::auth);
    assert_true(talk.session.greeting().kind == ErrorKind::wrong_pass);
    assert_string_equal(talk.session.greeting().text.c_str(),
                        "WRONGPASS invalid username-password pair");
    assert_false(talk.session.ready());
}

void a_database_that_is_not_there_fails_the_greeting(void** state) {
    Talk& talk = of(state);
    talk.begin({{}, {}, 99, "cacheback", "probe"});
    assert_false(talk.session.received("-ERR DB index is out of range\r\n", 0));
    assert_true(talk.session.greeting().step == Step::select);
}

void a_server_that_loads_its_data_fails_the_greeting(void** state) {
    Talk& talk = of(state);
    talk.begin();
    assert_false(talk.session.received("+OK\r\n-LOADING wait\r\n", 0));
    assert_true(talk.session.greeting().step == Step::probe);
    assert_true(talk.session.greeting().kind == ErrorKind::loading);
}

void a_master_is_asked_for_its_role(void** state) {
    Talk& talk = of(state);
    Login login = {{}, {}, 0, "cacheback", "probe"};
    login.only_master = true;
    talk.begin(login);
    assert_true(talk.send_all().find("*1\r\n$4\r\nROLE\r\n") !=
                std::string::npos);
    assert_true(talk.session.received(
        "+OK\r\n*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n$-1\r\n", 0));
    assert_true(talk.session.ready());
}

void a_replica_is_no_master(void** state) {
    Talk& talk = of(state);
    Login login = {{}, {}, 0, "cacheback", "probe"};
    login.only_master = true;
    talk.begin(login);
    assert_false(talk.session.received(
        "+OK\r\n*2\r\n$5\r\nslave\r\n$1\r\nh\r\n$-1\r\n", 0));
    assert_true(talk.session.greeting().step == Step::role);
    assert_string_equal(talk.session.greeting().text.c_str(), "slave");
}

void a_sentinel_has_neither_keys_nor_databases(void** state) {
    Talk& talk = of(state);
    talk.begin({{}, "secret", 3, "cacheback", {}});
    const std::string sent = talk.send_all();
    assert_true(sent.find("GET") == std::string::npos);
    assert_true(sent.find("SELECT") == std::string::npos);
    // It may know no password.
    assert_true(
        talk.session.received("-ERR no password\r\n+OK\r\n+PONG\r\n", 0));
    assert_true(talk.session.ready());
}

void a_sentinel_that_wants_another_password_says_so(void** state) {
    Talk& talk = of(state);
    talk.begin({{}, "secret", 0, "cacheback", {}});
    assert_false(talk.session.received(
        "-WRONGPASS no\r\n-NOAUTH no\r\n-NOAUTH Authentication required\r\n",
        0));
    assert_true(talk.session.greeting().step == Step::ping);
    assert_true(talk.session.greeting().kind == ErrorKind::no_auth);
}

void what_is_no_answer_to_a_ping_breaks_the_link(void** state) {
    Talk& talk = of(state);
    talk.begin({{}, {}, 0, "cacheback", {}});
    assert_false(talk.session.received("+OK\r\n$4\r\nPONG\r\n", 0));
    assert_string_equal(talk.session.broken().c_str(),
                        "an answer to PING that is none");
}

void in_a_cluster_the_probe_may_be_somebody_elses(void** state) {
    Talk& talk = of(state);
    Login login = {{}, {}, 0, "cacheback", "probe"};
    login.in_cluster = true;
    talk.begin(login);
    assert_true(talk.session.received("+OK\r\n-MOVED 7 127.0.0.1:7001\r\n", 0));
    assert_true(talk.session.ready());
}

void outside_of_a_cluster_it_may_not(void** state) {
    Talk& talk = of(state);
    talk.begin();
    assert_false(
        talk.session.received("+OK\r\n-MOVED 7 127.0.0.1:7001\r\n", 0));
    assert_true(talk.session.greeting().kind == ErrorKind::moved);
}

struct Elsewhere {
    std::string command, error;
    int hops = -1;
    bool takes = true;

    static bool redirect(void* owner, const Question& question,
                         std::string_view command, std::string_view error) {
        auto& self = *static_cast<Elsewhere*>(owner);
        self.command = command;
        self.error = error;
        self.hops = question.hops;
        return self.takes;
    }
};

void count_answer(const Question& question, const Answer& answer) {
    auto& count = *static_cast<int*>(question.owner);
    count += answer.end == Answer::End::reply ? 1 : 100;
}

// Two commands of a session that keeps them; the answers that came.
int answers_after(Talk& talk, Elsewhere& elsewhere, std::string_view reply) {
    talk.session.keep_commands(Elsewhere::redirect, &elsewhere);
    talk.begin();
    assert_true(talk.session.received("+OK\r\n$-1\r\n", 0));
    int answers = 0;
    for (const char* command : {"first ", "second "}) {
        talk.session.commands() += command;
        Question question;
        question.done = count_answer;
        question.owner = &answers;
        question.deadline = 100;
        talk.session.ask(question);
    }
    assert_true(talk.session.received(reply, 0));
    return answers;
}

void a_command_goes_where_an_error_sends_it(void** state) {
    Elsewhere elsewhere;
    assert_int_equal(
        answers_after(of(state), elsewhere, "$-1\r\n-MOVED 7 h:1\r\n"), 1);
    assert_string_equal(elsewhere.command.c_str(), "second ");
    assert_string_equal(elsewhere.error.c_str(), "MOVED 7 h:1");
    assert_int_equal(elsewhere.hops, 0);
}

void an_error_that_nobody_follows_is_the_answer(void** state) {
    Elsewhere elsewhere;
    elsewhere.takes = false;
    assert_int_equal(
        answers_after(of(state), elsewhere, "-ASK 7 h:1\r\n$-1\r\n"), 2);
    assert_string_equal(elsewhere.command.c_str(), "first ");
}

void other_errors_send_nobody_anywhere(void** state) {
    Elsewhere elsewhere;
    assert_int_equal(answers_after(of(state), elsewhere, "-ERR no\r\n$-1\r\n"),
                     2);
    assert_string_equal(elsewhere.command.c_str(), "");
}

void kept_commands_stay_with_their_questions_when_there_are_many(void** state) {
    Talk& talk = of(state);
    Elsewhere elsewhere;
    talk.session.keep_commands(Elsewhere::redirect, &elsewhere);
    talk.begin();
    assert_true(talk.session.received("+OK\r\n$-1\r\n", 0));
    int answers = 0;
    constexpr int many = 500;
    for (int i = 0; i < many; ++i) {
        talk.session.commands() += "command " + std::to_string(i);
        Question question;
        question.done = count_answer;
        question.owner = &answers;
        question.deadline = 100;
        talk.session.ask(question);
    }
    for (int i = 0; i < many; ++i) {
        assert_true(talk.session.received("-MOVED 7 h:1\r\n", 0));
        assert_string_equal(elsewhere.command.c_str(),
                            ("command " + std::to_string(i)).c_str());
    }
    assert_int_equal(answers, 0);
}

void a_large_command_is_kept_as_well(void** state) {
    Talk& talk = of(state);
    Elsewhere elsewhere;
    (void)answers_after(talk, elsewhere, "$-1\r\n$-1\r\n");
    for (const bool behind_another : {false, true}) {
        if (!behind_another) { (void)talk.send_all(); }
        talk.session.take_over(std::string(100000, behind_another ? 'b' : 'a'));
        (void)talk.expect(1, 100);
    }
    assert_true(talk.session.received("-MOVED 7 h:1\r\n", 0));
    assert_true(elsewhere.command == std::string(100000, 'a'));
    assert_true(talk.session.received("-MOVED 7 h:1\r\n", 0));
    assert_true(elsewhere.command == std::string(100000, 'b'));
}

void kept_commands_are_let_go_with_their_questions(void** state) {
    Talk& talk = of(state);
    Elsewhere elsewhere;
    talk.session.keep_commands(Elsewhere::redirect, &elsewhere);
    talk.begin();
    assert_true(talk.session.received("+OK\r\n$-1\r\n", 0));
    int answers = 0;
    const std::size_t before = allocated;
    const std::string large(50000, 'x');
    for (int i = 0; i < 200; ++i) {
        talk.session.commands() += large;
        Question question;
        question.done = count_answer;
        question.owner = &answers;
        question.deadline = 100;
        talk.session.ask(question);
        (void)talk.send_all();
        if (i % 2 == 1) {
            assert_true(talk.session.received("+OK\r\n+OK\r\n", 0));
        }
    }
    assert_int_equal(answers, 200);
    assert_true(allocated < before + 400000);
    talk.session.commands() += large;
    talk.session.ask({});
    talk.session.fail_all();
    assert_true(allocated < before + 300000);
}

void what_was_large_is_let_go(void** state) {
    Talk& talk = of(state);
    talk.stand();
    const std::size_t before = allocated;
    const std::string large(900000, 'x');
    const std::size_t text = allocated - before;
    talk.session.take_over(std::string(large));
    (void)talk.expect(1, 100);
    (void)talk.send_all();
    assert_true(allocated < before + text + 100000);
    assert_true(talk.session.received("$900000\r\n" + large + "\r\n", 0));
    (void)talk.ask(2, 100);
    talk.heard = {};
    assert_true(talk.session.received("$1\r\nx\r\n", 0));
    talk.heard.shrink_to_fit();
    assert_true(allocated < before + text + 100000);
    talk.session.commands() += large;
    talk.session.ask({});
    talk.session.fail_all();
    assert_true(allocated < before + text + 100000);
}

void a_question_may_outlive_its_asker(void** state) {
    Talk& talk = of(state);
    talk.begin();
    assert_true(talk.session.received("+OK\r\n$-1\r\n", 0));
    int answers = 0;
    talk.session.commands() += "word";
    Question question;
    question.done = count_answer;
    question.owner = &answers;
    question.deadline = 100;
    question.cancelled = [](const Question& cancelled) {
        *static_cast<int*>(cancelled.owner) += 1000;
    };
    talk.session.cancel(talk.session.ask(question));
    assert_int_equal(answers, 1000);
    assert_true(talk.session.received("$-1\r\n", 0));
    assert_int_equal(answers, 1001);
}

void a_refused_name_does_not_matter(void** state) {
    Talk& talk = of(state);
    talk.begin();
    assert_true(talk.session.received("-NOPERM no client\r\n$-1\r\n", 0));
    assert_true(talk.session.ready());
}

void a_probe_answered_by_no_value_breaks_the_link(void** state) {
    Talk& talk = of(state);
    talk.begin();
    assert_false(talk.session.received("+OK\r\n+OK\r\n", 0));
    assert_false(talk.session.broken().empty());
}

void a_greeting_without_answer_times_out(void** state) {
    Talk& talk = of(state);
    talk.begin();
    talk.session.expire(999);
    assert_true(talk.session.greeting().step == Step::none);
    talk.session.expire(1000);
    assert_true(talk.session.greeting().step == Step::timeout);
}

void questions_wait_for_the_greeting(void** state) {
    Talk& talk = of(state);
    talk.begin();
    talk.ask(1, 250);
    assert_true(talk.send_all() == plain_greeting);
    assert_true(talk.session.received("+OK\r\n$-1\r\n", 0));
    assert_string_equal(talk.send_all().c_str(),
                        "*2\r\n$3\r\nGET\r\n$1\r\n1\r\n");
    assert_true(talk.session.received("$1\r\nv\r\n", 0));
    assert_string_equal(talk.heard.c_str(), "1=v;");
}

// -- questions and answers

void answers_come_in_the_order_of_questions(void** state) {
    Talk& talk = of(state);
    talk.stand();
    for (std::uint64_t tag = 1; tag <= 3; ++tag) { talk.ask(tag, 250); }
    assert_true(talk.session.received("$1\r\na\r\n$-1\r\n-ERR x\r\n", 1));
    assert_string_equal(talk.heard.c_str(), "1=a;2=nil;3=ERR x;");
    assert_int_equal(talk.session.waiting(), 0);
}

void answers_cut_at_every_byte_are_the_same_answers(void**) {
    const std::string_view bytes = "+OK\r\n$-1\r\n$3\r\na\r\n\r\n$-1\r\n+S\r\n";
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        const auto talk = std::make_unique<Talk>();
        talk->begin();
        for (std::uint64_t tag = 1; tag <= 3; ++tag) { talk->ask(tag, 250); }
        assert_true(talk->session.received(bytes.substr(0, cut), 0));
        assert_true(talk->session.received(bytes.substr(cut), 0));
        assert_string_equal(talk->heard.c_str(), "1=a\r\n;2=nil;3=S;");
    }
}

void more_questions_than_the_queue_first_holds_keep_their_order(void** state) {
    Talk& talk = of(state);
    talk.stand();
    std::string replies, expected;
    // The queue wraps around before it grows.
    for (std::uint64_t tag = 0; tag < 40; ++tag) {
        talk.ask(tag, 250);
        assert_true(talk.session.received("$-1\r\n", 0));
    }
    talk.heard.clear();
    for (std::uint64_t tag = 0; tag < 500; ++tag) {
        talk.ask(tag, 250);
        const std::string text = std::to_string(tag);
        replies += "+" + text + "\r\n";
        expected += text + "=" + text + ";";
    }
    assert_true(talk.session.received(replies, 0));
    assert_true(talk.heard == expected);
}

void a_cancelled_question_is_answered_to_nobody(void** state) {
    Talk& talk = of(state);
    talk.stand();
    const QuestionId first = talk.ask(1, 250);
    talk.ask(2, 250);
    talk.session.cancel(first);
    assert_true(talk.session.received("$1\r\na\r\n$1\r\nb\r\n", 0));
    assert_string_equal(talk.heard.c_str(), "2=b;");
    assert_int_equal(talk.session.expire(10000), 0);
}

void cancelling_after_the_answer_touches_nobody_else(void** state) {
    Talk& talk = of(state);
    talk.stand();
    const QuestionId first = talk.ask(1, 250);
    assert_true(talk.session.received("$-1\r\n", 0));
    talk.ask(2, 250);
    talk.session.cancel(first);
    talk.session.cancel(0);
    talk.session.cancel(first + 1000);
    assert_true(talk.session.received("$-1\r\n", 0));
    assert_string_equal(talk.heard.c_str(), "1=nil;2=nil;");
}

void ids_of_an_ended_link_mean_nothing_on_the_next(void** state) {
    Talk& talk = of(state);
    talk.stand();
    const QuestionId old = talk.ask(1, 250);
    talk.session.fail_all();
    talk.stand();
    const QuestionId fresh = talk.ask(2, 250);
    assert_true(fresh != old);
    talk.session.cancel(old);
    assert_true(talk.session.received("$-1\r\n", 0));
    assert_string_equal(talk.heard.c_str(), "1=lost;2=nil;");
}

void a_callback_may_ask_again(void** state) {
    Talk& talk = of(state);
    talk.stand();
    talk.ask(1, 250);
    talk.ask_in_callback = true;
    assert_true(talk.session.received("$-1\r\n", 0));
    talk.ask_in_callback = false;
    assert_int_equal(talk.session.waiting(), 1);
    assert_true(talk.session.received("$-1\r\n", 0));
    assert_string_equal(talk.heard.c_str(), "1=nil;101=nil;");
}

void a_callback_may_end_the_link(void** state) {
    Talk& talk = of(state);
    talk.stand();
    talk.ask(1, 250);
    talk.ask(2, 250);
    talk.end_in_callback = true;
    assert_false(talk.session.received("$-1\r\n$-1\r\n", 0));
    assert_string_equal(talk.heard.c_str(), "1=nil;2=lost;");
    assert_int_equal(talk.session.waiting(), 0);
}

// -- bytes out

void bytes_taken_a_few_at_a_time_are_sent_in_order(void**) {
    for (std::size_t step = 1; step < 40; ++step) {
        const auto talk = std::make_unique<Talk>();
        talk->stand();
        std::string expected;
        talk->ask(1, 250);
        append_command(expected, {"GET", "1"});
        std::string large(1000, 'x');
        expected += large;
        talk->session.take_over(std::move(large));
        talk->expect(2, 250);
        talk->ask(3, 250);
        append_command(expected, {"GET", "3"});
        assert_int_equal(talk->session.unsent(), expected.size());
        assert_true(talk->send_all(step) == expected);
        assert_int_equal(talk->session.unsent(), 0);
    }
}

void pieces_cover_what_is_unsent(void** state) {
    Talk& talk = of(state);
    talk.stand();
    talk.ask(1, 250);
    talk.session.take_over(std::string(100, 'a'));
    talk.expect(2, 250);
    talk.session.take_over(std::string(100, 'b'));
    talk.expect(3, 250);
    std::string_view pieces[8];
    assert_int_equal(talk.session.views(pieces, 8), 3);
    assert_int_equal(talk.session.views(pieces, 2), 2);
    const std::size_t all = talk.session.unsent();
    talk.session.sent(pieces[0].size() + 50, 0);
    assert_int_equal(talk.session.unsent(), all - pieces[0].size() - 50);
    assert_int_equal(talk.session.views(pieces, 8), 2);
    assert_true(pieces[0] == std::string(50, 'a'));
    talk.session.sent(150, 0);
    assert_int_equal(talk.session.views(pieces, 8), 0);
    assert_int_equal(talk.session.unsent(), 0);
}

void a_command_taken_over_is_not_copied(void** state) {
    Talk& talk = of(state);
    talk.stand();
    std::string large(100 * 1024, 'x');
    const char* bytes = large.data();
    talk.session.take_over(std::move(large));
    std::string_view piece;
    assert_int_equal(talk.session.views(&piece, 1), 1);
    assert_ptr_equal(piece.data(), bytes);
}

void small_commands_share_one_piece(void** state) {
    Talk& talk = of(state);
    talk.stand();
    for (std::uint64_t tag = 0; tag < 50; ++tag) { talk.ask(tag, 250); }
    std::string_view pieces[8];
    assert_int_equal(talk.session.views(pieces, 8), 1);
}

void nothing_unsent_outlives_the_link(void** state) {
    Talk& talk = of(state);
    talk.stand();
    talk.ask(1, 250);
    talk.session.take_over(std::string(100, 'a'));
    talk.expect(2, 250);
    talk.session.fail_all();
    assert_int_equal(talk.session.unsent(), 0);
    talk.begin();
    assert_true(talk.send_all() == plain_greeting);
}

// -- time

void an_overdue_question_is_answered_and_its_late_reply_dropped(void** state) {
    Talk& talk = of(state);
    talk.stand();
    talk.ask(1, 250);
    talk.ask(2, 300);
    assert_int_equal(talk.session.expire(249), 0);
    assert_int_equal(talk.session.expire(250), 1);
    assert_string_equal(talk.heard.c_str(), "1=timeout;");
    assert_true(talk.session.received("+late\r\n+intime\r\n", 260));
    assert_string_equal(talk.heard.c_str(), "1=timeout;2=intime;");
}

void a_link_is_late_until_the_overdue_reply_comes(void** state) {
    Talk& talk = of(state);
    talk.stand();
    assert_false(talk.session.late(10000));
    talk.ask(1, 250);
    assert_false(talk.session.late(249));
    assert_true(talk.session.late(250));
    talk.session.expire(250);
    assert_true(talk.session.late(260));
    assert_true(talk.session.received("$-1\r\n", 270));
    assert_false(talk.session.late(270));
}

void a_silent_link_is_dead_after_twice_the_time(void** state) {
    Talk& talk = of(state);
    talk.stand();
    talk.ask(1, 250);
    (void)talk.send_all();
    talk.session.expire(250);
    assert_false(talk.session.dead(499));
    assert_true(talk.session.dead(500));
}

void a_link_on_which_bytes_move_is_given_longer(void** state) {
    Talk& talk = of(state);
    talk.stand();
    talk.ask(1, 250);
    assert_true(talk.session.received("$1000\r\nabc", 400));
    assert_false(talk.session.dead(500));
    assert_false(talk.session.dead(649));
    assert_true(talk.session.dead(650));
}

void a_trickle_does_not_hold_a_link_for_ever(void** state) {
    Talk& talk = of(state);
    talk.stand();
    talk.ask(1, 250);
    assert_true(talk.session.received("$100000\r\n", 0));
    Millis now = 0;
    while (!talk.session.dead(now)) {
        assert_true(talk.session.received("x", now));
        now += 100;
        assert_true(now < 10000);
    }
    assert_true(now >= 250 + patience);
}

void the_next_wake_is_the_next_deadline(void** state) {
    Talk& talk = of(state);
    talk.stand();
    assert_int_equal(talk.session.next_wake(0), 0);
    talk.ask(1, 250);
    talk.ask(2, 300);
    assert_int_equal(talk.session.next_wake(0), 250);
    talk.session.expire(250);
    assert_int_equal(talk.session.next_wake(250), 300);
    talk.session.expire(300);
    assert_int_equal(talk.session.next_wake(300), 500);  // dead by then
    assert_true(talk.session.dead(500));
}

// -- broken links

void a_reply_that_nobody_asked_for_breaks_the_link(void** state) {
    Talk& talk = of(state);
    talk.stand();
    talk.ask(1, 250);
    assert_false(talk.session.received("$-1\r\n+surplus\r\n", 0));
    assert_string_equal(talk.heard.c_str(), "1=nil;");
    assert_string_equal(talk.session.broken().c_str(),
                        "a reply that nobody asked for");
}

void garbage_breaks_the_link(void** state) {
    Talk& talk = of(state);
    talk.stand();
    talk.ask(1, 250);
    assert_false(talk.session.received("HTTP/1.1 400\r\n", 0));
    assert_false(talk.session.broken().empty());
    assert_string_equal(talk.heard.c_str(), "");
    talk.session.fail_all();
    assert_string_equal(talk.heard.c_str(), "1=lost;");
}

void an_absurdly_long_value_breaks_the_link(void** state) {
    Talk& talk = of(state);
    talk.stand();
    talk.ask(1, 250);
    const std::string piece(64 * 1024, 'x');
    assert_true(talk.session.received("$9999999999\r\n", 0));
    int pieces = 0;
    while (talk.session.received(piece, 0)) { assert_true(++pieces < 20); }
    assert_string_equal(talk.session.broken().c_str(),
                        "a reply of more than 1048576 bytes");
}

void a_lost_link_answers_all_in_order(void** state) {
    Talk& talk = of(state);
    talk.stand();
    for (std::uint64_t tag = 1; tag <= 3; ++tag) { talk.ask(tag, 250); }
    talk.session.fail_all();
    assert_string_equal(talk.heard.c_str(), "1=lost;2=lost;3=lost;");
    assert_int_equal(talk.session.waiting(), 0);
    assert_false(talk.session.ready());
}

void a_forgotten_link_answers_nobody(void** state) {
    Talk& talk = of(state);
    talk.stand();
    talk.ask(1, 250);
    talk.session.forget_all();
    assert_string_equal(talk.heard.c_str(), "");
    assert_int_equal(talk.session.waiting(), 0);
}

void half_a_reply_of_one_link_is_no_part_of_the_next(void** state) {
    Talk& talk = of(state);
    talk.stand();
    talk.ask(1, 250);
    assert_true(talk.session.received("$100\r\nhalf", 0));
    talk.session.fail_all();
    talk.heard.clear();
    talk.stand();
    talk.ask(2, 250);
    assert_true(talk.session.received("$1\r\nv\r\n", 0));
    assert_string_equal(talk.heard.c_str(), "2=v;");
}

}  // namespace

int main() {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_talk, drop_talk)
    const CMUnitTest tests[] = {
        TEST(the_greeting_names_the_client_and_reads_a_key),
        TEST(the_greeting_logs_in_before_it_chooses_the_database),
        TEST(a_password_without_user_is_sent_alone),
        TEST(a_wrong_password_fails_the_greeting),
        TEST(a_database_that_is_not_there_fails_the_greeting),
        TEST(a_server_that_loads_its_data_fails_the_greeting),
        TEST(a_master_is_asked_for_its_role),
        TEST(a_replica_is_no_master),
        TEST(a_sentinel_has_neither_keys_nor_databases),
        TEST(a_sentinel_that_wants_another_password_says_so),
        TEST(what_is_no_answer_to_a_ping_breaks_the_link),
        TEST(in_a_cluster_the_probe_may_be_somebody_elses),
        TEST(outside_of_a_cluster_it_may_not),
        TEST(a_command_goes_where_an_error_sends_it),
        TEST(an_error_that_nobody_follows_is_the_answer),
        TEST(other_errors_send_nobody_anywhere),
        TEST(a_large_command_is_kept_as_well),
        TEST(kept_commands_are_let_go_with_their_questions),
        TEST(what_was_large_is_let_go),
        TEST(kept_commands_stay_with_their_questions_when_there_are_many),
        TEST(a_question_may_outlive_its_asker),
        TEST(a_refused_name_does_not_matter),
        TEST(a_probe_answered_by_no_value_breaks_the_link),
        TEST(a_greeting_without_answer_times_out),
        TEST(questions_wait_for_the_greeting),
        TEST(answers_come_in_the_order_of_questions),
        cmocka_unit_test(answers_cut_at_every_byte_are_the_same_answers),
        TEST(more_questions_than_the_queue_first_holds_keep_their_order),
        TEST(a_cancelled_question_is_answered_to_nobody),
        TEST(cancelling_after_the_answer_touches_nobody_else),
        TEST(ids_of_an_ended_link_mean_nothing_on_the_next),
        TEST(a_callback_may_ask_again),
        TEST(a_callback_may_end_the_link),
        cmocka_unit_test(bytes_taken_a_few_at_a_time_are_sent_in_order),
        TEST(pieces_cover_what_is_unsent),
        TEST(a_command_taken_over_is_not_copied),
        TEST(small_commands_share_one_piece),
        TEST(nothing_unsent_outlives_the_link),
        TEST(an_overdue_question_is_answered_and_its_late_reply_dropped),
        TEST(a_link_is_late_until_the_overdue_reply_comes),
        TEST(a_silent_link_is_dead_after_twice_the_time),
        TEST(a_link_on_which_bytes_move_is_given_longer),
        TEST(a_trickle_does_not_hold_a_link_for_ever),
        TEST(the_next_wake_is_the_next_deadline),
        TEST(a_reply_that_nobody_asked_for_breaks_the_link),
        TEST(garbage_breaks_the_link),
        TEST(an_absurdly_long_value_breaks_the_link),
        TEST(a_lost_link_answers_all_in_order),
        TEST(a_forgotten_link_answers_nobody),
        TEST(half_a_reply_of_one_link_is_no_part_of_the_next),
    };
#undef TEST
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
