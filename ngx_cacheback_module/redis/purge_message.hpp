// redis/purge_message.hpp: what boxes ask and tell each other about purged
// tags: the commands and replies of purge_scripts.hpp. Pure.
//
// A tag stands there as 64 bits in sixteen hexadecimal digits; numbers are
// those of the store's purges.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../core/time.hpp"
#include "reply_reader.hpp"

namespace cacheback::redis {

// How many marks a store keeps, 8 MB of them, and how many a box reads.
inline constexpr std::size_t marks_kept = 65536;
inline constexpr std::size_t marks_read = 12288;
inline constexpr std::size_t marks_of_page = 480;
static_assert(2 * marks_of_page < ReplyReader::max_elements);

[[nodiscard]] std::string write_tags(const std::vector<std::uint64_t>& tags);
// Those that are none are left out.
[[nodiscard]] std::vector<std::uint64_t> read_tags(std::string_view text);

struct MarksKeys {
    std::string_view marks;
    std::string_view feed;
};

// `gone`: entries with these tags are not to be served any more; else they are
// stale. `least`: the lowest number that will do.
void append_purge(std::string& out, const MarksKeys& keys, bool gone,
                  core::Millis least, std::uint64_t box,
                  const std::vector<std::uint64_t>& tags);

// Marks by rank from the newest, a page at a time. `least`, `box`: for the word
// to all boxes that marks were lost, where there are none.
void append_marks_read(std::string& out, const MarksKeys& keys,
                       core::Millis least, std::uint64_t box,
                       std::size_t first);
struct Mark {
    std::uint64_t tag;
    bool gone;
    core::Millis number;
};
struct MarksPage {
    bool sound = false;  // it was an answer to the question
    std::vector<Mark> marks;
    // All since then are known when these are; nothing: there are more pages.
    std::optional<core::Millis> known_since;
    core::Millis lowest = 0;   // of the page
    core::Millis highest = 0;  // likewise
};
[[nodiscard]] MarksPage read_marks(const Reply& reply);

void append_judge(std::string& out, const MarksKeys& keys, core::Millis least,
                  std::uint64_t box, const std::vector<std::uint64_t>& tags);
struct TagsJudged {
    core::Millis known_since;
    core::Millis stale;  // the last purge that made one of them so; 0: none
    core::Millis gone;
    core::Millis last;  // of all
};
[[nodiscard]] std::optional<TagsJudged> read_judged(const Reply& reply);

}  // namespace cacheback::redis
