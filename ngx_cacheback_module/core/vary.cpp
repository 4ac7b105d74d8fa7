// core/vary.cpp: the vary section of an entry. An item is the sizes of name
// (2 bytes) and value (4 bytes, all ones for an absent field), then both.
#include "vary.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "little_endian.hpp"
#include "text.hpp"

namespace cacheback::core {

namespace {

constexpr std::uint32_t absent = 0xffffffff;
constexpr std::size_t item_prologue_size = 6;
constexpr std::size_t max_name_size = 0xffff;

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

bool matches(const VaryItem& item, Fields request) noexcept {
    RequestMembers members(request, item.name);
    std::string_view rest = item.value;
    std::string_view member;
    bool first = true;
    while (members.next(member)) {
        if (!first) {
            if (rest.empty() || rest.front() != ',') { return false; }
            rest.remove_prefix(1);
        }
        first = false;
        if (rest.substr(0, member.size()) != member) { return false; }
        rest.remove_prefix(member.size());
    }
    return rest.empty() && members.present() == item.present;
}

void append_item(std::string& section, const std::string& name,
                 Fields request) {
    RequestMembers members(request, name);
    std::string value;
    std::string_view member;
    while (members.next(member)) {
        if (!value.empty()) { value += ','; }
        value += member;
    }
    append(section, static_cast<std::uint16_t>(name.size()));
    append(section, members.present() ? static_cast<std::uint32_t>(value.size())
                                      : absent);
    section += name;
    section += value;
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

}  // namespace

bool varies_on_everything(Fields response) noexcept {
    for (const Field& field : response) {
        if (!iequal(field.name, "Vary")) { continue; }
        ListMembers names(field.value);
        std::string_view name;
        while (names.next(name)) {
            if (name == "*" || !is_token(name) || name.size() > max_name_size) {
                return true;
            }
        }
    }
    return false;
}

std::string make_vary(Fields response, Fields request, bool ignore_vary) {
    std::vector<std::string> names;
    for (const Field& field : response) {
        if (is_encoded(field)) { names.emplace_back("accept-encoding"); }
        if (ignore_vary || !iequal(field.name, "Vary")) { continue; }
        ListMembers members(field.value);
        std::string_view member;
        while (members.next(member)) {
            if (!is_token(member) || member.size() > max_name_size) {
                continue;
            }
            std::string& name = names.emplace_back(member);
            std::transform(name.begin(), name.end(), name.begin(), lower);
        }
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());

    std::string section;
    for (const std::string& name : names) {
        append_item(section, name, request);
    }
    return section;
}

bool VaryItems::next(VaryItem& item) noexcept {
    if (rest_.size() < item_prologue_size) { return false; }
    const std::size_t name_size = load<std::uint16_t>(rest_.data());
    const auto stored = load<std::uint32_t>(rest_.data() + 2);
    item.present = stored != absent;
    const std::size_t value_size = item.present ? stored : 0;
    const std::string_view texts = rest_.substr(item_prologue_size);
    if (name_size > texts.size() || value_size > texts.size() - name_size) {
        return false;
    }
    item.name = texts.substr(0, name_size);
    item.value = texts.substr(name_size, value_size);
    rest_ = texts.substr(name_size + value_size);
    return true;
}

bool vary_matches(std::string_view section, Fields request) noexcept {
    VaryItems items(section);
    VaryItem item;
    while (items.next(item)) {
        if (!matches(item, request)) { return false; }
    }
    return items.done();
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
