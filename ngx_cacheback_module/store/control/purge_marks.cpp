#include "purge_marks.hpp"

#include <algorithm>
#include <atomic>

namespace cacheback::store {

namespace {

std::uint64_t with_kind(TagId tag, PurgeKind kind) noexcept {
    return (tag & ~std::uint64_t{1}) | (kind == PurgeKind::gone ? 1 : 0);
}

}  // namespace

PurgeMarks::PurgeMarks(void* region, std::size_t capacity) noexcept
    : header_(static_cast<Header*>(region)),
      marks_(reinterpret_cast<Mark*>(header_ + 1)),
      sets_(capacity / ways) {}

PurgeMarks::Mark* PurgeMarks::set_of(std::uint64_t tag) const noexcept {
    return marks_ + (tag >> 1 & (sets_ - 1)) * ways;
}

void PurgeMarks::set(TagId tag, PurgeKind kind, PurgeNumber number) noexcept {
    const std::uint64_t wanted = with_kind(tag, kind);
    Mark* const set = set_of(wanted);
    Mark* place = set;
    for (Mark* mark = set; mark != set + ways; ++mark) {
        if (mark->number != 0 && mark->tag == wanted) {
            mark->number = std::max(mark->number, number.value());
            return;
        }
        if (mark->number < place->number) { place = mark; }
    }
    if (place->number != 0) {
        raise_floor(std::min(place->number, number.value()));
        if (number.value() <= place->number) { return; }
    }
    place->number = 0;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    place->tag = wanted;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    place->number = number.value();
}

void PurgeMarks::raise_floor(PurgeNumber number) noexcept {
    header_->floor = std::max(header_->floor, number.value());
}

PurgeNumber PurgeMarks::find(TagId tag, PurgeKind kind) const noexcept {
    const std::uint64_t wanted = with_kind(tag, kind);
    const Mark* const set = set_of(wanted);
    const Mark* const found =
        std::find_if(set, set + ways, [wanted](const Mark& mark) {
            return mark.number != 0 && mark.tag == wanted;
        });
    return found == set + ways ? PurgeNumber() : PurgeNumber(found->number);
}

PurgeNumber PurgeMarks::floor() const noexcept { return header_->floor; }

PurgeVerdict PurgeMarks::judge(const std::vector<TagId>& tags,
                               PurgeNumber began,
                               core::Millis now) const noexcept {
    using Standing = PurgeVerdict::Standing;
    PurgeNumber stale;
    for (TagId tag : tags) {
        if (began < find(tag, PurgeKind::gone)) { return {Standing::gone, 0}; }
        stale = std::max(stale, find(tag, PurgeKind::stale));
    }
    if (began < floor()) { return {Standing::unknown, 0}; }
    if (began < stale) { return {Standing::stale, stale.time(now)}; }
    return {};
}

}  // namespace cacheback::store
