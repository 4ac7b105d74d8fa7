// entry_test.cpp: entries are written as the format says, read back, and
// refused when anything about them is wrong.
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "../vectors/vectors.hpp"
#include "core/entry.hpp"

#include "unit.hpp"

using namespace cacheback::core;
using vectors::Vector;

namespace {

std::string file_bytes(const std::string& name) {
    const char* directory = std::getenv("CACHEBACK_VECTORS");
    std::string path = directory != nullptr ? directory : "t/vectors";
    path += "/" + name + ".bin";
    std::ifstream file(path, std::ios::binary);
    if (!file) { fail_msg("cannot read %s", path.c_str()); }
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string bytes_of(const Vector& vector) { return vector.head + vector.body; }

std::string page() { return bytes_of(vectors::page()); }
const std::string page_key = "http://example.com/page?a=1";

// The checksums made right again, as a writer with bad intentions would.
std::string sealed(std::string bytes) {
    const EntryView view = EntryView::trusted(bytes);
    const std::size_t head_size = std::min(view.meta.head_size(), bytes.size());
    const std::string_view all = bytes;
    store(bytes.data() + offset::body_checksum,
          crc32c(0, all.substr(head_size)));
    store(bytes.data() + offset::head_checksum, std::uint32_t{0});
    store(bytes.data() + offset::head_checksum,
          crc32c(0, all.substr(0, head_size)));
    return bytes;
}

template <class Integer>
std::string patched(std::size_t at, Integer value) {
    std::string bytes = page();
    store(bytes.data() + at, value);
    return sealed(bytes);
}

bool is_read(const std::string& bytes, std::string_view key = page_key) {
    return EntryView::check(bytes, key).has_value();
}

std::string fields_of(const EntryView& view) {
    std::string text;
    EntryFields fields = view.fields();
    EntryField field{};
    while (fields.next(field)) {
        text +=
            std::string(field.name) + ": " + std::string(field.value) + "\n";
    }
    return text;
}

// An entry with one field, written by somebody who obeys no rule.
std::string forged(FieldKind kind, std::string_view name,
                   std::string_view value) {
    EntryParts parts;
    parts.meta.status = 200;
    parts.key = "k";
    std::string bytes = make_head(parts);
    bytes += static_cast<char>(kind);
    append(bytes, static_cast<std::uint16_t>(name.size()));
    append(bytes, static_cast<std::uint32_t>(value.size()));
    bytes += std::string(name) + '\0' + std::string(value) + '\0';
    store(bytes.data() + offset::fields_size,
          static_cast<std::uint32_t>(bytes.size() - entry_prologue_size - 1));
    return sealed(bytes);
}

std::string head_with(const FieldList& fields, Fields received = {}) {
    EntryParts parts;
    parts.meta.status = 200;
    parts.fields = fields;
    parts.received = received;
    return make_head(parts);
}

}  // namespace

static void the_golden_vectors_are_written_byte_for_byte(void**) {
    for (const Vector& vector : vectors::all()) {
        const std::string golden = file_bytes(vector.name);
        const std::string bytes = bytes_of(vector);
        assert_int_equal(bytes.size(), golden.size());
        assert_memory_equal(bytes.data(), golden.data(), golden.size());
    }
}

static void the_golden_vectors_are_read(void**) {
    for (const Vector& vector : vectors::all()) {
        const std::string golden = file_bytes(vector.name);
        const auto view = EntryView::check(golden, vector.key);
        assert_true(view.has_value());
        assert_text(view->key(), vector.key);
        assert_true(view->head() == vector.head);
        assert_true(view->body() == vector.body);
        assert_int_equal(view->meta.size(), golden.size());
    }
}

static void every_number_comes_back(void**) {
    const std::string golden = file_bytes("page");
    const auto view = EntryView::check(golden, page_key);
    assert_true(view.has_value());
    const EntryMeta& meta = view->meta;
    assert_int_equal(meta.status, 200);
    assert_int_equal(meta.stored, 1790000000123);
    assert_int_equal(meta.windows.fresh_for, 600000);
    assert_int_equal(meta.windows.stale_for, 2591400000);
    assert_int_equal(meta.windows.error_for, 2591400000);
    assert_int_equal(meta.windows.ttl, 2592000000);
    assert_int_equal(meta.windows.initial_age, 5);
    assert_false(meta.windows.stale_forbidden);
    assert_int_equal(meta.date, 1789999999);
    assert_int_equal(meta.last_modified, 784111777);
    assert_int_equal(meta.sequence, 42);
    assert_int_equal(meta.fetch_ms, 137);
    assert_int_equal(meta.body_size, 16);

    const std::string other = file_bytes("redirect");
    const EntryMeta last = EntryView::trusted(other).meta;
    assert_true(last.sequence == 0xfedcba9876543210);
    assert_true(last.fetch_ms == 0xffffffff);
    assert_int_equal(last.last_modified, no_time);
    assert_int_equal(last.windows.fresh_for, max_seconds * second);
}

static void fields_vary_tags_and_flags_come_back(void**) {
    const std::string golden = file_bytes("variant");
    const auto view = EntryView::check(golden, "https://example.com/api");
    assert_true(view.has_value());
    assert_true(view->meta.windows.stale_forbidden);
    assert_text(view->tags(), "news author:7");
    assert_text(fields_of(*view),
                "Content-Type: application/json\n"
                "Content-Encoding: gzip\n"
                "Vary: X-Absent, Accept\n"
                "Cache-Control: no-cache\n");
    const FieldList request{{"Accept", "application/json,text/*"},
                            {"Accept-Encoding", "gzip"}};
    assert_true(vary_matches(view->vary(), request));
    assert_false(vary_matches(view->vary(), {}));
}

static void an_entry_tells_its_policy_and_holds_what_that_stores(void**) {
    const std::string golden = file_bytes("verbatim");
    const auto view = EntryView::check(golden, "http://example.com/rfc");
    assert_true(view.has_value());
    assert_true(view->meta.windows.policy == PolicyName::rfc9111);
    assert_true(view->meta.windows.immutable);
    assert_false(view->meta.windows.stale_forbidden);
    assert_text(fields_of(*view),
                "Set-Cookie: a=b\n"
                "Content-Range: something\n"
                "Cache-Control: max-age=60, immutable\n");
    assert_true(EntryView::trusted(page()).meta.windows.policy ==
                PolicyName::cacheback);
}

static void a_cookie_in_an_entry_of_the_other_policy_is_refused(void**) {
    std::string bytes = file_bytes("verbatim");
    store(bytes.data() + offset::flags, flag_immutable);
    assert_false(is_read(sealed(bytes), "http://example.com/rfc"));
    store(bytes.data() + offset::flags, flag_rfc9111);
    assert_true(is_read(sealed(bytes), "http://example.com/rfc"));
}

static void a_field_carries_its_kind_and_a_nul_behind_each_text(void**) {
    const std::string bytes = page();
    EntryFields fields = EntryView::trusted(bytes).fields();
    EntryField field{};
    assert_true(fields.next(field));
    assert_true(field.kind == FieldKind::content_type);
    assert_int_equal(field.name.data()[field.name.size()], '\0');
    assert_int_equal(field.value.data()[field.value.size()], '\0');
    assert_true(fields.next(field));
    assert_true(field.kind == FieldKind::etag);
}

static void a_head_alone_has_no_body(void**) {
    const Vector vector = vectors::page();
    const EntryView view = EntryView::trusted(vector.head);
    assert_int_equal(view.meta.body_size, 16);
    assert_int_equal(view.body().size(), 0);
    assert_true(view.head() == vector.head);
    assert_false(is_read(vector.head));
}

static void no_single_bit_may_change(void**) {
    for (const Vector& vector : vectors::all()) {
        std::string bytes = bytes_of(vector);
        for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
            // Those of an invalidation make it stale, or are refused.
            if (i / 8 >= offset::invalidated && i / 8 < entry_prologue_size) {
                continue;
            }
            const auto bit = static_cast<char>(1U << (i % 8));
            bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ bit);
            assert_false(is_read(bytes, vector.key));
            bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ bit);
        }
        assert_true(is_read(bytes, vector.key));
    }
}

static void no_byte_may_be_missing_or_added(void**) {
    for (const Vector& vector : vectors::all()) {
        const std::string bytes = bytes_of(vector);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            // A copy of its own, so that the sanitizer sees its end.
            const std::string cut = bytes.substr(0, size);
            assert_false(is_read(cut, vector.key));
        }
        assert_false(is_read(bytes + '\0', vector.key));
    }
}

static void an_entry_of_another_key_is_refused(void**) {
    assert_true(is_read(page()));
    assert_false(is_read(page(), "http://example.com/page?a=2"));
    assert_false(is_read(page(), "http://example.com/page?a="));
    assert_false(is_read(page(), ""));
}

static void an_unknown_version_is_refused(void**) {
    assert_true(is_read(patched(offset::version, std::uint16_t{1})));
    assert_false(is_read(patched(offset::version, std::uint16_t{0})));
    assert_false(is_read(patched(offset::version, std::uint16_t{2})));
    assert_false(is_read(patched(offset::version, std::uint16_t{0x101})));
}

static void reserved_bits_must_be_zero(void**) {
    assert_true(is_read(patched(offset::flags, std::uint16_t{1})));
    assert_true(is_read(patched(offset::flags, std::uint16_t{2})));
    assert_true(is_read(patched(offset::flags, std::uint16_t{7})));
    assert_false(is_read(patched(offset::flags, std::uint16_t{8})));
    assert_false(is_read(patched(offset::reserved_a, std::uint16_t{1})));
}

static std::string invalidated(std::string bytes, Millis time) {
    const Invalidation mark = invalidation(time);
    return bytes.replace(offset::invalidated, mark.size(), mark.data(),
                         mark.size());
}

static void an_invalidated_entry_is_believed_without_a_new_checksum(void**) {
    assert_true(is_read(invalidated(page(), 1)));
    assert_false(is_read(invalidated(page(), std::int64_t{1} << 62)));
}

static void an_invalidated_entry_is_fresh_until_then_at_most(void**) {
    const std::string bytes = page();
    const EntryMeta meta = EntryView::trusted(bytes).meta;
    const auto fresh_for = [&](Millis time) {
        return EntryView::trusted(invalidated(bytes, time))
            .meta.windows.fresh_for;
    };
    assert_true(meta.windows.fresh_for > 5);
    assert_int_equal(fresh_for(meta.stored + 5), 5);
    assert_int_equal(fresh_for(meta.stored + meta.windows.fresh_for + 5),
                     meta.windows.fresh_for);
    // By a clock that is behind the one that stored it.
    assert_int_equal(fresh_for(meta.stored - 5), 0);
    assert_int_equal(fresh_for(0), 0);
}

static void a_renewal_ends_an_invalidation(void**) {
    const std::string bytes = invalidated(page(), 1);
    const EntryView view = EntryView::trusted(bytes);
    EntryMeta renewed = view.meta;
    renewed.windows.fresh_for = 60 * second;
    std::string again = renew_head(view, renewed, {}, view.tags(), {}, {});
    again += view.body();
    const auto read = EntryView::check(again, view.key());
    assert_true(read.has_value());
    assert_int_equal(read->meta.windows.fresh_for, 60 * second);
}

static void a_status_that_is_never_stored_is_refused(void**) {
    for (int status : {0, 100, 199, 206, 304, 600, 65535}) {
        assert_false(is_read(
            patched(offset::status, static_cast<std::uint16_t>(status))));
    }
    assert_true(is_read(patched(offset::status, std::uint16_t{599})));
}

static void lengths_and_times_must_be_in_range(void**) {
    constexpr Millis longest = max_seconds * second;
    for (std::size_t at : {offset::fresh_for, offset::stale_for,
                           offset::error_for, offset::ttl}) {
        assert_true(is_read(patched(at, Millis{0})));
        assert_true(is_read(patched(at, longest)));
        assert_false(is_read(patched(at, longest + 1)));
        assert_false(is_read(patched(at, Millis{-1})));
        assert_false(is_read(patched(at, Millis{INT64_MIN})));
    }
    assert_false(is_read(patched(offset::initial_age, max_seconds + 1)));
    assert_false(is_read(patched(offset::initial_age, Seconds{-1})));
    assert_false(is_read(patched(offset::stored, Millis{-1})));
    assert_false(is_read(patched(offset::stored, Millis{INT64_MAX})));
    assert_false(is_read(patched(offset::date, no_time)));
    assert_false(is_read(patched(offset::date, Seconds{253402300800})));
    assert_true(is_read(patched(offset::last_modified, no_time)));
    assert_false(is_read(patched(offset::last_modified, Seconds{-2})));
    assert_false(
        is_read(patched(offset::last_modified, Seconds{253402300800})));
}

static void no_time_is_reckoned_with_before_it_is_checked(void**) {
    constexpr Millis least{INT64_MIN};
    for (const std::size_t at : {offset::stored, offset::fresh_for}) {
        for (const Millis time : {Millis{-1}, least, Millis{INT64_MAX}}) {
            assert_false(is_read(invalidated(patched(at, time), 1)));
            assert_false(is_read(invalidated(patched(at, time), least)));
        }
    }
}

static void sizes_that_do_not_add_up_are_refused(void**) {
    for (std::size_t at :
         {offset::key_size, offset::vary_size, offset::tags_size,
          offset::fields_size, offset::body_size}) {
        std::string bytes = page();
        const auto size = load<std::uint32_t>(bytes.data() + at);
        for (std::uint32_t other : {size + 1, size - 1, 0xffffffffU}) {
            store(bytes.data() + at, other);
            assert_false(is_read(bytes));
        }
    }
    // All five together wrap a 32-bit sum.
    std::string bytes = page();
    for (std::size_t at :
         {offset::key_size, offset::vary_size, offset::tags_size,
          offset::fields_size, offset::body_size}) {
        store(bytes.data() + at, std::uint32_t{0xffffffff});
    }
    assert_false(is_read(bytes));
}

static void a_border_moved_between_sections_is_refused(void**) {
    std::string bytes = page();
    const auto fields = load<std::uint32_t>(&bytes[offset::fields_size]);
    const auto body = load<std::uint32_t>(&bytes[offset::body_size]);
    for (std::uint32_t by = 1; by <= fields; ++by) {
        store(&bytes[offset::fields_size], fields - by);
        store(&bytes[offset::body_size], body + by);
        const std::string moved = sealed(bytes);
        // At the end of a field the entry is whole again, with another body.
        const auto view = EntryView::check(moved, page_key);
        if (view) {
            const char before = view->head().back();
            assert_int_equal(before, by == fields ? '1' : '\0');
        }
    }
}

static void forged_fields_are_refused(void**) {
    assert_true(is_read(forged(FieldKind::other, "X-A", "b"), "k"));
    const struct {
        const char* name;
        std::string value;
    } bad[] = {
        {"X A", "b"},
        {"", "b"},
        {"X-A\r\nB", "b"},
        {"X-A", "b\r\nC: d"},
        {"X-A", "b\n"},
        {"X-A", std::string(1, '\0')},
        {"Content-Length", "5"},
        {"Transfer-Encoding", "chunked"},
        {"Connection", "close"},
        {"X-Accel-Redirect", "/secret"},
        {"Set-Cookie", "a=b"},
        {"Trailer", "x"},
        {"age", "1"},
    };
    for (const auto& field : bad) {
        assert_false(
            is_read(forged(FieldKind::other, field.name, field.value), "k"));
    }
}

static void a_kind_that_is_not_that_of_the_name_is_refused(void**) {
    assert_true(is_read(forged(FieldKind::location, "Location", "/"), "k"));
    assert_false(is_read(forged(FieldKind::location, "X-A", "/"), "k"));
    assert_false(is_read(forged(FieldKind::other, "Location", "/"), "k"));
    assert_false(is_read(forged(static_cast<FieldKind>(200), "X-A", "/"), "k"));
}

static void the_sizes_within_fields_are_checked(void**) {
    const std::string good = forged(FieldKind::other, "X-A", "bcd");
    const std::size_t field = entry_prologue_size + 1;
    for (std::uint32_t size = 0; size < 12; ++size) {
        std::string bytes = good;
        store(&bytes[field + 1], static_cast<std::uint16_t>(size));
        assert_int_equal(is_read(sealed(bytes), "k"), size == 3);
        bytes = good;
        store(&bytes[field + 3], size);
        assert_int_equal(is_read(sealed(bytes), "k"), size == 3);
    }
    std::string bytes = good;
    store(&bytes[field + 3], std::uint32_t{0xffffffff});
    assert_false(is_read(sealed(bytes), "k"));
    bytes = good;
    bytes[field + field_prologue_size + 3] = 'x';  // the NUL behind the name
    assert_false(is_read(sealed(bytes), "k"));
    bytes = good;
    bytes.back() = 'x';  // the NUL behind the value
    assert_false(is_read(sealed(bytes), "k"));
}

static void damaged_vary_and_tags_are_refused(void**) {
    EntryParts parts;
    parts.meta.status = 200;
    parts.tags = "a b";
    assert_true(is_read(make_head(parts), ""));
    parts.tags = "a\nb";
    assert_false(is_read(make_head(parts), ""));
    parts.tags = "";
    parts.vary = "nonsense";
    assert_false(is_read(make_head(parts), ""));
}

static void what_must_not_be_stored_is_left_out(void**) {
    const FieldList fields{{"X-A", "1"},
                           {"Connection", "X-Hop"},
                           {"X-Hop", "2"},
                           {"Content-Length", "3"},
                           {"Server", "x"},
                           {"Set-Cookie", "x"},
                           {"X-Accel-Expires", "x"},
                           {"Bad Name", "x"},
                           {"X-Bad", "a\r\nb"},
                           {"Cache-Control", "private=\"X-P\", no-cache=x-q"},
                           {"X-P", "x"},
                           {"X-Q", "x"},
                           {"X-B", "4"}};
    const std::string head = head_with(fields);
    assert_text(fields_of(EntryView::trusted(head)),
                "X-A: 1\n"
                "Cache-Control: private=\"X-P\", no-cache=x-q\n"
                "X-B: 4\n");
    assert_true(is_read(head, ""));
}

static void hidden_fields_of_the_origin_name_out_others_too(void**) {
    const FieldList received{{"Connection", "X-A"},
                             {"Cache-Control", "no-cache=\"X-B\""}};
    const std::string head =
        head_with({{"X-A", "1"}, {"X-B", "2"}, {"X-C", "3"}}, received);
    assert_text(fields_of(EntryView::trusted(head)), "X-C: 3\n");
}

static void a_name_too_long_for_its_size_is_left_out(void**) {
    const std::string name(65536, 'a');
    const std::string head = head_with({{name, "1"}, {"X-C", "3"}});
    assert_text(fields_of(EntryView::trusted(head)), "X-C: 3\n");
}

static void a_missing_date_becomes_the_time_of_storing(void**) {
    EntryParts parts;
    parts.meta.status = 200;
    parts.meta.stored = 1790000000999;
    assert_int_equal(EntryView::trusted(make_head(parts)).meta.date,
                     1790000000);
    parts.meta.date = -5;
    parts.meta.last_modified = -5;
    const std::string head = make_head(parts);
    const EntryMeta meta = EntryView::trusted(head).meta;
    assert_int_equal(meta.date, 1790000000);
    assert_int_equal(meta.last_modified, no_time);
}

// ---- a 304

namespace {

std::string renewed_page(const FieldList& not_modified,
                         EntryMeta renewed = {}) {
    const std::string bytes = page();
    const Vector vector = vectors::page();
    renewed.stored = 1790000900000;
    const std::string head = renew_head(EntryView::trusted(bytes), renewed, {},
                                        {}, not_modified, {});
    assert_true(is_read(head + vector.body));
    return head;
}

std::string renewed_fields(const FieldList& not_modified) {
    return fields_of(EntryView::trusted(renewed_page(not_modified)));
}

void the_first_bytes_tell_when_an_entry_was_stored(void**) {
    const std::string bytes = page();
    const std::string_view all = bytes;
    assert_true(peek_stored(all) == EntryView::trusted(bytes).meta.stored);
    assert_true(peek_stored(all.substr(0, 128)) ==
                EntryView::trusted(bytes).meta.stored);
    assert_false(peek_stored(all.substr(0, 127)).has_value());
    assert_false(peek_stored("").has_value());
    assert_false(
        peek_stored(patched(offset::version, std::uint16_t{2})).has_value());
    assert_false(peek_stored("x" + bytes.substr(1)).has_value());
}

}  // namespace

static void a_304_without_news_keeps_everything_but_the_times(void**) {
    EntryMeta renewed;
    renewed.status = 304;
    renewed.windows.fresh_for = 7;
    renewed.windows.ttl = 9;
    renewed.sequence = 43;
    renewed.fetch_ms = 3;
    renewed.date = 1790000899;
    const std::string head = renewed_page({}, renewed);
    const std::string before = page();
    const EntryView old = EntryView::trusted(before);
    const EntryView view = EntryView::trusted(head);
    assert_text(fields_of(view), fields_of(old));
    assert_text(view.key(), old.key());
    assert_int_equal(view.meta.status, 200);
    assert_int_equal(view.meta.stored, 1790000900000);
    assert_int_equal(view.meta.windows.fresh_for, 7);
    assert_int_equal(view.meta.windows.ttl, 9);
    assert_int_equal(view.meta.sequence, 43);
    assert_int_equal(view.meta.fetch_ms, 3);
    assert_int_equal(view.meta.date, 1790000899);
    assert_int_equal(view.meta.last_modified, 784111777);
    assert_int_equal(view.meta.body_size, 16);
}

static void a_304_keeps_vary_and_tags(void**) {
    const Vector vector = vectors::variant();
    const std::string bytes = bytes_of(vector);
    const EntryView old = EntryView::trusted(bytes);
    const std::string head =
        renew_head(old, old.meta, old.vary(), old.tags(), {}, {});
    assert_true(head == vector.head);
}

static void a_newer_last_modified_is_taken_over(void**) {
    EntryMeta renewed;
    renewed.last_modified = 784111778;
    const std::string head = renewed_page({}, renewed);
    assert_int_equal(EntryView::trusted(head).meta.last_modified, 784111778);
}

static void fields_of_a_304_replace_all_of_their_name(void**) {
    assert_text(renewed_fields({{"cache-control", "max-age=5"},
                                {"Link", "</c.css>"},
                                {"Date", "Mon, 21 Sep 2026 14:28:19 GMT"},
                                {"X-New", "1"},
                                {"X-New", "2"}}),
                "Content-Type: text/html; charset=utf-8\n"
                "ETag: \"33a64df5\"\n"
                "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\n"
                "X-Empty: \n"
                "cache-control: max-age=5\n"
                "Link: </c.css>\n"
                "Date: Mon, 21 Sep 2026 14:28:19 GMT\n"
                "X-New: 1\n"
                "X-New: 2\n");
}

static void what_describes_the_stored_body_outlives_a_304(void**) {
    const std::string before = page();
    const std::string old = fields_of(EntryView::trusted(before));
    assert_text(renewed_fields({{"Content-Encoding", "gzip"},
                                {"Content-Type", "text/plain"},
                                {"Content-Length", "0"},
                                {"Content-Range", "bytes 0-1/2"},
                                {"ETag", "W/\"33a64df5\""},
                                {"Set-Cookie", "a=b"},
                                {"Connection", "X-Empty, X-Hop"},
                                {"X-Hop", "1"},
                                {"X-Bad", "a\nb"}}),
                old);
}

static void a_304_may_change_the_parameters_of_the_content_type(void**) {
    const std::string text =
        renewed_fields({{"Content-Type", "Text/HTML;charset=ascii"}});
    assert_non_null(std::strstr(text.c_str(), "Text/HTML;charset=ascii"));
    assert_null(std::strstr(text.c_str(), "charset=utf-8"));
}

static void an_etag_may_be_added_but_no_type_or_encoding(void**) {
    const std::string bare = head_with({{"X-A", "1"}});
    const FieldList news{{"ETag", "\"x\""},
                         {"Content-Type", "text/html"},
                         {"Content-Encoding", "gzip"}};
    const EntryView view = EntryView::trusted(bare);
    const std::string head =
        renew_head(view, view.meta, {}, view.tags(), news, {});
    assert_text(fields_of(EntryView::trusted(head)), "X-A: 1\nETag: \"x\"\n");
}

static void what_the_connection_of_a_304_names_changes_nothing_3_1_3_2(void**) {
    const std::string before = head_with({{"X-A", "1"}});
    const FieldList news{{"X-A", "2"}, {"X-Hop", "1"}, {"X-B", "1"}};
    // As the proxy hides it: it is in what was received alone.
    const FieldList received{{"Connection", "x-hop, X-A"},
                             {"X-A", "2"},
                             {"X-Hop", "1"},
                             {"X-B", "1"}};
    const EntryView view = EntryView::trusted(before);
    const std::string head =
        renew_head(view, view.meta, {}, view.tags(), news, received);
    assert_text(fields_of(EntryView::trusted(head)), "X-A: 1\nX-B: 1\n");
}

static void what_a_hidden_cache_control_of_a_304_names_goes_5_2_2_7(void**) {
    const std::string before = head_with({{"X-A", "1"}, {"X-B", "1"}});
    const FieldList news{{"X-A", "2"}, {"X-C", "1"}};
    const FieldList received{
        {"Cache-Control", "private=\"x-a, x-c\""}, {"X-A", "2"}, {"X-C", "1"}};
    const EntryView view = EntryView::trusted(before);
    const std::string head =
        renew_head(view, view.meta, {}, view.tags(), news, received);
    assert_text(fields_of(EntryView::trusted(head)), "X-B: 1\n");
}

static void a_304_may_name_out_a_field_from_now_on(void**) {
    const std::string text = renewed_fields(
        {{"Cache-Control", "no-cache=\"X-Empty, X-New\""}, {"X-New", "1"}});
    assert_null(std::strstr(text.c_str(), "X-Empty:"));
    assert_null(std::strstr(text.c_str(), "X-New:"));
}

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(the_first_bytes_tell_when_an_entry_was_stored),
        cmocka_unit_test(the_golden_vectors_are_written_byte_for_byte),
        cmocka_unit_test(the_golden_vectors_are_read),
        cmocka_unit_test(every_number_comes_back),
        cmocka_unit_test(fields_vary_tags_and_flags_come_back),
        cmocka_unit_test(an_entry_tells_its_policy_and_holds_what_that_stores),
        cmocka_unit_test(a_cookie_in_an_entry_of_the_other_policy_is_refused),
        cmocka_unit_test(a_field_carries_its_kind_and_a_nul_behind_each_text),
        cmocka_unit_test(a_head_alone_has_no_body),
        cmocka_unit_test(no_single_bit_may_change),
        cmocka_unit_test(no_byte_may_be_missing_or_added),
        cmocka_unit_test(an_entry_of_another_key_is_refused),
        cmocka_unit_test(an_unknown_version_is_refused),
        cmocka_unit_test(reserved_bits_must_be_zero),
        cmocka_unit_test(
            an_invalidated_entry_is_believed_without_a_new_checksum),
        cmocka_unit_test(an_invalidated_entry_is_fresh_until_then_at_most),
        cmocka_unit_test(a_renewal_ends_an_invalidation),
        cmocka_unit_test(a_status_that_is_never_stored_is_refused),
        cmocka_unit_test(lengths_and_times_must_be_in_range),
        cmocka_unit_test(no_time_is_reckoned_with_before_it_is_checked),
        cmocka_unit_test(sizes_that_do_not_add_up_are_refused),
        cmocka_unit_test(a_border_moved_between_sections_is_refused),
        cmocka_unit_test(forged_fields_are_refused),
        cmocka_unit_test(a_kind_that_is_not_that_of_the_name_is_refused),
        cmocka_unit_test(the_sizes_within_fields_are_checked),
        cmocka_unit_test(damaged_vary_and_tags_are_refused),
        cmocka_unit_test(what_must_not_be_stored_is_left_out),
        cmocka_unit_test(hidden_fields_of_the_origin_name_out_others_too),
        cmocka_unit_test(a_name_too_long_for_its_size_is_left_out),
        cmocka_unit_test(a_missing_date_becomes_the_time_of_storing),
        cmocka_unit_test(a_304_without_news_keeps_everything_but_the_times),
        cmocka_unit_test(a_304_keeps_vary_and_tags),
        cmocka_unit_test(a_newer_last_modified_is_taken_over),
        cmocka_unit_test(fields_of_a_304_replace_all_of_their_name),
        cmocka_unit_test(what_describes_the_stored_body_outlives_a_304),
        cmocka_unit_test(a_304_may_change_the_parameters_of_the_content_type),
        cmocka_unit_test(an_etag_may_be_added_but_no_type_or_encoding),
        cmocka_unit_test(
            what_the_connection_of_a_304_names_changes_nothing_3_1_3_2),
        cmocka_unit_test(
            what_a_hidden_cache_control_of_a_304_names_goes_5_2_2_7),
        cmocka_unit_test(a_304_may_name_out_a_field_from_now_on),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
