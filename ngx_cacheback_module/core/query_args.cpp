// core/query_args.cpp: see query_args.hpp.
#include "query_args.hpp"

#include <algorithm>
#include <vector>

namespace cacheback::core {

namespace {

struct Arg {
    std::string_view name;
    std::string_view text;  // name, "=" and value as they were written
};

bool matches(const ArgPattern& pattern, std::string_view name) noexcept {
    return pattern.is_prefix
               ? name.substr(0, pattern.name.size()) == pattern.name
               : name == pattern.name;
}

}  // namespace

ArgPattern parse_arg_pattern(std::string_view text) noexcept {
    if (!text.empty() && text.back() == '*') {
        return {text.substr(0, text.size() - 1), true};
    }
    return {text, false};
}

std::string normal_args(std::string_view query, ArgPatterns ignored) {
    std::vector<Arg> args;
    for (std::string_view rest = query; !rest.empty();) {
        const std::size_t end = std::min(rest.find('&'), rest.size());
        const std::string_view text = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (text.empty()) { continue; }

        const std::string_view name = text.substr(0, text.find('='));
        if (std::none_of(ignored.begin(), ignored.end(),
                         [name](const ArgPattern& pattern) {
                             return matches(pattern, name);
                         })) {
            args.push_back({name, text});
        }
    }
    std::stable_sort(args.begin(), args.end(), [](const Arg& a, const Arg& b) {
        return a.name < b.name;
    });

    std::string normal;
    normal.reserve(query.size());
    for (const Arg& arg : args) {
        if (!normal.empty()) { normal += '&'; }
        normal += arg.text;
    }
    return normal;
}

Target split_target(std::string_view target) noexcept {
    const std::size_t mark = target.find('?');
    if (mark == std::string_view::npos) { return {target, {}}; }
    return {target.substr(0, mark), target.substr(mark + 1)};
}

}  // namespace cacheback::core
