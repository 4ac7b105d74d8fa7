#include "shared_gets.hpp"

namespace cacheback::store {

void SharedGets::Asker::leave() noexcept {
    if (done_ == nullptr) { return; }
    done_ = nullptr;
    ngx_queue_remove(&link_);
    Get* get = std::exchange(get_, nullptr);
    if (get == nullptr || !ngx_queue_empty(&get->askers)) { return; }
    get->sent.lane->cancel(get->sent.id);
    get->owner->remove(*get);
}

SharedGets::SharedGets(core::Millis timeout)
    : timeout_(timeout),
      buckets_(buckets),
      deadline_(
          ngx::Timer::Exit::waits,
          [](void* self) { static_cast<SharedGets*>(self)->on_deadline(); },
          this) {}

bool SharedGets::join(const Subject& subject, Asker& asker, RedisDone done,
                      void* data, core::Millis spent) noexcept {
    for (Get* get = bucket(subject.hash); get != nullptr; get = get->next) {
        if (get->subject == subject && get->deadline > now()) {
            add(*get, asker, done, data, spent);
            return true;
        }
    }
    return false;
}

SharedGets::Get& SharedGets::place() {
    if (free_ == nullptr) {
        Get& get = places_.emplace_back();
        get.owner = this;
        get.next = nullptr;
        free_ = &get;
    }
    return *free_;
}

void SharedGets::begin(Get& get, const Subject& subject, RedisLane& lane,
                       redis::QuestionId question, Asker& asker, RedisDone done,
                       void* data, core::Millis spent) noexcept {
    free_ = get.next;
    get.subject = subject;
    get.sent = {&lane, question};
    lane.hold();
    get.deadline = now() + timeout_;
    ngx_queue_init(&get.askers);
    Get*& first = bucket(subject.hash);
    get.next = first;
    first = &get;
    ++under_way_;
    add(get, asker, done, data, spent);
}

void SharedGets::add(Get& get, Asker& asker, RedisDone done, void* data,
                     core::Millis spent) noexcept {
    asker.get_ = &get;
    asker.done_ = done;
    asker.data_ = data;
    asker.deadline_ = now() + timeout_ - spent;
    ngx_queue_insert_tail(&get.askers, &asker.link_);
    if (asker.deadline_ < get.deadline) { watch(asker.deadline_); }
}

void SharedGets::remove(Get& get) noexcept {
    Get** at = &bucket(get.subject.hash);
    while (*at != &get) { at = &(*at)->next; }
    *at = get.next;
    get.sent.lane->let_go();
    get.sent = {};
    get.next = free_;
    free_ = &get;
    if (--under_way_ == 0) { deadline_.stop(); }
}

void SharedGets::end(Get& get, RedisReply reply) noexcept {
    reply.asked = get.deadline - timeout_;
    ngx_queue_t askers;
    ngx_queue_init(&askers);
    if (!ngx_queue_empty(&get.askers)) {
        ngx_queue_add(&askers, &get.askers);
        for (ngx_queue_t* q = ngx_queue_head(&askers); q != &askers;
             q = ngx_queue_next(q)) {
            reinterpret_cast<Asker*>(q)->get_ = nullptr;
        }
    }
    remove(get);
    tell(askers, reply);
}

// Who is told may ask anew, and make others leave that are still to be told.
void SharedGets::tell(ngx_queue_t& askers, RedisReply reply) noexcept {
    std::string* owner = std::exchange(reply.owner, nullptr);
    while (!ngx_queue_empty(&askers)) {
        auto* asker = reinterpret_cast<Asker*>(ngx_queue_head(&askers));
        const RedisDone done = asker->done_;
        void* data = asker->data_;
        asker->leave();
        if (ngx_queue_empty(&askers)) { reply.owner = owner; }
        done(data, reply);
    }
}

void SharedGets::watch(core::Millis when) noexcept {
    const auto due = static_cast<ngx_msec_t>(when);
    if (deadline_.running()) {
        if (deadline_.due() <= due) { return; }
        deadline_.stop();  // nginx would keep a time that is not far off
    }
    deadline_.start(due > ngx_current_msec ? due - ngx_current_msec : 1);
}

void SharedGets::catch_up() {
    std::vector<RedisLane*> lanes;
    for (const Get* first : buckets_) {
        for (const Get* get = first; get != nullptr; get = get->next) {
            if (std::find(lanes.begin(), lanes.end(), get->sent.lane) ==
                lanes.end()) {
                lanes.push_back(get->sent.lane);
            }
        }
    }
    for (RedisLane* lane : lanes) { lane->catch_up(); }
}

// The question stays: others wait for it, or may join yet, and whether the
// server is well shows at its own deadline.
void SharedGets::on_deadline() {
    catch_up();
    ngx_queue_t late;
    ngx_queue_init(&late);
    for (Get* first : buckets_) {
        for (Get* get = first; get != nullptr; get = get->next) {
            ngx_queue_t* q = ngx_queue_head(&get->askers);
            while (q != &get->askers) {
                auto* asker = reinterpret_cast<Asker*>(q);
                q = ngx_queue_next(q);
                if (asker->deadline_ <= now()) {
                    ngx_queue_remove(&asker->link_);
                    ngx_queue_insert_tail(&late, &asker->link_);
                    asker->get_ = nullptr;
                } else if (asker->deadline_ < get->deadline) {
                    watch(asker->deadline_);
                }
            }
        }
    }
    tell(late, {});
}

void SharedGets::close() noexcept {
    for (Get* first : buckets_) {
        while (first != nullptr) {
            Get& get = *first;
            first = get.next;
            while (!ngx_queue_empty(&get.askers)) {
                auto* asker =
                    reinterpret_cast<Asker*>(ngx_queue_head(&get.askers));
                asker->get_ = nullptr;
                asker->leave();
            }
            remove(get);
        }
    }
}

}  // namespace cacheback::store
