#include "feed_message.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "../core/hexadecimal.hpp"
#include "commands.hpp"

namespace cacheback::redis {

namespace {

// A reply may have so many elements (ReplyReader); of a message seventeen, and
// later versions may add to it.
constexpr std::size_t most_read = 24;
static_assert(most_read * 40 + 5 <= ReplyReader::max_elements);

// A time that others say is added to ours.
constexpr core::Millis longest = 365 * 24 * 3600 * core::second;

constexpr std::pair<std::string_view, Change::Kind> words[] = {
    {"stored", Change::Kind::stored},
    {"removed", Change::Kind::removed},
    {"outdated", Change::Kind::outdated},
    {"released", Change::Kind::released},
    {"uncacheable", Change::Kind::uncacheable},
    {"tags-stale", Change::Kind::tags_stale},
    {"tags-gone", Change::Kind::tags_gone},
};

template <class Number>
bool parse(std::string_view text, Number& number, int base) noexcept {
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, number, base);
    return error == std::errc() && at == end;
}

// "milliseconds-number", as the server gave it.
bool is_position(std::string_view text) noexcept {
    const std::size_t dash = text.find('-');
    std::uint64_t part = 0;
    return dash != std::string_view::npos &&
           parse(text.substr(0, dash), part, 10) &&
           parse(text.substr(dash + 1), part, 10);
}

// `fields` is name, value, name, value …; unknown names are of later versions.
bool parse_change(const Reply& fields, Change& change) noexcept {
    bool has_kind = false;
    bool has_box = false;
    bool has_key = false;
    for (std::size_t i = 0; i + 1 < fields.count; i += 2) {
        const Reply& name = fields.elements[i];
        const Reply& value = fields.elements[i + 1];
        if (name.kind != Reply::Kind::string ||
            value.kind != Reply::Kind::string) {
            return false;
        }
        if (name.text == "change") {
            for (const auto& known : words) {
                if (known.first != value.text) { continue; }
                change.kind = known.second;
                has_kind = true;
            }
        } else if (name.text == "for") {
            if (!parse(value.text, change.length, 10) || change.length < 0) {
                return false;
            }
            change.length = std::min(change.length, longest);
        } else if (name.text == "number") {
            if (!parse(value.text, change.number, 10) || change.number < 0 ||
                change.number >= most_purges) {
                return false;
            }
        } else if (name.text == "box") {
            has_box = parse(value.text, change.box, 16);
        } else if (name.text == "key") {
            change.key = value.text;
            has_key = true;
        } else if (name.text == "variant") {
            change.variant = value.text;
        } else if (name.text == "as") {
            change.as = value.text;
        } else if (name.text == "vary") {
            change.names = value.text;
        }
    }
    return has_kind && has_box && has_key;
}

// A message is its position and its fields.
bool parse_messages(const Reply& messages, FeedPage& page) {
    if (messages.kind != Reply::Kind::array) { return false; }
    page.full = messages.count >= most_read;
    for (std::size_t i = 0; i < messages.count; ++i) {
        const Reply& message = messages.elements[i];
        if (message.kind != Reply::Kind::array || message.count != 2 ||
            message.elements[0].kind != Reply::Kind::string ||
            !is_position(message.elements[0].text)) {
            return false;
        }
        page.position = message.elements[0].text;
        if (i == 0) { page.first = page.position; }
        // A message that was deleted has no fields.
        Change change;
        if (message.elements[1].kind == Reply::Kind::array &&
            parse_change(message.elements[1], change)) {
            page.changes.push_back(change);
        }
    }
    return true;
}

}  // namespace

std::string_view word(Change::Kind kind) noexcept {
    for (const auto& known : words) {
        if (known.second == kind) { return known.first; }
    }
    return {};
}

void append_change(std::string& out, std::string_view feed,
                   const Change& change) {
    const std::string length = std::to_string(change.length);
    const std::string box = core::hexadecimal(change.box);
    if (change.variant.empty() && change.as.empty()) {
        append_command(out, {"XADD", feed, "MAXLEN", "~", kept_messages, "*",
                             "change", word(change.kind), "for", length, "box",
                             box, "key", change.key});
        return;
    }
    append_command(out,
                   {"XADD",        feed,       "MAXLEN",  "~",
                    kept_messages, "*",        "change",  word(change.kind),
                    "for",         length,     "box",     box,
                    "key",         change.key, "variant", change.variant,
                    "as",          change.as,  "vary",    change.names});
}

void append_feed_look(std::string& out, std::string_view feed,
                      std::string_view position) {
    append_command(out, {"XRANGE", feed, position, position});
}

void append_feed_end(std::string& out, std::string_view feed) {
    append_command(out, {"XREVRANGE", feed, "+", "-", "COUNT", "1"});
}

void append_feed_read(std::string& out, std::string_view feed,
                      std::string_view position, core::Millis wait) {
    const std::string most = std::to_string(most_read);
    if (wait <= 0) {  // to Redis 0 is for ever
        append_command(out,
                       {"XREAD", "COUNT", most, "STREAMS", feed, position});
        return;
    }
    append_command(out, {"XREAD", "COUNT", most, "BLOCK", std::to_string(wait),
                         "STREAMS", feed, position});
}

FeedPage read_feed_part(const Reply& reply) {
    FeedPage page;
    page.sound = parse_messages(reply, page);
    return page;
}

FeedPage read_feed(const Reply& reply) {
    FeedPage page;
    page.sound = reply.kind == Reply::Kind::nil;  // nothing came in time
    if (reply.kind != Reply::Kind::array || reply.count != 1) { return page; }
    const Reply& stream = reply.elements[0];
    page.sound = stream.kind == Reply::Kind::array && stream.count == 2 &&
                 parse_messages(stream.elements[1], page);
    return page;
}

}  // namespace cacheback::redis
