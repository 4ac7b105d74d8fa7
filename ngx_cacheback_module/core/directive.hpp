// core/directive.hpp: the members of Cache-Control, taken apart; the same
// grammar in requests and responses (RFC 9111 5.2).
#pragma once

#include <string_view>

#include "text.hpp"

namespace cacheback::core {

struct Directive {
    std::string_view name;
    std::string_view argument;  // without its quotes
    bool has_argument = false;
    bool well_formed = true;  // no space around "="
};

// Reads the directives of one field line one after another.
class Directives {
  public:
    explicit Directives(std::string_view line) noexcept : members_(line) {}

    // False at the end.
    bool next(Directive& directive) noexcept {
        std::string_view member;
        if (!members_.next(member)) { return false; }
        directive = split(member);
        return true;
    }

  private:
    static Directive split(std::string_view member) noexcept {
        Directive directive;
        const std::size_t equals = member.find('=');
        directive.name = trim(member.substr(0, equals));
        if (equals == std::string_view::npos) { return directive; }

        directive.has_argument = true;
        const std::string_view raw = member.substr(equals + 1);
        directive.argument = trim(raw);
        directive.well_formed = directive.name.size() == equals &&
                                directive.argument.size() == raw.size();
        if (directive.argument.size() >= 2 &&
            directive.argument.front() == '"' &&
            directive.argument.back() == '"') {
            directive.argument.remove_prefix(1);
            directive.argument.remove_suffix(1);
        }
        return directive;
    }

    ListMembers members_;
};

}  // namespace cacheback::core
