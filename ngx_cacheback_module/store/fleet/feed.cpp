#include "feed.hpp"

namespace cacheback::store {

namespace {

constexpr ngx_msec_t look = 250;          // whether the reader is still there
constexpr core::Millis silence = 200;     // the server answers by then
constexpr core::Millis look_pause = 100;  // between looks for the anchor

// What is read first when there is no message yet.
constexpr std::string_view beginning = "0-0";

}  // namespace

Feed::Feed(const RedisKeys& keys, RedisServers& servers, ControlZone& control,
           OnChange on_change, void* data)
    : keys_(keys),
      servers_(servers),
      control_(control),
      on_change_(on_change),
      data_(data),
      tick_(
          ngx::Timer::Exit::goes,
          [](void* self) { static_cast<Feed*>(self)->tick(); }, this) {
    tick_.start(1);  // the event loop is not there yet when a worker starts
}

void Feed::shut_down() noexcept {
    tick_.stop();
    if (node_ != nullptr) { node_->feed.shut_down(); }
    control_.leave_feed();
}

void Feed::follow() {
    RedisNode* node = servers_.feed_holder();
    if (node == node_) { return; }
    if (node_ != nullptr) {
        node_->feed.rest();
        node_->feed.let_go();
    }
    node_ = node;
    if (node_ != nullptr) { node_->feed.hold(); }
    step_ = Step::place;
}

void Feed::tick() {
    if (ngx_exiting) {
        shut_down();
        return;
    }
    tick_.start(look);
    follow();
    if (!control_.reads_feed()) {
        reader_since_ = 0;
        return;
    }
    watch();
    if (!reading_) { read(); }
}

void Feed::read() {
    if (node_ == nullptr || !node_->health.well() ||
        !node_->feed.open_for_questions()) {
        return;
    }
    asked_ = MemoryTier::clock();
    if (step_ == Step::place) {
        complete_ = 0;
        marks_refused_ = false;
        position_ = control_.feed_position();
        anchor_ = position_;
        const bool nowhere = position_.empty() || position_ == beginning;
        if (nowhere) { step_ = Step::newest; }
    }
    if (step_ == Step::follow && !control_.knows_purges() && !marks_refused_) {
        step_ = Step::marks;
        marks_ = 0;
        last_mark_ = 0;
    }
    core::Millis wait = 0;
    switch (step_) {
    case Step::place:
        redis::append_feed_look(node_->feed.commands(), keys_.feed(), anchor_);
        break;
    case Step::newest:
        redis::append_feed_end(node_->feed.commands(), keys_.feed());
        break;
    case Step::marks:
        redis::append_marks_read(
            node_->feed.commands(), {keys_.purges(), keys_.feed()},
            control_.fetch_number().in_store() + 1, control_.box(), marks_);
        break;
    case Step::catch_up:
    case Step::follow:
        if (asked_ - looked_ >= look_pause) { look_for_anchor(); }
        // At first without waiting: the sooner the box knows it is current.
        wait = step_ == Step::follow ? silence : 0;
        redis::append_feed_read(node_->feed.commands(), keys_.feed(), position_,
                                wait);
        wait *= 2;  // the server looks at who waits ten times a second
        break;
    }
    redis::Question question;
    question.done = on_page;
    question.owner = this;
    reading_ = true;
    node_->feed.ask(question, wait);
}

// Its answer comes before that to what is asked next.
void Feed::look_for_anchor() {
    looked_ = asked_;
    if (anchor_ == beginning) {
        begin_stream();
        return;
    }
    redis::append_feed_look(node_->feed.commands(), keys_.feed(), anchor_);
    redis::Question question;
    question.done = on_anchor;
    question.owner = this;
    node_->feed.ask(question);
}

// Of an empty stream nothing can be found missing: a server that was flushed
// would look the same. So there has to be a word, about nothing.
void Feed::begin_stream() {
    constexpr core::Millis pause = core::second;
    if (!node_->health.writes() || !node_->health.fleet() ||
        (begun_ != 0 && asked_ - begun_ < pause)) {
        return;
    }
    begun_ = asked_;
    redis::Change change;
    change.kind = redis::Change::Kind::released;
    change.box = control_.box();
    redis::append_change(node_->feed.commands(), keys_.feed(), change);
    redis::Question question;
    question.done = [](const redis::Question& asked,
                       const redis::Answer& answer) {
        RedisHealth::of(asked).judge_fleet(answer);
    };
    node_->feed.ask(question);
}

void Feed::on_anchor(const redis::Question& question,
                     const redis::Answer& answer) {
    auto& self = *static_cast<Feed*>(question.owner);
    if (answer.end != redis::Answer::End::reply) { return; }
    const redis::FeedPage page = redis::read_feed_part(*answer.reply);
    if (!page.sound) { return; }
    if (page.position.empty()) {
        self.missed_ = true;
        return;
    }
    self.anchor_ = self.position_;
    self.prove();
}

void Feed::prove() {
    const core::Millis away = complete_ - control_.feed_proven();
    if (away <= 0) { return; }  // nothing has been read since
    if (std::exchange(told_silence_, false)) { node_->health.feed_heard(away); }
    control_.prove_feed(complete_);
}

// A server that is away has a line of its own in the log.
void Feed::watch() {
    const core::Millis now = MemoryTier::clock();
    if (node_ == nullptr) { return; }
    if (reader_since_ == 0 || !node_->health.well()) { reader_since_ = now; }
    constexpr core::Millis long_enough = 3 * core::second;
    const core::Millis last = std::max(control_.feed_proven(), reader_since_);
    if (told_silence_ || now - last < long_enough) { return; }
    told_silence_ = true;
    node_->health.feed_silent(now - last);
}

void Feed::on_page(const redis::Question& question,
                   const redis::Answer& answer) {
    auto& self = *static_cast<Feed*>(question.owner);
    self.reading_ = false;
    if (!self.take(answer)) {  // the next tick tries again
        self.step_ = Step::place;
        return;
    }
    if (!ngx_exiting) { self.read(); }
}

bool Feed::take(const redis::Answer& answer) {
    // A worker that was held up meanwhile may have been given up for dead.
    if (answer.end != redis::Answer::End::reply || !control_.reads_feed()) {
        return false;
    }
    if (answer.reply->kind == redis::Reply::Kind::error) {
        if (redis::error_kind(answer.reply->text) == redis::ErrorKind::moved) {
            servers_.doubt();
        }
        node_->health.feed_error(answer.reply->text);
        if (step_ != Step::marks) { return false; }
        // The feed tells the rest all the same.
        marks_refused_ = true;
        step_ = Step::follow;
        return true;
    }
    if (step_ == Step::marks) {
        return take_marks(*answer.reply) ||
               fail("an answer that is no list of purged tags");
    }
    const bool placing = step_ == Step::place || step_ == Step::newest;
    const redis::FeedPage page = placing ? redis::read_feed_part(*answer.reply)
                                         : redis::read_feed(*answer.reply);
    if (!page.sound) { return fail("an answer that is no message"); }
    take_page(page);
    return true;
}

bool Feed::fail(std::string_view why) {
    node_->health.feed_error(why);
    return false;
}

bool Feed::take_marks(const redis::Reply& reply) {
    const redis::MarksPage page = redis::read_marks(reply);
    if (!page.sound) { return false; }
    for (const redis::Mark& mark : page.marks) {
        control_.note_mark(mark.tag,
                           mark.gone ? PurgeKind::gone : PurgeKind::stale,
                           PurgeNumber::of_store(mark.number));
    }
    marks_ += redis::marks_of_page;
    last_mark_ = std::max(last_mark_, page.highest);
    if (page.known_since || marks_ >= redis::marks_read) {
        control_.know_purges(
            PurgeNumber::of_store(page.known_since.value_or(page.lowest)),
            PurgeNumber::of_store(last_mark_));
        step_ = Step::follow;
    }
    return true;
}

void Feed::take_page(const redis::FeedPage& page) {
    switch (step_) {
    case Step::place:
        missed_ = page.position.empty();
        step_ = missed_ ? Step::newest : Step::catch_up;
        return;
    case Step::newest:
        begin_at(page.position);
        step_ = Step::follow;
        return;
    case Step::marks: return;
    case Step::catch_up:
    case Step::follow:
        step_ = Step::follow;
        if (missed_) {
            step_ = Step::newest;
            return;
        }
        for (const redis::Change& change : page.changes) {
            on_change_(data_, change);
        }
        if (!page.full) { complete_ = asked_; }
        // Last: another worker would begin with what this one has not done.
        if (!page.position.empty()) {
            if (anchor_ == beginning) {
                anchor_ = page.first;
                looked_ = 0;  // at once: so far nothing is proven
            }
            position_ = page.position;
            control_.set_feed_position(position_);
        }
        return;
    }
}

void Feed::begin_at(std::string_view newest) {
    missed_ = missed_ || (position_ == beginning && !newest.empty());
    if (missed_) {
        missed_ = false;
        control_.miss_feed();
        if (budget_.take(MemoryTier::clock())) {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "cacheback: changes of other boxes were missed, "
                          "redis is asked before copies in memory are served");
        }
    }
    position_ = newest.empty() ? beginning : newest;
    anchor_ = position_;
    complete_ = asked_;
    control_.set_feed_position(position_);
}

}  // namespace cacheback::store
