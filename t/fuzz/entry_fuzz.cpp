// t/fuzz/entry_fuzz.cpp: bytes that pretend to be an entry.
#include <algorithm>
#include <string>

#include "core/decision.hpp"
#include "core/entry.hpp"
#include "core/renewal.hpp"
#include "core/vary.hpp"
#include "fuzz.hpp"

using namespace cacheback::core;

namespace {

// What was believed must be safe to use, and a renewal of it believed again.
void use(const EntryView& view) {
    EntryFields fields = view.fields();
    EntryField field{};
    std::size_t size = 0;
    while (fields.next(field)) {
        require(is_safe(field.name, field.value) &&
                !never_stored(field.name, view.meta.windows.policy));
        size +=
            field_prologue_size + field.name.size() + field.value.size() + 2;
    }
    require(size == view.meta.fields_size);

    const Millis now = view.meta.stored + view.meta.windows.fresh_for;
    const Field request[] = {{"accept", "a, b"}, {"x", ""}};
    (void)vary_matches(view.vary(), {request, 2});
    Rules rules;
    rules.ttl = view.meta.windows.ttl;
    (void)state_of(view.meta, rules, now);
    require(age_of(view.meta, now) >= 0);

    const Field news[] = {{"Cache-Control", "max-age=60"}, {"ETag", "\"x\""}};
    const ResponseFacts response{304, {news, 2}, false, false};
    (void)confirms(view, response.fields, now);
    EntryMeta renewed = view.meta;
    renewed.windows = judge_renewal(view, {}, response, Policy{}, now).windows;
    std::string bytes = renew_head(
        view, renewed, renewed_vary(view.vary(), response.fields, {}),
        view.tags(), response.fields, response.fields);
    bytes += view.body();
    require(EntryView::check(bytes, view.key()).has_value());
}

// Makes magic, version, reserved parts and checksums right, and the sizes
// small, so that what lies behind them is reached.
void repair(std::string& bytes) {
    char* at = bytes.data();
    std::string_view("cacheent").copy(at, 8);
    store(at + offset::version, entry_version);
    store(at + offset::flags,
          static_cast<std::uint16_t>(load<std::uint16_t>(at + offset::flags) &
                                     flag_stale_forbidden));
    store(at + offset::reserved_a, std::uint16_t{0});
    store(at + offset::invalidated,
          load<Millis>(at + offset::invalidated) & 0xffffffffff);
    std::size_t left = bytes.size() - entry_prologue_size;
    for (std::size_t place : {offset::key_size, offset::vary_size,
                              offset::tags_size, offset::fields_size}) {
        const std::size_t size =
            std::min<std::size_t>(load<std::uint32_t>(at + place), left);
        store(at + place, static_cast<std::uint32_t>(size));
        left -= size;
    }
    store(at + offset::body_size, static_cast<std::uint32_t>(left));
    const std::string_view all = bytes;
    const std::size_t head_size = bytes.size() - left;
    store(at + offset::body_checksum, crc32c(0, all.substr(head_size)));
    store(at + offset::head_checksum, std::uint32_t{0});
    store(at + offset::head_checksum, crc32c(0, all.substr(0, head_size)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
    std::string bytes(text_of(data, size));
    if (const auto view = EntryView::check(bytes, "")) { use(*view); }
    if (size >= entry_prologue_size) {
        repair(bytes);
        const std::string key =
            bytes.substr(entry_prologue_size,
                         load<std::uint32_t>(bytes.data() + offset::key_size));
        if (const auto view = EntryView::check(bytes, key)) { use(*view); }
    }
    return 0;
}
