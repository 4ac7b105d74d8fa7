// core/vary.cpp: the vary section of an entry. An item is the sizes of name
// (2 bytes) and value (4 bytes, all ones for an absent field), then both.
#include "vary.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "little_endian.hpp"
#include "text.hpp"

namespace cacheback::core {

namespace {

constexpr std::uint32_t absent = 0xffffffff;
constexpr std::size_t item_prologue_size = VaryItems::item_prologue_size;

// A request field's members in order, over all its lines: the normal form of
// its value is these, joined with commas.
class RequestMembers {
  public:
    RequestMembers(Fields request, std::string_view name) noexcept
        : at_(request.begin()), end_(request.end()), name_(name) {}

    bool next(std::string_view& member) noexcept {
        while (!line_.next(member)) {
            while (at_ != end_ && !iequal(at_->name, name_)) { ++at_; }
            if (at_ == end_) { return false; }
            line_ = ListMembers(at_->value);
            present_ = true;
            ++at_;
        }
        return true;
    }

    // Complete after next() was false.
    [[nodiscard]] bool present() const noexcept { return present_; }

  private:
    const Field* at_;
    const Field* end_;
    std::string_view name_;
    ListMembers line_{std::string_view()};
    bool present_ = false;
};

// The members of one field as they were sent, one after another.
void append_members(std::string& value, RequestMembers& members) {
    const std::size_t start = value.size();
    std::string_view member;
    while (members.next(member)) {
        if (value.size() != start) { value += ','; }
        value += member;
    }
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

// By falling weight, then by name; each once.
void append_weighted_members(std::string& value, RequestMembers& members) {
    std::vector<WeightedMember> all;
    std::string_view member;
    while (members.next(member)) { all.push_back(read_weighted(member)); }
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
}

bool is_weighted(std::string_view name) noexcept {
    return name == "accept-language" || name == "accept-encoding";
}

void append_item(std::string& section, std::string_view name, Fields request) {
    RequestMembers members(request, name);
    const std::size_t at = section.size();
    section.resize(at + item_prologue_size);
    section += name;
    const std::size_t start = section.size();
    if (is_weighted(name)) {
        append_weighted_members(section, members);
    } else {
        append_members(section, members);
    }
    const auto size = static_cast<std::uint32_t>(section.size() - start);
    store(section.data() + at, static_cast<std::uint16_t>(name.size()));
    store(section.data() + at + sizeof(std::uint16_t),
          members.present() ? size : absent);
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
