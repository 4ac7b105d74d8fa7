// core/entry.hpp: one stored response as bytes, the same in Redis, in shared
// memory and in t/vectors; docs/ENTRY_FORMAT.md describes each byte.
//
//   prologue (fixed size) | key | vary | tags | fields | body
//
// Everything before the body is the *head*. Integers are little-endian.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crc32c.hpp"
#include "field.hpp"
#include "little_endian.hpp"
#include "storability.hpp"
#include "stored_field.hpp"
#include "time.hpp"

namespace cacheback::core {

inline constexpr std::size_t entry_prologue_size = 128;
inline constexpr std::uint16_t entry_version = 1;
inline constexpr Seconds no_time = -1;

// Where each number of the prologue stands.
namespace offset {
inline constexpr std::size_t magic = 0;
inline constexpr std::size_t version = 8;
inline constexpr std::size_t flags = 10;
inline constexpr std::size_t status = 12;
inline constexpr std::size_t reserved_a = 14;
inline constexpr std::size_t head_checksum = 16;
inline constexpr std::size_t body_checksum = 20;
inline constexpr std::size_t stored = 24;
inline constexpr std::size_t fresh_for = 32;
inline constexpr std::size_t stale_for = 40;
inline constexpr std::size_t error_for = 48;
inline constexpr std::size_t ttl = 56;
inline constexpr std::size_t initial_age = 64;
inline constexpr std::size_t date = 72;
inline constexpr std::size_t last_modified = 80;
inline constexpr std::size_t sequence = 88;
inline constexpr std::size_t fetch_ms = 96;
inline constexpr std::size_t key_size = 100;
inline constexpr std::size_t vary_size = 104;
inline constexpr std::size_t tags_size = 108;
inline constexpr std::size_t fields_size = 112;
inline constexpr std::size_t body_size = 116;
inline constexpr std::size_t invalidated = 120;
}  // namespace offset

inline constexpr std::uint16_t flag_stale_forbidden = 1;
inline constexpr std::uint16_t flag_rfc9111 = 2;
inline constexpr std::uint16_t flag_immutable = 4;

// The prologue in memory: all that the decision needs.
struct EntryMeta {
    std::uint16_t status = 0;
    Millis stored = 0;  // last store or 304, since the epoch
    Windows windows;
    Seconds date = no_time;  // the origin's Date; make_head fills it in
    Seconds last_modified = no_time;
    std::uint64_t sequence =
        0;  // the store's purge number when its fetch began
    std::uint32_t fetch_ms = 0;  // how long the origin took
    std::uint32_t key_size = 0;
    std::uint32_t vary_size = 0;
    std::uint32_t tags_size = 0;
    std::uint32_t fields_size = 0;
    std::uint32_t body_size = 0;

    [[nodiscard]] std::size_t head_size() const noexcept {
        return entry_prologue_size + key_size + vary_size + tags_size +
               fields_size;
    }
    [[nodiscard]] std::size_t size() const noexcept {
        return head_size() + body_size;
    }
};

// A field as it stands in an entry; name and value point into the entry's
// bytes, and a NUL follows each of them there.
struct EntryField {
    FieldKind kind;
    std::string_view name;
    std::string_view value;
};

// Before the name of each stored field: kind, size of name, size of value.
inline constexpr std::size_t field_prologue_size = 7;

// Reads the stored fields one after another.
class EntryFields {
  public:
    explicit EntryFields(std::string_view bytes) noexcept
        : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    // False at the end. Bytes must come from an entry that was checked.
    bool next(EntryField& field) noexcept {
        if (at_ == end_) { return false; }
        const std::size_t name_size = load<std::uint16_t>(at_ + 1);
        const std::size_t value_size = load<std::uint32_t>(at_ + 3);
        const char* name = at_ + field_prologue_size;
        const char* value = name + name_size + 1;
        field.kind = static_cast<FieldKind>(*at_);
        field.name = {name, name_size};
        field.value = {value, value_size};
        at_ = value + value_size + 1;
        return true;
    }

  private:
    const char* at_;
    const char* end_;
};

// An entry in one piece of somebody else's memory: head and body, or the head
// alone (then body() is empty although meta.body_size is not 0).
class EntryView {
  public:
    EntryMeta meta;

    [[nodiscard]] std::string_view key() const noexcept {
        return part(entry_prologue_size, meta.key_size);
    }
    [[nodiscard]] std::string_view vary() const noexcept {
        return part(entry_prologue_size + meta.key_size, meta.vary_size);
    }
    [[nodiscard]] std::string_view tags() const noexcept {
        return part(entry_prologue_size + meta.key_size + meta.vary_size,
                    meta.tags_size);
    }
    [[nodiscard]] EntryFields fields() const noexcept {
        return EntryFields(field_bytes());
    }
    [[nodiscard]] std::string_view field_bytes() const noexcept {
        return part(meta.head_size() - meta.fields_size, meta.fields_size);
    }
    [[nodiscard]] std::string_view head() const noexcept {
        return part(0, meta.head_size());
    }
    [[nodiscard]] std::string_view body() const noexcept {
        return bytes_.size() < meta.size()
                   ? std::string_view()
                   : part(meta.head_size(), meta.body_size);
    }
    [[nodiscard]] std::uint32_t body_checksum() const noexcept {
        return load<std::uint32_t>(bytes_.data() + offset::body_checksum);
    }

    // How long it was to be fresh when it was stored, whatever an invalidation
    // has made of that since.
    [[nodiscard]] Millis granted() const noexcept {
        return load<Millis>(bytes_.data() + offset::fresh_for);
    }

    // For bytes from the network (Redis). Checks magic, version, all lengths
    // against `bytes.size()`, the checksums, that times and windows are in
    // range, that field names are tokens and values have no CR, LF or NUL,
    // that no field is in it that is never stored, and that the clear key is
    // `key`. Nothing for anything else: the caller treats it as a miss.
    static std::optional<EntryView> check(std::string_view bytes,
                                          std::string_view key) noexcept;

    // For bytes this module has checked or written itself (shared memory):
    // decodes the prologue only. `bytes` holds at least the head.
    static EntryView trusted(std::string_view bytes) noexcept {
        EntryView view;
        view.bytes_ = bytes;
        const char* at = bytes.data();
        EntryMeta& meta = view.meta;
        Windows& windows = meta.windows;
        meta.status = load<std::uint16_t>(at + offset::status);
        meta.stored = load<Millis>(at + offset::stored);
        windows.fresh_for = load<Millis>(at + offset::fresh_for);
        if (const auto time = load<Millis>(at + offset::invalidated);
            time != 0) {
            windows.fresh_for =
                std::clamp<Millis>(time - meta.stored, 0, windows.fresh_for);
        }
        windows.stale_for = load<Millis>(at + offset::stale_for);
        windows.error_for = load<Millis>(at + offset::error_for);
        windows.ttl = load<Millis>(at + offset::ttl);
        windows.initial_age = load<Seconds>(at + offset::initial_age);
        const unsigned flags = load<std::uint16_t>(at + offset::flags);
        windows.stale_forbidden = (flags & flag_stale_forbidden) != 0;
        windows.immutable = (flags & flag_immutable) != 0;
        windows.policy = static_cast<PolicyName>((flags & flag_rfc9111) / 2);
        meta.date = load<Seconds>(at + offset::date);
        meta.last_modified = load<Seconds>(at + offset::last_modified);
        meta.sequence = load<std::uint64_t>(at + offset::sequence);
        meta.fetch_ms = load<std::uint32_t>(at + offset::fetch_ms);
        meta.key_size = load<std::uint32_t>(at + offset::key_size);
        meta.vary_size = load<std::uint32_t>(at + offset::vary_size);
        meta.tags_size = load<std::uint32_t>(at + offset::tags_size);
        meta.fields_size = load<std::uint32_t>(at + offset::fields_size);
        meta.body_size = load<std::uint32_t>(at + offset::body_size);
        return view;
    }

  private:
    [[nodiscard]] std::string_view part(std::size_t from,
                                        std::size_t size) const noexcept {
        return {bytes_.data() + from, size};
    }

    std::string_view bytes_;
};

// An entry is made stale where it lies: with these bytes at
// offset::invalidated, which no checksum covers, its freshness has ended at
// `now`.
using Invalidation = std::array<char, sizeof(Millis)>;
[[nodiscard]] inline Invalidation invalidation(Millis now) noexcept {
    Invalidation bytes;
    store(bytes.data(), std::max<Millis>(now, 1));
    return bytes;
}

// When the entry was stored whose first bytes these are; nothing when they are
// none of this format.
[[nodiscard]] std::optional<Millis> peek_stored(
    std::string_view prologue) noexcept;

// What an entry is made from; views are read during `make_head` only.
struct EntryParts {
    EntryMeta meta;  // sizes are filled in by make_head, but for body_size
    std::string_view key;
    std::string_view vary;  // made by core/vary.hpp
    std::string_view tags;  // words with one space between them
    Fields fields;
    // What the origin sent, also what the proxy hides: the Connection and
    // Cache-Control in it name fields to leave out, as those in `fields` do.
    Fields received;
    std::uint32_t body_checksum = 0;  // crc32c of the body
};

// The head of an entry; the body follows it, byte for byte. Fields that must
// not be stored are left out here, in one place: see stored_field.hpp. A
// missing meta.date becomes the time of storing (RFC 9110 6.6.1); the field
// itself is the caller's.
[[nodiscard]] std::string make_head(const EntryParts& parts);

// The head of the entry that a 304 renews; the body stays. Of `renewed` count
// stored, windows, date, sequence, fetch_ms, and last_modified where it is
// given; status, key and vary are the stored ones.
//
// Fields of the 304 replace those of the same name (RFC 9111 3.2), but never
// what describes the body that is held: Content-Encoding and ETag stay, and a
// Content-Type only changes its parameters, for frameworks put their default
// type on every 304. See core/renewal.hpp for the windows, renewed_vary() for
// the section. The fields of a HEAD response do the same (RFC 9111 4.3.5).
//
// `received` is what the origin sent, also what the proxy hides: what its
// Connection names was for that connection and changes nothing (RFC 9111 3.1,
// 3.2), what its Cache-Control names is not kept any longer either.
[[nodiscard]] std::string renew_head(const EntryView& stored,
                                     const EntryMeta& renewed,
                                     std::string_view vary,
                                     std::string_view tags, Fields not_modified,
                                     Fields received);

}  // namespace cacheback::core
