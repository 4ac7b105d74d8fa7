// lua/handle.cpp: the table of handles, and their ties to requests.
#include "handle.hpp"

#include <limits>
#include <memory>
#include <unordered_map>

namespace cacheback::lua {

namespace {

// Never destroyed: handles that are left when the process exits stay, for what
// they would give back is gone by then.
std::unordered_map<int, Handle*>& table() {
    static auto& instance = *new std::unordered_map<int, Handle*>;
    return instance;
}

int last_number = 0;

// One for each request that has handles, in its pool.
struct Ties {
    ngx_queue_t handles;
};

}  // namespace

ngx_http_cacheback_lua_post_pt Signal::post = nullptr;

void Signal::send() const noexcept {
    if (semaphore_ != nullptr && post != nullptr) { post(semaphore_, 1); }
}

Handle::~Handle() {
    if (tie_.owner != nullptr) { ngx_queue_remove(&tie_.queue); }
}

int Handles::add(std::unique_ptr<Handle> handle, void* request) {
    auto& handles = table();
    do {
        last_number = last_number == std::numeric_limits<int>::max()
                          ? 1
                          : last_number + 1;
    } while (handles.count(last_number) != 0);
    tie(*handle, request);
    handle->number_ = last_number;
    handles.emplace(last_number, handle.get());
    return handle.release()->number_;
}

Handle* Handles::find(int number) noexcept {
    auto& handles = table();
    const auto found = handles.find(number);
    return found == handles.end() ? nullptr : found->second;
}

void Handles::bind(int number, void* request) {
    Handle* handle = find(number);
    if (handle != nullptr) { tie(*handle, request); }
}

void Handles::tie(Handle& handle, void* request) {
    if (request == nullptr) { return; }
    ngx_http_request_t& r = *static_cast<ngx_http_request_t*>(request)->main;

    Ties* ties = nullptr;
    for (ngx_http_cleanup_t* c = r.cleanup; c != nullptr; c = c->next) {
        if (c->handler == on_request_end) {
            ties = static_cast<Ties*>(c->data);
            break;
        }
    }
    if (ties == nullptr) {
        // Called before Lua's own, which came first: the coroutine that waits
        // is still there, and its semaphore is posted no more.
        ngx_http_cleanup_t* c = ngx_http_cleanup_add(&r, sizeof(Ties));
        if (c == nullptr) { throw std::bad_alloc{}; }
        c->handler = on_request_end;
        ties = static_cast<Ties*>(c->data);
        ngx_queue_init(&ties->handles);
    }
    if (handle.tie_.owner != nullptr) { ngx_queue_remove(&handle.tie_.queue); }
    handle.tie_.owner = &handle;
    ngx_queue_insert_tail(&ties->handles, &handle.tie_.queue);
}

void Handles::drop(int number) noexcept {
    Handle* handle = find(number);
    // A worker that exits has closed its stores before Lua frees what it has.
    if (handle == nullptr || !handle->store().in_worker()) { return; }
    table().erase(number);
    delete handle;
}

void Handles::on_request_end(void* data) noexcept {
    auto& ties = *static_cast<Ties*>(data);
    while (!ngx_queue_empty(&ties.handles)) {
        auto* tie =
            reinterpret_cast<Handle::Tie*>(ngx_queue_head(&ties.handles));
        ngx_queue_remove(&tie->queue);
        drop(std::exchange(tie->owner, nullptr)->number_);
    }
}

}  // namespace cacheback::lua
