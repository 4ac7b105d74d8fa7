#include "feed.hpp"

namespace cacheback::store {

namespace {

constexpr ngx_msec_t look = 250;        // whether the reader is still there
constexpr core::Millis silence = 1000;  // the server answers by then

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
    if (node_ != nullptr) { node_->feed.rest(); }
    node_ = node;
    step_ = Step::oldest;
}

void Feed::tick() {
    if (ngx_exiting) {
        shut_down();
        return;
    }
    tick_.start(look);
    follow();
    if (!control_.reads_feed()) { return; }
    if (!reading_) { read(); }
}

void Feed::read() {
    if (node_ == nullptr || !node_->health.well() ||
        !node_->feed.open_for_questions()) {
        return;
    }
    redis::Question question;
    question.done = on_page;
    question.owner = this;
    core::Millis wait = 0;
    switch (step_) {
    case Step::oldest:
        redis::append_feed_begin(node_->feed.commands(), keys_.feed());
        break;
    case Step::newest:
        redis::append_feed_end(node_->feed.commands(), keys_.feed());
        break;
    case Step::follow:
        redis::append_feed_read(node_->feed.commands(), keys_.feed(),
                                control_.feed_position(), silence);
        // The server looks at who waits ten times a second.
        wait = 2 * silence;
        break;
    }
    reading_ = true;
    node_->feed.ask(question, wait);
}

void Feed::on_page(const redis::Question& question,
                   const redis::Answer& answer) {
    auto& self = *static_cast<Feed*>(question.owner);
    self.take(RedisHealth::of(question), answer);
}

void Feed::take(RedisHealth& health, const redis::Answer& answer) {
    reading_ = false;
    // Lost, late or refused: the next tick tries again.
    if (answer.end != redis::Answer::End::reply) {
        step_ = Step::oldest;
        return;
    }
    if (answer.reply->kind == redis::Reply::Kind::error) {
        step_ = Step::oldest;
        if (redis::error_kind(answer.reply->text) == redis::ErrorKind::moved) {
            servers_.doubt();
        }
        health.feed_error(answer.reply->text);
        return;
    }
    const redis::FeedPage page = step_ == Step::follow
                                     ? redis::read_feed(*answer.reply)
                                     : redis::read_feed_end(*answer.reply);
    if (!page.sound) {
        step_ = Step::oldest;
        health.feed_error("an answer that is no message");
        return;
    }
    take_page(page);
    if (!ngx_exiting && control_.reads_feed()) { read(); }
}

void Feed::take_page(const redis::FeedPage& page) {
    switch (step_) {
    case Step::oldest:
        oldest_ = page.position;
        step_ = Step::newest;
        return;
    case Step::newest:
        place(page.position);
        step_ = Step::follow;
        return;
    case Step::follow:
        for (const redis::Change& change : page.changes) {
            on_change_(data_, &change);
        }
        // Last: another worker would begin with what this one has not done.
        if (!page.position.empty()) {
            control_.set_feed_position(page.position);
        }
        return;
    }
}

// Goes on behind the last message that this box has read, when nothing that
// came after it is missing.
void Feed::place(std::string_view newest) {
    const std::string position = control_.feed_position();
    const bool missed =
        !position.empty() && (redis::lies_before(newest, position) ||
                              redis::lies_before(position, oldest_));
    if (!position.empty() && !missed) { return; }
    control_.set_feed_position(newest.empty() ? beginning : newest);
    if (missed) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "cacheback: changes of other boxes were missed, the "
                      "memory tier is emptied");
        on_change_(data_, nullptr);
    }
}

}  // namespace cacheback::store
