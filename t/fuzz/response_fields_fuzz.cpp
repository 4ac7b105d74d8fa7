// t/fuzz/response_fields_fuzz.cpp: header fields of an origin that sends
// anything, in a response that is stored, and in the 304 or the HEAD's response
// that renews it.
#include <string>

#include "core/cache_groups.hpp"
#include "core/entry.hpp"
#include "core/http_date.hpp"
#include "core/renewal.hpp"
#include "core/storability.hpp"
#include "core/uri_reference.hpp"
#include "core/vary.hpp"
#include "fuzz.hpp"

using namespace cacheback::core;

namespace {

constexpr Millis now = 1790000000123;
constexpr Millis longest = max_seconds * second;

constexpr std::string_view names[] = {"Cache-Control",
                                      "CDN-Cache-Control",
                                      "Expires",
                                      "X-Accel-Expires",
                                      "Date",
                                      "Age",
                                      "Vary",
                                      "Content-Type",
                                      "ETag",
                                      "Connection",
                                      "Set-Cookie",
                                      "Last-Modified",
                                      "X-A",
                                      "Content-Encoding",
                                      "Location",
                                      "Content-Length",
                                      "Cache-Groups",
                                      "Warning",
                                      "X-B",
                                      "Content-Location",
                                      "Transfer-Encoding"};

void bounded(const Windows& windows) {
    for (Millis length :
         {windows.fresh_for, windows.stale_for, windows.error_for, windows.ttl,
          windows.initial_age * second}) {
        require(length >= 0 && length <= longest);
    }
    require(kept_for(windows) <= windows.ttl);
}

Policy policy_of(PolicyName name) {
    Policy policy;
    policy.name = name;
    policy.lifetime = 60 * second;
    return policy;
}

std::string tags_of(Fields response) {
    const Groups groups =
        read_groups(response, "Cache-Groups", origin_of("http", "a.example"));
    require(groups.words.size() <= max_groups);
    for (const std::string& word : groups.words) {
        require(word.find(' ') == std::string::npos);
    }
    return joined(groups.words);
}

// What is written is believed, and answers the request it was made for.
std::string stored_entry(Fields response, Fields request,
                         const Windows& windows) {
    const std::string vary = make_vary(response, request, false);
    require(vary_is_valid(vary) && vary_matches(vary, request));
    const std::string tags = tags_of(response);
    EntryParts parts;
    parts.meta.status = 200;
    parts.meta.stored = now;
    parts.meta.windows = windows;
    parts.vary = vary;
    parts.tags = tags;
    parts.fields = response;
    return make_head(parts);
}

void renew(const EntryView& stored, Fields news, Fields request,
           const Policy& policy) {
    ResponseFacts response;
    response.status = 304;
    response.fields = news;
    (void)confirms(stored, news, now);
    (void)describes(stored, news, now);
    EntryMeta renewed = stored.meta;
    renewed.windows = judge_renewal(stored, {}, response, policy, now).windows;
    bounded(renewed.windows);
    const std::string vary = renewed_vary(stored.vary(), news, request);
    require(vary_is_valid(vary));
    const std::string tags = tags_of(news);
    const std::string head =
        renew_head(stored, renewed, vary, tags, news, news);
    require(EntryView::check(head, "").has_value());
}

}  // namespace

// The input: a byte that picks the policy, and fields of three messages.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
    if (size == 0) { return 0; }
    const Policy policy =
        policy_of(*data % 2 == 0 ? PolicyName::cacheback : PolicyName::rfc9111);
    std::string_view input = text_of(data + 1, size - 1);
    const auto first = fields_of(names, take_until('\x01', input));
    const auto second = fields_of(names, take_until('\x01', input));
    const auto request = fields_of(names, input);

    ResponseFacts response;
    response.status = 200;
    response.fields = view_of(first);
    const Windows windows = judge({}, response, policy, now).windows;
    bounded(windows);
    const std::string head =
        stored_entry(view_of(first), view_of(request), windows);
    const auto stored = EntryView::check(head, "");
    require(stored.has_value());
    renew(*stored, view_of(second), view_of(request), policy);
    return 0;
}
