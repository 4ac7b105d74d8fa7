// lua/api.hpp: the C functions that lua_shim calls through LuaJIT's FFI; its
// lib/resty/cacheback/engine.lua declares them again, word for word.
//
// Nothing here blocks, and nothing throws. What takes time gives a handle: a
// number, so that one which is used after its request has ended harms nobody.
// A handle belongs to the request it was made for, ends with it, and may be
// dropped before. `semaphore` is an ngx.semaphore: it is posted once when the
// handle has something to say. Keys stand in the space of values, see
// store/control/key_space.hpp; with `of_response` in that of responses, as
// cacheback_key says them. Times are seconds.
#pragma once

#include <cstddef>

extern "C" {

#define CACHEBACK_LUA __attribute__((visibility("default")))

// Counted up with each change of what stands below.
enum { ngx_http_cacheback_lua_version = 3 };

typedef struct {
    const char* value;  // until the next call that finds something
    std::size_t size;
    double stored;
    double expiry;  // from then on it is stale
    int kind;       // what the value is: a letter of lua_shim's
    int from_redis;
} ngx_http_cacheback_lua_item_t;

// Of an item: when its value, kept by whoever has it, is out of date.
typedef struct {
    const unsigned* changes;  // where they are counted
    unsigned seen;
    unsigned second;
    double expiry;
    long long as_of;  // when memory was sure of it
} ngx_http_cacheback_lua_copy_t;

// A response, until its handle is dropped.
typedef struct {
    int status;
    const char* fields;  // lines of "Name: value\n"
    std::size_t fields_size;
    const char* body;
    std::size_t body_size;
} ngx_http_cacheback_lua_response_t;

typedef void (*ngx_http_cacheback_lua_post_pt)(void* semaphore, int count);

CACHEBACK_LUA int ngx_http_cacheback_lua_abi(void);
// How semaphores are posted; once, before all others.
CACHEBACK_LUA void ngx_http_cacheback_lua_start(
    ngx_http_cacheback_lua_post_pt post);
// The store of that name; null when this worker has none.
CACHEBACK_LUA void* ngx_http_cacheback_lua_store(const char* name,
                                                 std::size_t size);
CACHEBACK_LUA int ngx_http_cacheback_lua_has_redis(void* store);
CACHEBACK_LUA void ngx_http_cacheback_lua_drop(int handle);
// The handle ends with this request from now on.
CACHEBACK_LUA void ngx_http_cacheback_lua_bind(int handle, void* request);

// What the memory tier holds: one of the states below.
CACHEBACK_LUA int ngx_http_cacheback_lua_find(
    void* store, const char* key, std::size_t size, double ttl,
    ngx_http_cacheback_lua_item_t* item);
// The same for the key that is a job's own part, `letter` (0: none) and `text`;
// after an 's' the text's size and a colon come first. What is fresh is counted
// as a hit, and `copy` is filled in.
CACHEBACK_LUA int ngx_http_cacheback_lua_hit(
    void* store, const char* job, std::size_t job_size, int letter,
    const char* text, std::size_t text_size, double ttl,
    ngx_http_cacheback_lua_item_t* item, ngx_http_cacheback_lua_copy_t* copy);
// Whether what hit() found is still what find() would find; counted as a hit.
// Once a second it says no, so that the memory tier knows what is used.
CACHEBACK_LUA int ngx_http_cacheback_lua_still(
    void* store, const ngx_http_cacheback_lua_copy_t* copy);
// Known lately not to be one that can be stored.
CACHEBACK_LUA int ngx_http_cacheback_lua_is_uncacheable(void* store,
                                                        const char* key,
                                                        std::size_t size);
enum {
    ngx_http_cacheback_lua_absent = 0,
    ngx_http_cacheback_lua_fresh = 1,
    ngx_http_cacheback_lua_stale = 2,
    ngx_http_cacheback_lua_in_doubt = 3,  // ask(): Redis may know better
    ngx_http_cacheback_lua_pending = -1,
    ngx_http_cacheback_lua_unavailable = -2,
    ngx_http_cacheback_lua_too_large = -3,
    ngx_http_cacheback_lua_untold = -4
};

// Asks Redis: a handle, `absent` when the store has no Redis, `unavailable`
// when it cannot be asked now. What is found goes to the memory tier; with
// `newer` in place of what is there. What is there in doubt is the answer where
// Redis has none. `spent`: of redis_timeout, before.
CACHEBACK_LUA int ngx_http_cacheback_lua_ask(void* request, void* store,
                                             const char* key, std::size_t size,
                                             int of_response, int newer,
                                             double spent, void* semaphore);
// What came of it: a state. The item's value lasts as long as the handle.
CACHEBACK_LUA int ngx_http_cacheback_lua_answer(
    int handle, double ttl, ngx_http_cacheback_lua_item_t* item);

// Tries to take the item's lease for `length` and says what to do. `state` is
// what was found, `stored` its time (0: there was nothing); `wait`: what is
// missing or stale is to be fetched while the caller waits. `*lease` becomes a
// handle where it is ours: with `fetch`, `refresh` and `fill` (`fetch` may come
// without, then the result is not stored). Bound to no request when that is
// null.
CACHEBACK_LUA int ngx_http_cacheback_lua_claim(
    void* request, void* store, const char* key, std::size_t size,
    double length, double ttl, int state, double stored, int wait, int* lease);
enum {
    ngx_http_cacheback_lua_do_fetch = 1,
    ngx_http_cacheback_lua_do_wait = 2,     // somebody fetches it
    ngx_http_cacheback_lua_do_refresh = 3,  // in the background, serve the item
    ngx_http_cacheback_lua_do_serve = 4,    // the item as it is
    ngx_http_cacheback_lua_do_fill = 5,     // in the background, serve nothing
    ngx_http_cacheback_lua_do_empty = 6,    // serve nothing
    ngx_http_cacheback_lua_do_look = 7      // again: it has come meanwhile
};
// Takes the lease whoever has it; what that fetches will not be stored. With
// `only_kept` somebody who is at work keeps it: 0.
CACHEBACK_LUA int ngx_http_cacheback_lua_take(void* request, void* store,
                                              const char* key, std::size_t size,
                                              double length, int only_kept);
// Makes a lease of this machine one of the fleet, before anything is fetched:
// `pending` and the semaphore is posted, or `alone`. `over`: whom it sets
// aside. `stored`: the time of what was found, 0: nothing was; less: what Redis
// holds does not matter. `spent` as with ask().
CACHEBACK_LUA int ngx_http_cacheback_lua_ask_fleet(int lease, int over,
                                                   double stored, double spent,
                                                   void* semaphore);
CACHEBACK_LUA int ngx_http_cacheback_lua_fleet_answer(int lease);
enum {
    ngx_http_cacheback_lua_over_nobody = 0,
    ngx_http_cacheback_lua_over_kept = 1,  // a failure's back-off
    ngx_http_cacheback_lua_over_anybody = 2
};
enum {
    ngx_http_cacheback_lua_alone = 0,  // nobody to ask: go on
    ngx_http_cacheback_lua_ours = 1,
    ngx_http_cacheback_lua_newer = 2,     // ours, but Redis holds a newer value
    ngx_http_cacheback_lua_elsewhere = 3  // another machine has it: it is gone
};
// Stores a value and gives the lease back: 1; `pending` when Redis will say
// whether it took it, which written() tells after the semaphore was posted (it
// is null where nobody wants to know); 0 when the lease was lost, or
// `too_large`, and then the lease stays.
CACHEBACK_LUA int ngx_http_cacheback_lua_commit(int lease, const char* value,
                                                std::size_t size, int kind,
                                                double expiry, double ttl,
                                                void* semaphore);
CACHEBACK_LUA int ngx_http_cacheback_lua_written(int lease);
CACHEBACK_LUA void ngx_http_cacheback_lua_end(int lease, int how);
// Of a background fetch: if it goes without having been ended, whatever ended
// the fetch, that was a failure.
CACHEBACK_LUA void ngx_http_cacheback_lua_keep_unended(int lease);
enum {
    ngx_http_cacheback_lua_free = 0,     // who waits takes over, one by one
    ngx_http_cacheback_lua_failure = 1,  // it stays: nobody tries till its end
    ngx_http_cacheback_lua_to_all = 2    // not to be stored: all who wait go
};
// Seconds until it ends.
CACHEBACK_LUA double ngx_http_cacheback_lua_left(int lease);

// Waits for the fetch of somebody else: a handle whose semaphore is posted
// when that has ended, or 0: nobody is at it.
CACHEBACK_LUA int ngx_http_cacheback_lua_wait(void* request, void* store,
                                              const char* key, std::size_t size,
                                              void* semaphore);

// A place among the store's background fetches (refresh_limit); frees it when
// dropped. 0: no memory.
CACHEBACK_LUA int ngx_http_cacheback_lua_place(int lease, int fills,
                                               void* semaphore);
// 1: go, 0: in line, -1: there is none.
CACHEBACK_LUA int ngx_http_cacheback_lua_may_start(int place);

// Removes an item. 1: it was there, 0: not, or `pending` with `*handle`, of
// which changed() tells the same once the semaphore was posted.
CACHEBACK_LUA int ngx_http_cacheback_lua_delete(void* request, void* store,
                                                const char* key,
                                                std::size_t size,
                                                int of_response,
                                                void* semaphore, int* handle);
// Marks what find() sees, or what `answer` (a handle of ask()) holds, as stale,
// likewise.
CACHEBACK_LUA int ngx_http_cacheback_lua_invalidate(
    void* request, void* store, const char* key, std::size_t size,
    int of_response, int answer, void* semaphore, int* handle);
// Also `unavailable`: Redis did not do it; `untold`: the other machines could
// not be told.
CACHEBACK_LUA int ngx_http_cacheback_lua_changed(int handle);
// Makes ready a request of our own for a location of the server that `request`
// is at, internal ones too; nobody's client waits for it. `uri` may have
// arguments. A handle, or 0.
CACHEBACK_LUA int ngx_http_cacheback_lua_locate(
    void* request, void* store, const char* uri, std::size_t uri_size,
    const char* args, std::size_t args_size, const char* host,
    std::size_t host_size);
// Runs it, for `limit` seconds at most. 0: it cannot start now.
CACHEBACK_LUA int ngx_http_cacheback_lua_visit(int handle, double limit,
                                               void* semaphore);
// 1, `pending`, `too_large`, or `unavailable`: there is no whole response.
CACHEBACK_LUA int ngx_http_cacheback_lua_response(
    int handle, ngx_http_cacheback_lua_response_t* response);

// Counts one get of a job.
CACHEBACK_LUA void ngx_http_cacheback_lua_count(void* store, int what,
                                                int from_redis);
enum {
    ngx_http_cacheback_lua_hits = 0,
    ngx_http_cacheback_lua_stales = 1,
    ngx_http_cacheback_lua_updatings = 2,
    ngx_http_cacheback_lua_misses = 3,
    ngx_http_cacheback_lua_expireds = 4,
    ngx_http_cacheback_lua_empties = 5,
    ngx_http_cacheback_lua_refreshed = 6,
    ngx_http_cacheback_lua_failed = 7,
    ngx_http_cacheback_lua_elsewheres = 8  // refreshes left to other machines
};
// The store's figures as lines of a name and a number. The size of the text.
CACHEBACK_LUA std::size_t ngx_http_cacheback_lua_status(void* store, char* text,
                                                        std::size_t room);
}
