// store/control/lease_table.hpp: leases and marks of one store on one box, in a
// flat region of memory. Pure and without locks: see EntryTable.
//
// A lease is the right to fetch an item; a mark says that an item is known to
// be uncacheable. Both are found by the item's hash alone: two items that
// share a 64-bit hash share a lease, which costs a refresh, never an answer.
//
// Sets of eight slots and no links: a process that dies in the middle of a
// change leaves at worst one slot that counts as free.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../../core/time.hpp"

namespace cacheback::store {

// Unique for each claim on this box; 0 = none.
using LeaseToken = std::uint64_t;

// Worker processes that wait for an item, a bit each.
using Waiting = std::uint64_t;

struct Owner {
    std::uint32_t pid;
    std::uint32_t slot;  // ngx_process_slot
};

// Whom a claim sets aside.
enum class Over : unsigned char {
    nobody,
    kept,     // a failure that keeps others from trying
    anybody,  // whoever is at work: what that fetches will not be stored
};

class LeaseTable {
  public:
    static constexpr unsigned ways = 8;  // slots of a set

    // The region is aligned to 8 bytes, and as large as size_for(8) or more.
    static void format(void* region, std::size_t size,
                       std::uint64_t seed) noexcept;
    explicit LeaseTable(void* region) noexcept;
    [[nodiscard]] std::uint64_t seed() const noexcept;
    // How many leases, and as many marks again, it holds at most.
    [[nodiscard]] std::size_t capacity() const noexcept;
    // What a table of `capacity` (a power of two, 8 or more) takes.
    [[nodiscard]] static std::size_t size_for(std::size_t capacity) noexcept;

    // Takes the lease of `hash` until `now + length`; 0 when somebody has it.
    // When the set is full the lease that ends first gives way. `now` is of
    // any clock that all processes share.
    // `epoch` is for the caller to look at later.
    LeaseToken claim(std::uint64_t hash, Owner owner, core::Millis length,
                     core::Millis now, Over over = Over::nobody,
                     std::uint64_t epoch = 0) noexcept;
    [[nodiscard]] bool taken(std::uint64_t hash,
                             core::Millis now) const noexcept;
    // True while `token` still holds the lease: what it fetched may be stored.
    [[nodiscard]] bool holds(std::uint64_t hash, LeaseToken token,
                             core::Millis now) const noexcept;
    // What it was claimed with, by whoever or by `token`; 0 when that holds no
    // lease.
    [[nodiscard]] std::uint64_t epoch_of(std::uint64_t hash) const noexcept;
    [[nodiscard]] std::uint64_t epoch_of(std::uint64_t hash,
                                         LeaseToken token) const noexcept;
    // Gives the lease back; nothing happens when it is no longer `token`'s.
    bool release(std::uint64_t hash, LeaseToken token) noexcept;
    // The owner no longer works on it, the lease stays until its end (the
    // back-off after a failure): sweep() leaves it alone.
    void keep(std::uint64_t hash, LeaseToken token) noexcept;
    // The same for another box's failure: to be looked into again at `until`.
    void keep(std::uint64_t hash, LeaseToken token,
              core::Millis until) noexcept;
    // Another box fetches the item: those who wait go on waiting until that
    // has ended, which take_elsewhere() is for, or until `until`.
    void hand_over(std::uint64_t hash, LeaseToken token,
                   core::Millis until) noexcept;
    // Frees a lease that was handed over. Returns who waited for it.
    Waiting take_elsewhere(std::uint64_t hash) noexcept;
    // The same for all of them: nobody tells any more when they end.
    Waiting take_all_elsewhere() noexcept;
    // Takes the lease away from whoever has it (delete and invalidate).
    bool revoke(std::uint64_t hash) noexcept;
    // Frees the leases of one process that died. Returns who waited for them.
    Waiting sweep(std::uint32_t pid) noexcept;

    // Who waits for the fetch of an item. True: somebody works on it, and
    // `who` will be among those whom take_waiting() names. False: nobody
    // does, do not wait.
    bool await(std::uint64_t hash, Waiting who, core::Millis now) noexcept;
    // To be told now, when the lease changes hands or ends.
    Waiting take_waiting(std::uint64_t hash) noexcept;
    [[nodiscard]] bool is_awaited(std::uint64_t hash) const noexcept;
    // Nobody works on it, and nobody shall before the lease ends.
    [[nodiscard]] bool is_kept(std::uint64_t hash,
                               core::Millis now) const noexcept;
    // The process that works on the item; 0 when there is none on this box.
    [[nodiscard]] std::uint32_t worked_on_by(std::uint64_t hash,
                                             core::Millis now) const noexcept;

    void mark_uncacheable(std::uint64_t hash, core::Millis until,
                          core::Millis now) noexcept;
    [[nodiscard]] bool is_uncacheable(std::uint64_t hash,
                                      core::Millis now) const noexcept;
    void unmark(std::uint64_t hash) noexcept;

    // For tests: what is wrong, null when nothing is.
    [[nodiscard]] const char* check(core::Millis now) const noexcept;

  private:
    enum class State : std::uint16_t;
    struct Header;
    struct Lease;
    struct Mark;

    template <class Which>
    Waiting take_each(Which which) noexcept;
    [[nodiscard]] Lease* lease_set(std::uint64_t hash) const noexcept;
    [[nodiscard]] Mark* mark_set(std::uint64_t hash) const noexcept;
    [[nodiscard]] Lease* find(std::uint64_t hash) const noexcept;
    [[nodiscard]] Mark* find_mark(std::uint64_t hash) const noexcept;

    Header* header_;
    std::size_t sets_;
};

}  // namespace cacheback::store
