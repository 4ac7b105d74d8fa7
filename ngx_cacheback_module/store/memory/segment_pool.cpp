// store/memory/segment_pool.cpp: runs of units in pages, pages in lists by how
// much of them is free.
#include "segment_pool.hpp"

#include <algorithm>
#include <iterator>

namespace cacheback::store {
namespace {

struct Piece {
    std::uint32_t start;
    std::uint32_t length;
};

std::uint32_t bits(Piece piece) noexcept {
    const std::uint32_t ones =
        piece.length == 32 ? ~0U : (1U << piece.length) - 1;
    return ones << piece.start;
}

// The smallest run of free units that holds `units`, else the longest one.
Piece best_piece(std::uint32_t used, std::uint32_t units) noexcept {
    Piece best{0, 0};
    std::uint32_t free = ~used;
    while (free != 0) {
        Piece piece{static_cast<std::uint32_t>(__builtin_ctz(free)), 0};
        const std::uint32_t end = ~(free >> piece.start);
        piece.length = end == 0
                           ? 32 - piece.start
                           : std::min<std::uint32_t>(
                                 static_cast<std::uint32_t>(__builtin_ctz(end)),
                                 32 - piece.start);
        const bool fits = piece.length >= units;
        const bool best_fits = best.length >= units;
        if (fits != best_fits ? fits
                              : (fits ? piece.length < best.length
                                      : piece.length > best.length)) {
            best = piece;
        }
        free &= ~bits(piece);
    }
    best.length = std::min(best.length, units);
    return best;
}

}  // namespace

void SegmentPool::clear() noexcept {
    State& state = *at_.state;
    state.occupied = 0;
    state.free_units = all_units();
    state.damaged = 0;
    std::fill(std::begin(state.lists), std::end(state.lists), 0U);
    for (std::uint32_t page = at_.page_count; page > 0; page--) {
        at_.pages[page] = {0, 0, 0, page_units};
        enlist(page);
    }
}

// A page from which to take; 0 when the lists are not what they should be.
std::uint32_t SegmentPool::pick(std::uint32_t units) const noexcept {
    const std::uint64_t occupied = at_.state->occupied;
    const std::uint64_t enough = occupied >> std::min(units, page_units);
    std::uint32_t list = 0;
    if (enough != 0) {
        list = std::min(units, page_units) +
               static_cast<std::uint32_t>(__builtin_ctzll(enough));
    } else if (occupied != 0) {
        list = 63U - static_cast<std::uint32_t>(__builtin_clzll(occupied));
    }
    if (list == 0 || list > page_units) { return 0; }
    const std::uint32_t page = at_.state->lists[list];
    const bool sound = page - 1 < at_.page_count &&
                       at_.pages[page].free == list &&
                       at_.pages[page].used != ~0U;
    return sound ? page : 0;
}

SegmentPool::Unit SegmentPool::take(std::uint32_t units) noexcept {
    if (units == 0 || units > free_units()) { return 0; }
    Unit first = 0;
    Unit last = 0;
    while (units > 0) {
        const std::uint32_t page = pick(units);
        if (page == 0) {
            damage();
            return 0;
        }
        delist(page);
        Page& from = at_.pages[page];
        while (units > 0 && from.used != ~0U) {
            const Piece piece = best_piece(from.used, units);
            const Unit unit = page * page_units + piece.start;
            from.used |= bits(piece);
            from.free -= piece.length;
            at_.state->free_units -= piece.length;
            units -= piece.length;
            at_.links[unit] = piece.length - 1;
            if (last == 0) {
                first = unit;
            } else {
                at_.links[last] |= unit << length_bits;
            }
            last = unit;
        }
        enlist(page);
    }
    return first;
}

void SegmentPool::give(Unit first) noexcept {
    while (first != 0) {
        const Run gone = run(first);
        const std::uint32_t page = first / page_units;
        const Piece piece{first % page_units,
                          static_cast<std::uint32_t>(gone.size / unit_size)};
        // Also ends a chain that bites its tail: given units are not used.
        if (gone.size == 0 ||
            (at_.pages[page].used & bits(piece)) != bits(piece)) {
            damage();
            return;
        }
        delist(page);
        at_.pages[page].used &= ~bits(piece);
        at_.pages[page].free += piece.length;
        at_.state->free_units += piece.length;
        enlist(page);
        first = gone.next;
    }
}

void SegmentPool::enlist(std::uint32_t page) noexcept {
    Page& entry = at_.pages[page];
    if (entry.free == 0 || entry.free > page_units) {
        if (entry.free != 0) { damage(); }
        return;
    }
    std::uint32_t& head = at_.state->lists[entry.free];
    entry.previous = 0;
    entry.next = head;
    if (head != 0) {
        if (head > at_.page_count) { return damage(); }
        at_.pages[head].previous = page;
    }
    head = page;
    at_.state->occupied |= std::uint64_t{1} << entry.free;
}

void SegmentPool::delist(std::uint32_t page) noexcept {
    const Page& entry = at_.pages[page];
    if (entry.free == 0) { return; }
    if (entry.free > page_units || entry.next > at_.page_count ||
        entry.previous > at_.page_count) {
        return damage();
    }
    if (entry.next != 0) { at_.pages[entry.next].previous = entry.previous; }
    if (entry.previous != 0) {
        at_.pages[entry.previous].next = entry.next;
    } else {
        at_.state->lists[entry.free] = entry.next;
        if (entry.next == 0) {
            at_.state->occupied &= ~(std::uint64_t{1} << entry.free);
        }
    }
}

const char* SegmentPool::check() const {
    std::uint64_t listed_units = 0;
    for (std::uint32_t count = 0; count <= page_units; count++) {
        const std::uint32_t head = at_.state->lists[count];
        if ((head != 0) != ((at_.state->occupied >> count & 1U) != 0)) {
            return "a list and its bit differ";
        }
        std::uint32_t before = 0;
        std::uint32_t steps = 0;
        for (std::uint32_t page = head; page != 0;) {
            if (page > at_.page_count || ++steps > at_.page_count) {
                return "a list of pages leads nowhere";
            }
            const Page& entry = at_.pages[page];
            if (entry.previous != before) { return "pages are linked wrongly"; }
            if (entry.free != count) { return "a page is in the wrong list"; }
            listed_units += entry.free;
            before = page;
            page = entry.next;
        }
    }
    for (std::uint32_t page = 1; page <= at_.page_count; page++) {
        const Page& entry = at_.pages[page];
        if (static_cast<std::uint32_t>(__builtin_popcount(~entry.used)) !=
            entry.free) {
            return "a page miscounts its free units";
        }
    }
    return listed_units == free_units() ? nullptr : "free units are miscounted";
}

}  // namespace cacheback::store
