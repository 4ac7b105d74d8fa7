// t/fuzz/request_fields_fuzz.cpp: header fields of clients that send anything,
// beside those that an origin named in Vary.
#include <algorithm>
#include <string>

#include "core/cache_status.hpp"
#include "core/forwarded.hpp"
#include "core/http_date.hpp"
#include "core/preconditions.hpp"
#include "core/query_args.hpp"
#include "core/request_directives.hpp"
#include "core/structured_field.hpp"
#include "core/uri_reference.hpp"
#include "core/vary.hpp"
#include "fuzz.hpp"

using namespace cacheback::core;

namespace {

constexpr Millis now = 1790000000123;

constexpr std::string_view names[] = {
    "Cache-Control",   "Pragma", "Accept-Language", "Cookie",
    "Accept-Encoding", "Accept", "User-Agent",      "X-A",
    "accept-language"};

constexpr Field all_of_them[] = {
    {"Vary", "Accept-Language, Cookie, accept-encoding"},
    {"Vary", "User-Agent, Accept, x-a"}};

void directives(Fields request) {
    const RequestDirectives asked = read_request_directives(request);
    for (const auto& number : {asked.max_age, asked.max_stale, asked.min_fresh,
                               asked.stale_if_error}) {
        require(!number || (*number >= 0 && *number <= max_seconds));
    }
    require(asked.any || (!asked.no_cache && !asked.no_store &&
                          !asked.only_if_cached && !asked.max_age));
}

// A request is answered by what was made for it, and by what was made for one
// that has the same section.
void variants(Fields one, Fields other) {
    const Fields response{all_of_them, std::size(all_of_them)};
    const std::string section = make_vary(response, one);
    require(vary_is_valid(section) && vary_matches(section, one));
    require(are_vary_names(names_of_vary(section)));
    require(vary_matches(section, other) ==
            (section == make_vary(response, other)));
    require(renewed_vary(section, response, other) == section);
}

void conditions(std::string_view text) {
    const std::string_view tag = take_until('\0', text);
    const std::string_view held_tag = take_until('\0', text);
    const Seconds date = now / second;
    const Validators held{held_tag, date - 7200, date};
    const Preconditions asked{take_until('\0', text), tag, held_tag, text};
    (void)evaluate(asked, held, 200, date);
    require(evaluate(asked, held, 404, date) == Precondition::met);
    const bool equal = strongly_equal(tag, held_tag);
    require(equal == strongly_equal(held_tag, tag));
    require(!equal || weakly_equal(tag, held_tag));
    require(weakly_equal(tag, held_tag) == weakly_equal(held_tag, tag));
    (void)range_applies(tag, held, date);
}

// What is in order stays as it is.
void arguments(std::string_view text) {
    const ArgPattern patterns[] = {parse_arg_pattern("utm_*"),
                                   parse_arg_pattern(take_until(' ', text))};
    const ArgPatterns ignored{patterns, std::size(patterns)};
    const std::string normal = normal_args(text, ignored);
    require(normal.size() <= text.size());
    require(normal_args(normal, ignored) == normal);
    const Target target = split_target(text);
    require(target.path.size() + target.query.size() <= text.size());
}

// It is a target of the same origin, whatever it was made of.
void references(std::string_view text) {
    const std::string_view authority = take_until(' ', text);
    const RequestPlace place{"http", authority, "/a/b?c"};
    (void)origin_of("https", authority);
    if (const auto target = same_origin_target(place, text)) {
        require(!target->empty() && target->front() == '/');
        require(target->find('#') == std::string::npos);
        require(same_origin_target(place, *target) == target ||
                target->substr(0, 2) == "//");
    }
}

// A name that is taken makes one member that can be read.
void status(std::string_view text) {
    const std::optional<std::string> name = cache_name(take_until('\n', text));
    if (!name) { return; }
    CacheStatus said;
    said.forward = Forward::stale;
    said.ttl = -3;
    said.key = text;
    const std::string member = cache_status(*name, said);
    StructuredReader reader(member);
    StructuredValue value;
    require(reader.next(value) && !reader.next(value) && !reader.failed());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
    std::string_view input = text_of(data, size);
    const auto one = fields_of(names, take_until('\x01', input));
    const auto other = fields_of(names, take_until('\x01', input));
    directives(view_of(one));
    variants(view_of(one), view_of(other));
    conditions(input);
    arguments(input);
    references(input);
    status(input);
    (void)forwarded_agrees(input, "example.org", "http");
    if (const auto date = parse_http_date(input, now / second)) {
        require(*date <= 253402300799);
    }
    return 0;
}
