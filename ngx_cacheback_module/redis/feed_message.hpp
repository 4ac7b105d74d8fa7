// redis/feed_message.hpp: what boxes tell each other about items: the messages
// of the feed, a capped stream of the store (docs/ENTRY_FORMAT.md, "The feed").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../core/time.hpp"
#include "reply_reader.hpp"

namespace cacheback::redis {

// Numbers of purges are below: what the upper bits of a box's own have room
// for, and a time until 2109.
inline constexpr core::Millis most_purges = core::Millis{1} << 42;

struct Change {
    enum class Kind : unsigned char {
        stored,       // a new entry, or an old one renewed
        removed,      // deleted or made stale: fetches under way are void
        outdated,     // made stale: so is what fetches under way bring
        released,     // a fetch has ended without an entry
        uncacheable,  // and the item is known to be so, for `length`
        tags_stale,   // all that has one of these tags, see PurgeMarks
        tags_gone,
    };
    Kind kind = Kind::stored;
    core::Millis length = 0;
    std::uint64_t box = 0;    // which one says so
    std::string_view key;     // tags in place of it, see read_tags()
    core::Millis number = 0;  // of a purge of tags
    // Whose lease that was; empty: the item's.
    std::string_view variant = {};
    // stored: the new entry's, and on which fields it varies.
    std::string_view as = {};
    std::string_view names = {};
};

// How many messages are kept for a box that comes back: some 2 MB with short
// keys.
inline constexpr std::string_view kept_messages = "8192";
[[nodiscard]] std::string_view word(Change::Kind kind) noexcept;

// Appends the command that adds `change` to the stream `feed`.
void append_change(std::string& out, std::string_view feed,
                   const Change& change);

// The newest message that is kept; the one at `position`, if it still is.
void append_feed_end(std::string& out, std::string_view feed);
void append_feed_look(std::string& out, std::string_view feed,
                      std::string_view position);
// Messages behind `position`; the server waits up to `wait` for one, if that
// is not 0.
void append_feed_read(std::string& out, std::string_view feed,
                      std::string_view position, core::Millis wait);

// What one reading brought; views into the reply.
struct FeedPage {
    bool sound = false;           // it was an answer to the question
    bool full = false;            // there may be more behind it
    std::string_view first;       // position of the first message
    std::string_view position;    // of the last one, empty: there was none
    std::vector<Change> changes;  // those that could be understood
};

[[nodiscard]] FeedPage read_feed_part(const Reply& reply);  // of the first two
[[nodiscard]] FeedPage read_feed(const Reply& reply);

}  // namespace cacheback::redis
