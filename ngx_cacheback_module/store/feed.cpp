#include "feed.hpp"

namespace cacheback::store {

namespace {

constexpr ngx_msec_t look = 250;        // whether the reader is still there
constexpr core::Millis silence = 1000;  // the server answers by then

// What is read first when there is no message yet.
constexpr std::string_view beginning = "0-0";

}  // namespace

Feed::Feed(const RedisConf& conf, const RedisKeys& keys, RedisHealth& health,
           ControlZone& control, OnChange on_change, void* data)
    : keys_(keys),
      health_(health),
      control_(control),
      on_change_(on_change),
      data_(data),
      lane_(conf, health, "cacheback-feed", keys.probe(),
            ngx::Timer::Exit::goes),
      tick_(
          ngx::Timer::Exit::goes,
          [](void* self) { static_cast<Feed*>(self)->tick(); }, this) {
    tick_.start(1);  // the event loop is not there yet when a worker starts
}

void Feed::shut_down() noexcept {
    tick_.stop();
    lane_.shut_down();
    control_.leave_feed();
}

void Feed::tick() {
    if (ngx_exiting) {
        shut_down();
        return;
    }
    tick_.start(look);
    if (!control_.reads_feed()) { return; }
    if (!reading_) { read(); }
}

void Feed::read() {
    if (!health_.well() || !lane_.open_for_questions()) { return; }
    const std::string position = control_.feed_position();
    placed_ = !position.empty();
    redis::Question question;
    question.done = on_page;
    question.owner = this;
    if (placed_) {
        redis::append_feed_read(lane_.commands(), keys_.feed(), position,
                                silence);
    } else {
        redis::append_feed_end(lane_.commands(), keys_.feed());
    }
    reading_ = true;
    lane_.ask(question, placed_ ? silence : 0);
}

void Feed::on_page(const redis::Question& question,
                   const redis::Answer& answer) {
    static_cast<Feed*>(question.owner)->take(answer);
}

void Feed::take(const redis::Answer& answer) {
    reading_ = false;
    // Lost, late or refused: the next tick tries again.
    if (answer.end != redis::Answer::End::reply) { return; }
    if (answer.reply->kind == redis::Reply::Kind::error) {
        health_.feed_error(answer.reply->text);
        return;
    }
    const redis::FeedPage page = placed_ ? redis::read_feed(*answer.reply)
                                         : redis::read_feed_end(*answer.reply);
    if (!page.sound) {
        health_.garbage("an answer to XREAD that is none");
        return;
    }
    if (!placed_ && page.position.empty()) {
        control_.set_feed_position(beginning);
    } else if (!page.position.empty()) {
        control_.set_feed_position(page.position);
    }
    if (placed_) {
        for (const redis::Change& change : page.changes) {
            if (change.box != control_.box()) { on_change_(data_, change); }
        }
    }
    if (!ngx_exiting && control_.reads_feed()) { read(); }
}

}  // namespace cacheback::store
