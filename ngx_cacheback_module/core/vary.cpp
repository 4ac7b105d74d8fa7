// core/vary.cpp: the vary section of an entry. An item is the sizes of name
// (2 bytes) and value (4 bytes, all ones for an absent field), then both.
#include "vary.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "little_endian.hpp"
#include "text.hpp"

namespace cacheback::core {

namespace {

constexpr std::uint32_t absent = 0xffffffff;
constexpr std::size_t item_prologue_size = VaryItems::item_prologue_size;

template <std::size_t Count>
bool is_one_of(const std::string_view (&names)[Count],
               std::string_view name) noexcept {
    return std::find(std::begin(names), std::end(names), name) !=
           std::end(names);
}

// Fields of one value that may have a comma in it: compared as they were sent.
bool is_single(std::string_view name) noexcept {
    static constexpr std::string_view names[] = {
        "authorization",       "cookie",  "from",      "origin",
        "proxy-authorization", "referer", "user-agent"};
    return is_one_of(names, name);
}

// Lists by their definition: empty members are none (RFC 9110 5.6.1.2).
bool is_list(std::string_view name) noexcept {
    static constexpr std::string_view names[] = {"accept", "accept-charset"};
    return is_one_of(names, name);
}

// Calls each(value) for the lines of a field. False when there is none.
template <class Each>
bool for_each_line(std::string_view name, Fields request, Each each) {
    bool present = false;
    for (const Field& field : request) {
        if (!iequal(field.name, name)) { continue; }
        each(field.value);
        present = true;
    }
    return present;
}

template <class Each>
void for_each_member(std::string_view line, Each each) {
    ListMembers members(line);
    std::string_view member;
    while (members.next(member)) { each(member); }
}

void append_members(std::string& value, std::size_t start,
                    std::string_view line) {
    for_each_member(line, [&](std::string_view member) {
        if (value.size() != start) { value += ','; }
        value += member;
    });
}

// Where nobody knows what the field means, "a," need not be "a" to the origin:
// only the space around commas goes.
void append_line(std::string& value, std::string_view line) {
    const auto append_commas = [&](const char* from, const char* to) {
        value.append(static_cast<std::size_t>(std::count(from, to, ',')), ',');
    };
    const char* at = line.data();
    for_each_member(line, [&](std::string_view member) {
        append_commas(at, member.data());
        value += member;
        at = member.data() + member.size();
    });
    append_commas(at, line.data() + line.size());
}

bool append_lines(std::string& value, std::string_view name, Fields request) {
    const bool single = is_single(name);
    const bool list = is_list(name);
    bool first = true;
    const std::size_t start = value.size();
    return for_each_line(name, request, [&](std::string_view line) {
        if (list) { return append_members(value, start, line); }
        if (!std::exchange(first, false)) { value += single ? '\n' : ','; }
        if (single) {
            value += line;
        } else {
            append_line(value, line);
        }
    });
}

// A weight in thousandths (RFC 9110 12.4.2); what is none counts as most, and
// stays in the text.
constexpr unsigned most_weight = 1000;

std::optional<unsigned> parse_weight(std::string_view text) noexcept {
    if (text.size() < 3 || lower(text[0]) != 'q' || text[1] != '=') {
        return std::nullopt;
    }
    text.remove_prefix(2);
    if (text.size() > 5 || (text[0] != '0' && text[0] != '1') ||
        (text.size() > 1 && text[1] != '.')) {
        return std::nullopt;
    }
    unsigned weight = text[0] == '1' ? most_weight : 0;
    unsigned unit = 100;
    for (std::size_t i = 2; i < text.size(); ++i, unit /= 10) {
        if (!is_digit(text[i])) { return std::nullopt; }
        weight += static_cast<unsigned>(text[i] - '0') * unit;
    }
    return weight <= most_weight ? std::optional(weight) : std::nullopt;
}

struct WeightedMember {
    std::string_view text;
    unsigned weight = most_weight;
};

WeightedMember read_weighted(std::string_view member) noexcept {
    const std::size_t end = member.rfind(';');
    if (end == std::string_view::npos) { return {member, most_weight}; }
    const auto weight = parse_weight(trim(member.substr(end + 1)));
    if (!weight) { return {member, most_weight}; }
    return {trim(member.substr(0, end)), *weight};
}

bool iless(std::string_view a, std::string_view b) noexcept {
    return std::lexicographical_compare(
        a.begin(), a.end(), b.begin(), b.end(),
        [](char x, char y) { return lower(x) < lower(y); });
}

void append_weight(std::string& value, unsigned weight) {
    if (weight == most_weight) { return; }
    value += ";q=0";
    if (weight == 0) { return; }
    value += '.';
    for (unsigned unit = 100; weight != 0; weight %= unit, unit /= 10) {
        value += static_cast<char>('0' + weight / unit);
    }
}

// Of all lines, by falling weight, then by name; each once. False when there is
// no line.
bool append_weighted_members(std::string& value, std::string_view name,
                             Fields request) {
    std::vector<WeightedMember> all;
    const bool present =
        for_each_line(name, request, [&](std::string_view line) {
            for_each_member(line, [&](std::string_view member) {
                all.push_back(read_weighted(member));
            });
        });
    std::sort(all.begin(), all.end(),
              [](const WeightedMember& a, const WeightedMember& b) {
                  return a.weight != b.weight ? a.weight > b.weight
                                              : iless(a.text, b.text);
              });
    const auto end =
        std::unique(all.begin(), all.end(),
                    [](const WeightedMember& a, const WeightedMember& b) {
                        return a.weight == b.weight && iequal(a.text, b.text);
                    });
    for (auto one = all.begin(); one != end; ++one) {
        if (one != all.begin()) { value += ','; }
        for (const char c : one->text) { value += lower(c); }
        append_weight(value, one->weight);
    }
    return present;
}

bool is_weighted(std::string_view name) noexcept {
    return name == "accept-language" || name == "accept-encoding";
}

void append_item(std::string& section, std::string_view name, Fields request) {
    const std::size_t at = section.size();
    section.resize(at + item_prologue_size);
    section += name;
    const std::size_t start = section.size();
    const bool present = is_weighted(name)
                             ? append_weighted_members(section, name, request)
                             : append_lines(section, name, request);
    const auto size = static_cast<std::uint32_t>(section.size() - start);
    store(section.data() + at, static_cast<std::uint16_t>(name.size()));
    store(section.data() + at + sizeof(std::uint16_t), present ? size : absent);
}

bool is_encoded(const Field& field) noexcept {
    return iequal(field.name, "Content-Encoding") &&
           !trim(field.value).empty() && !iequal(trim(field.value), "identity");
}

bool is_lower_token(std::string_view text) noexcept {
    return is_token(text) && std::none_of(text.begin(), text.end(), [](char c) {
               return c >= 'A' && c <= 'Z';
           });
}

std::string list_of(std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());

    std::string list;
    for (const std::string& name : names) {
        if (!list.empty()) { list += ','; }
        list += name;
    }
    return list;
}

}  // namespace

bool varies_on_everything(Fields response) noexcept {
    std::size_t size = 0;
    for (const Field& field : response) {
        if (is_encoded(field)) { size += sizeof("accept-encoding"); }
        if (!iequal(field.name, "Vary")) { continue; }
        ListMembers names(field.value);
        std::string_view name;
        while (names.next(name)) {
            size += name.size() + 1;
            if (name == "*" || !is_token(name)) { return true; }
        }
    }
    return size > max_vary_names;
}

std::string vary_names(Fields response, bool ignore_vary) {
    std::vector<std::string> names;
    for (const Field& field : response) {
        if (is_encoded(field)) { names.emplace_back("accept-encoding"); }
        if (ignore_vary || !iequal(field.name, "Vary")) { continue; }
        ListMembers members(field.value);
        std::string_view member;
        while (members.next(member)) {
            if (!is_token(member)) { continue; }
            std::string& name = names.emplace_back(member);
            std::transform(name.begin(), name.end(), name.begin(), lower);
        }
    }
    return list_of(std::move(names));
}

bool are_vary_names(std::string_view names) noexcept {
    if (names.empty() || names.size() > max_vary_names || names.back() == ',') {
        return false;
    }
    std::string_view before;
    bool valid = true;
    for_each_vary_name(names, [&](std::string_view name) {
        valid = valid && is_lower_token(name) && name > before;
        before = name;
    });
    return valid;
}

std::string vary_section(std::string_view names, Fields request) {
    std::string section;
    for_each_vary_name(names, [&](std::string_view name) {
        append_item(section, name, request);
    });
    return section;
}

std::string make_vary(Fields response, Fields request, bool ignore_vary) {
    return vary_section(vary_names(response, ignore_vary), request);
}

std::string renewed_vary(std::string_view section, Fields not_modified,
                         Fields request, bool ignore_vary) {
    const std::string before = names_of_vary(section);
    const std::string more = vary_names(not_modified, ignore_vary);
    std::vector<std::string> all;
    for (const std::string_view names : {before, more}) {
        for_each_vary_name(
            names, [&](std::string_view name) { all.emplace_back(name); });
    }
    const std::string names = list_of(std::move(all));
    if (names == before) { return std::string(section); }
    return vary_section(names.size() > max_vary_names ? more : names, request);
}

std::string names_of_vary(std::string_view section) {
    std::string names;
    VaryItems items(section);
    VaryItem item;
    while (items.next(item)) {
        if (!names.empty()) { names += ','; }
        names += item.name;
    }
    return names;
}

VaryItems::Sizes VaryItems::sizes_of(const char* item_prologue) noexcept {
    const auto value = load<std::uint32_t>(item_prologue + 2);
    const bool present = value != absent;
    return {load<std::uint16_t>(item_prologue), present ? value : 0, present};
}

bool VaryItems::next(VaryItem& item) noexcept {
    if (rest_.size() < item_prologue_size) { return false; }
    const auto [name_size, value_size, present] = sizes_of(rest_.data());
    item.present = present;
    const std::string_view texts = rest_.substr(item_prologue_size);
    if (name_size > texts.size() || value_size > texts.size() - name_size) {
        return false;
    }
    item.name = texts.substr(0, name_size);
    item.value = texts.substr(name_size, value_size);
    rest_ = texts.substr(name_size + value_size);
    return true;
}

bool vary_matches(std::string_view section, Fields request) {
    return vary_section(names_of_vary(section), request) == section;
}

bool vary_is_valid(std::string_view section) noexcept {
    VaryItems items(section);
    VaryItem item;
    std::string_view before;
    while (items.next(item)) {
        if (!is_lower_token(item.name) || item.name <= before) { return false; }
        before = item.name;
    }
    return items.done();
}

}  // namespace cacheback::core
