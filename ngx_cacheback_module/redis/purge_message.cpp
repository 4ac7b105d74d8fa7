#include "purge_message.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "../core/hexadecimal.hpp"
#include "commands.hpp"
#include "feed_message.hpp"
#include "purge_scripts.hpp"

namespace cacheback::redis {

namespace {

constexpr std::size_t tag_digits = 16;

template <class Number>
bool parse(std::string_view text, Number& number, int base) noexcept {
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, number, base);
    return !text.empty() && error == std::errc() && at == end;
}

bool parse_number(std::string_view text, core::Millis& number) noexcept {
    return parse(text, number, 10) && number >= 0 && number < most_purges;
}

std::string_view next_word(std::string_view& text) noexcept {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

bool parse_tag(std::string_view text, std::uint64_t& tag) noexcept {
    return text.size() == tag_digits && parse(text, tag, 16);
}

std::string begun(std::string_view script) {
    return std::string(marks_beginning).append(script);
}

}  // namespace

std::string write_tags(const std::vector<std::uint64_t>& tags) {
    std::string text;
    for (std::uint64_t tag : tags) {
        if (!text.empty()) { text += ' '; }
        text += core::hexadecimal(tag);
    }
    return text;
}

std::vector<std::uint64_t> read_tags(std::string_view text) {
    std::vector<std::uint64_t> tags;
    while (!text.empty()) {
        std::uint64_t tag = 0;
        if (parse_tag(next_word(text), tag)) { tags.push_back(tag); }
    }
    return tags;
}

void append_purge(std::string& out, const MarksKeys& keys, bool gone,
                  core::Millis least, std::uint64_t box,
                  const std::vector<std::uint64_t>& tags) {
    append_command(
        out, {"EVAL", begun(purge_script), "2", keys.marks, keys.feed,
              std::to_string(least), core::hexadecimal(box), kept_messages,
              write_tags(tags), gone ? "g" : "s",
              word(gone ? Change::Kind::tags_gone : Change::Kind::tags_stale),
              std::to_string(marks_kept)});
}

void append_marks_read(std::string& out, const MarksKeys& keys,
                       core::Millis least, std::uint64_t box,
                       std::size_t first) {
    append_command(
        out,
        {"EVAL", begun(marks_script), "2", keys.marks, keys.feed,
         std::to_string(least), core::hexadecimal(box), kept_messages,
         std::to_string(first), std::to_string(first + marks_of_page - 1)});
}

MarksPage read_marks(const Reply& reply) {
    MarksPage page;
    if (reply.kind != Reply::Kind::array || reply.count % 2 != 0) {
        return page;
    }
    for (std::size_t i = 0; i < reply.count; i += 2) {
        const Reply& member = reply.elements[i];
        const Reply& score = reply.elements[i + 1];
        if (member.kind != Reply::Kind::string ||
            score.kind != Reply::Kind::string ||
            !parse_number(score.text, page.lowest)) {
            return page;
        }
        page.highest = std::max(page.highest, page.lowest);
        if (member.text == "-") {
            page.known_since = page.lowest;
            continue;
        }
        Mark mark{0, member.text.substr(0, 1) == "g", page.lowest};
        if (!member.text.empty() &&
            parse_tag(member.text.substr(1), mark.tag)) {
            page.marks.push_back(mark);
        }
    }
    page.sound = true;
    // A set without its '-' is not one of ours, and nothing is known by it.
    if (!page.known_since && reply.count < 2 * marks_of_page) {
        page.sound = false;
    }
    return page;
}

void append_judge(std::string& out, const MarksKeys& keys, core::Millis least,
                  std::uint64_t box, const std::vector<std::uint64_t>& tags) {
    append_command(
        out, {"EVAL", begun(judge_script), "2", keys.marks, keys.feed,
              std::to_string(least), core::hexadecimal(box), kept_messages,
              write_tags(tags)});
}

std::optional<TagsJudged> read_judged(const Reply& reply) {
    if (reply.kind != Reply::Kind::string) { return std::nullopt; }
    std::string_view text = reply.text;
    TagsJudged judged{};
    for (core::Millis* number :
         {&judged.known_since, &judged.stale, &judged.gone, &judged.last}) {
        if (!parse_number(next_word(text), *number)) { return std::nullopt; }
    }
    return text.empty() ? std::optional(judged) : std::nullopt;
}

}  // namespace cacheback::redis
