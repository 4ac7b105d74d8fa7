// core/preconditions.cpp: see preconditions.hpp.
#include "preconditions.hpp"

#include "http_date.hpp"
#include "text.hpp"

namespace cacheback::core {

namespace {

bool is_weak(std::string_view tag) noexcept {
    return istarts_with(tag, "W/");  // in lower case it is no tag, yet weak
}

std::string_view opaque(std::string_view tag) noexcept {
    if (is_weak(tag)) { tag.remove_prefix(2); }
    if (tag.size() >= 2 && tag.front() == '"' && tag.back() == '"') {
        tag = tag.substr(1, tag.size() - 2);
    }
    return tag;
}

template <class Equal>
bool lists(std::string_view tags, std::string_view etag, Equal equal) noexcept {
    ListMembers members(tags);
    std::string_view tag;
    while (members.next(tag)) {
        if (equal(tag, etag)) { return true; }
    }
    return false;
}

// `*`: any representation will do, and one is held.
bool is_any(std::string_view tags) noexcept { return trim(tags) == "*"; }

// RFC 9110 13.1.1
bool matches(std::string_view if_match, const Validators& held) noexcept {
    return is_any(if_match) ||
           (!held.etag.empty() && lists(if_match, held.etag, strongly_equal));
}

// RFC 9110 13.1.2
bool none_matches(std::string_view if_none_match,
                  const Validators& held) noexcept {
    return !is_any(if_none_match) &&
           (held.etag.empty() ||
            !lists(if_none_match, held.etag, weakly_equal));
}

// RFC 9110 13.1.3. A response that does not say when it changed has not done so
// after its Date (RFC 9111 4.3.2). A date that is none asks nothing.
bool modified_since(std::string_view since, const Validators& held,
                    Seconds now) noexcept {
    const auto time = parse_http_date(since, now);
    const Seconds changed =
        held.last_modified == no_time ? held.date : held.last_modified;
    return !time || changed == no_time || changed > *time;
}

// RFC 9110 13.1.4. Nothing is asked of what does not say when it changed.
bool unmodified_since(std::string_view since, const Validators& held,
                      Seconds now) noexcept {
    const auto time = parse_http_date(since, now);
    return !time || held.last_modified == no_time ||
           held.last_modified <= *time;
}

}  // namespace

bool strongly_equal(std::string_view a, std::string_view b) noexcept {
    a = trim(a);
    b = trim(b);
    return !is_weak(a) && !is_weak(b) && opaque(a) == opaque(b);
}

bool weakly_equal(std::string_view a, std::string_view b) noexcept {
    return opaque(trim(a)) == opaque(trim(b));
}

Precondition evaluate(const Preconditions& asked, const Validators& held,
                      unsigned status, Seconds now) noexcept {
    if (status < 200 || status > 299) { return Precondition::met; }
    if (!asked.if_match.empty()) {
        if (!matches(asked.if_match, held)) { return Precondition::failed; }
    } else if (!asked.if_unmodified_since.empty()) {
        if (!unmodified_since(asked.if_unmodified_since, held, now)) {
            return Precondition::failed;
        }
    }
    bool modified = true;
    if (!asked.if_none_match.empty()) {
        modified = none_matches(asked.if_none_match, held);
    } else if (!asked.if_modified_since.empty()) {
        modified = modified_since(asked.if_modified_since, held, now);
    }
    return modified ? Precondition::met : Precondition::not_modified;
}

bool range_applies(std::string_view if_range, const Validators& held,
                   Seconds now) noexcept {
    if_range = trim(if_range);
    if (!if_range.empty() && (if_range.back() == '"' || is_weak(if_range))) {
        return !held.etag.empty() && strongly_equal(if_range, held.etag);
    }
    const auto time = parse_http_date(if_range, now);
    return time && *time == held.last_modified &&
           held.last_modified != no_time && held.date > held.last_modified;
}

}  // namespace cacheback::core
