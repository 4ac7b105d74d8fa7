// core/entry.cpp: writing entries, and believing those that others wrote.
#include "entry.hpp"

#include <algorithm>
#include <vector>

#include "text.hpp"
#include "vary.hpp"

namespace cacheback::core {

namespace {

constexpr std::string_view magic = "cacheent";
static_assert(magic.size() == offset::version);

constexpr Seconds latest_second = 253402300799;  // the end of the year 9999
constexpr std::size_t max_name_size = 0xffff;
constexpr std::uint64_t max_value_size = 0xffffffff;

constexpr bool in_range(std::int64_t value, std::int64_t least,
                        std::int64_t most) noexcept {
    return value >= least && value <= most;
}

// Over the head; its own bytes, and those of an invalidation that may come
// later, count as zeros.
std::uint32_t head_checksum(std::string_view head) noexcept {
    constexpr std::string_view zeros("\0\0\0\0\0\0\0\0", sizeof(Millis));
    constexpr std::size_t behind = offset::head_checksum + 4;
    std::uint32_t sum = crc32c(0, head.substr(0, offset::head_checksum));
    sum = crc32c(sum, zeros.substr(0, 4));
    sum = crc32c(sum, head.substr(behind, offset::invalidated - behind));
    sum = crc32c(sum, zeros);
    return crc32c(sum, head.substr(entry_prologue_size));
}
static_assert(offset::invalidated + sizeof(Millis) == entry_prologue_size);

// ---- writing

std::size_t encoded_size(const Field& field) noexcept {
    return field_prologue_size + field.name.size() + 1 + field.value.size() + 1;
}

void append_field(std::string& bytes, const Field& field) {
    bytes += static_cast<char>(kind_of(field.name));
    append(bytes, static_cast<std::uint16_t>(field.name.size()));
    append(bytes, static_cast<std::uint32_t>(field.value.size()));
    bytes += field.name;
    bytes += '\0';
    bytes += field.value;
    bytes += '\0';
}

bool belongs_into_entry(const Field& field, PolicyName policy) noexcept {
    return field.name.size() <= max_name_size &&
           field.value.size() <= max_value_size &&
           is_safe(field.name, field.value) &&
           !never_stored(field.name, policy);
}

Seconds time_or_none(Seconds time) noexcept {
    return in_range(time, 0, latest_second) ? time : no_time;
}

void write_prologue(char* at, const EntryMeta& meta,
                    std::uint32_t body_checksum) noexcept {
    const Windows& windows = meta.windows;
    unsigned flags = 0;
    if (windows.stale_forbidden) { flags |= flag_stale_forbidden; }
    if (windows.policy == PolicyName::rfc9111) { flags |= flag_rfc9111; }
    if (windows.immutable) { flags |= flag_immutable; }
    const Seconds date = time_or_none(meta.date);
    magic.copy(at + offset::magic, magic.size());
    store(at + offset::version, entry_version);
    store(at + offset::flags, static_cast<std::uint16_t>(flags));
    store(at + offset::status, meta.status);
    store(at + offset::body_checksum, body_checksum);
    store(at + offset::stored, meta.stored);
    store(at + offset::fresh_for, windows.fresh_for);
    store(at + offset::stale_for, windows.stale_for);
    store(at + offset::error_for, windows.error_for);
    store(at + offset::ttl, windows.ttl);
    store(at + offset::initial_age, windows.initial_age);
    store(at + offset::date, date == no_time ? meta.stored / second : date);
    store(at + offset::last_modified, time_or_none(meta.last_modified));
    store(at + offset::sequence, meta.sequence);
    store(at + offset::fetch_ms, meta.fetch_ms);
    store(at + offset::key_size, meta.key_size);
    store(at + offset::vary_size, meta.vary_size);
    store(at + offset::tags_size, meta.tags_size);
    store(at + offset::fields_size, meta.fields_size);
    store(at + offset::body_size, meta.body_size);
}

// ---- believing

bool windows_are_sane(const Windows& windows) noexcept {
    constexpr Millis longest = max_seconds * second;
    return in_range(windows.stale_for, 0, longest) &&
           in_range(windows.error_for, 0, longest) &&
           in_range(windows.ttl, 0, longest) &&
           in_range(windows.initial_age, 0, max_seconds);
}

// What trusted() reckons with.
bool times_are_sane(const char* at) noexcept {
    return in_range(load<Millis>(at + offset::stored), 0,
                    latest_second * second) &&
           in_range(load<Millis>(at + offset::invalidated), 0,
                    latest_second * second) &&
           in_range(load<Millis>(at + offset::fresh_for), 0,
                    max_seconds * second);
}

bool meta_is_sane(const EntryMeta& meta) noexcept {
    return in_range(meta.status, 200, 599) && meta.status != 206 &&
           meta.status != 304 && in_range(meta.date, 0, latest_second) &&
           in_range(meta.last_modified, no_time, latest_second) &&
           windows_are_sane(meta.windows);
}

bool has_our_format(std::string_view bytes) noexcept {
    return bytes.substr(offset::magic, magic.size()) == magic &&
           load<std::uint16_t>(bytes.data() + offset::version) == entry_version;
}

// What version 1 leaves at zero.
bool reserved_is_zero(const char* at) noexcept {
    return (load<std::uint16_t>(at + offset::flags) &
            ~unsigned{flag_stale_forbidden | flag_rfc9111 | flag_immutable}) ==
               0 &&
           load<std::uint16_t>(at + offset::reserved_a) == 0;
}

bool fields_are_sane(std::string_view bytes, PolicyName policy) noexcept {
    while (!bytes.empty()) {
        if (bytes.size() < field_prologue_size + 2) { return false; }
        const std::size_t name_size = load<std::uint16_t>(bytes.data() + 1);
        const std::size_t value_size = load<std::uint32_t>(bytes.data() + 3);
        const std::size_t room = bytes.size() - field_prologue_size - 2;
        if (name_size > room || value_size > room - name_size) { return false; }
        const auto kind = static_cast<FieldKind>(bytes.front());
        bytes.remove_prefix(field_prologue_size);
        const std::string_view name = bytes.substr(0, name_size);
        const std::string_view value = bytes.substr(name_size + 1, value_size);
        if (bytes[name_size] != '\0' ||
            bytes[name_size + 1 + value_size] != '\0' ||
            !is_safe(name, value) || never_stored(name, policy) ||
            kind != kind_of(name)) {
            return false;
        }
        bytes.remove_prefix(name_size + value_size + 2);
    }
    return true;
}

bool tags_are_sane(std::string_view tags) noexcept {
    return std::all_of(tags.begin(), tags.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 && byte != 0x7f;
    });
}

// ---- renewing

std::string_view media_type(std::string_view value) noexcept {
    return trim(value.substr(0, value.find(';')));
}

bool find_stored(const EntryView& stored, std::string_view name,
                 EntryField& field) noexcept {
    EntryFields fields = stored.fields();
    while (fields.next(field)) {
        if (iequal(field.name, name)) { return true; }
    }
    return false;
}

// True for a field of a 304 that takes the place of the stored ones.
bool updates(const EntryView& stored, const Field& field) noexcept {
    if (!belongs_into_entry(field, stored.meta.windows.policy)) {
        return false;
    }
    EntryField old{};
    switch (kind_of(field.name)) {
    case FieldKind::content_encoding: return false;
    case FieldKind::etag: return !find_stored(stored, field.name, old);
    case FieldKind::content_type:
        return find_stored(stored, field.name, old) &&
               iequal(media_type(old.value), media_type(field.value));
    default: return true;
    }
}

}  // namespace

std::string make_head(const EntryParts& parts) {
    std::vector<Field> fields;
    fields.reserve(parts.fields.count);
    std::size_t fields_size = 0;
    for (const Field& field : parts.fields) {
        if (belongs_into_entry(field, parts.meta.windows.policy) &&
            !is_named_out(parts.fields, field.name) &&
            !is_named_out(parts.received, field.name)) {
            fields.push_back(field);
            fields_size += encoded_size(field);
        }
    }

    EntryMeta meta = parts.meta;
    meta.key_size = static_cast<std::uint32_t>(parts.key.size());
    meta.vary_size = static_cast<std::uint32_t>(parts.vary.size());
    meta.tags_size = static_cast<std::uint32_t>(parts.tags.size());
    meta.fields_size = static_cast<std::uint32_t>(fields_size);

    std::string head;
    head.reserve(meta.head_size());
    head.resize(entry_prologue_size);
    write_prologue(head.data(), meta, parts.body_checksum);
    head += parts.key;
    head += parts.vary;
    head += parts.tags;
    for (const Field& field : fields) { append_field(head, field); }
    store(head.data() + offset::head_checksum, head_checksum(head));
    return head;
}

std::string renew_head(const EntryView& stored, const EntryMeta& renewed,
                       std::string_view vary, std::string_view tags,
                       Fields not_modified, Fields received) {
    std::vector<Field> news;
    for (const Field& field : not_modified) {
        if (updates(stored, field) && !is_named_out(not_modified, field.name) &&
            !is_named_out(received, field.name)) {
            news.push_back(field);
        }
    }
    // What was stored came by another connection.
    std::vector<Field> still_said;
    for (const Field& field : received) {
        if (!iequal(field.name, "Connection")) { still_said.push_back(field); }
    }
    std::vector<Field> merged;
    EntryFields old_fields = stored.fields();
    EntryField old{};
    while (old_fields.next(old)) {
        if (find({news.data(), news.size()}, old.name) == nullptr) {
            merged.push_back({old.name, old.value});
        }
    }
    merged.insert(merged.end(), news.begin(), news.end());

    EntryParts parts;
    parts.meta = renewed;
    parts.meta.status = stored.meta.status;
    parts.meta.body_size = stored.meta.body_size;
    if (renewed.last_modified == no_time) {
        parts.meta.last_modified = stored.meta.last_modified;
    }
    parts.key = stored.key();
    parts.vary = vary;
    parts.tags = tags;
    parts.fields = {merged.data(), merged.size()};
    parts.received = {still_said.data(), still_said.size()};
    parts.body_checksum = stored.body_checksum();
    return make_head(parts);
}

std::optional<Millis> peek_stored(std::string_view prologue) noexcept {
    if (prologue.size() < entry_prologue_size || !has_our_format(prologue)) {
        return std::nullopt;
    }
    return load<Millis>(prologue.data() + offset::stored);
}

std::optional<EntryView> EntryView::check(std::string_view bytes,
                                          std::string_view key) noexcept {
    if (bytes.size() < entry_prologue_size) { return std::nullopt; }
    const char* at = bytes.data();
    if (!has_our_format(bytes) || !reserved_is_zero(at) ||
        !times_are_sane(at)) {
        return std::nullopt;
    }
    EntryView view = trusted(bytes);
    const EntryMeta& meta = view.meta;
    // In 64 bits: the sum of five sizes may exceed a 32-bit size_t.
    const std::uint64_t size = std::uint64_t{entry_prologue_size} +
                               meta.key_size + meta.vary_size + meta.tags_size +
                               meta.fields_size + meta.body_size;
    if (size != bytes.size() || view.key() != key || !meta_is_sane(meta)) {
        return std::nullopt;
    }
    if (load<std::uint32_t>(at + offset::head_checksum) !=
            head_checksum(view.head()) ||
        view.body_checksum() != crc32c(0, view.body())) {
        return std::nullopt;
    }
    if (!vary_is_valid(view.vary()) || !tags_are_sane(view.tags()) ||
        !fields_are_sane(view.field_bytes(), meta.windows.policy)) {
        return std::nullopt;
    }
    return view;
}

}  // namespace cacheback::core
