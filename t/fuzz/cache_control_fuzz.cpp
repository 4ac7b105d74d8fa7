// t/fuzz/cache_control_fuzz.cpp: header fields of an origin that sends
// anything. Each line of the input is a field: its first byte picks the name,
// the rest is the value.
//
//   clang++ -std=c++17 -g -O1 -fsanitize=fuzzer,address,undefined
//       -I ngx_cacheback_module t/fuzz/cache_control_fuzz.cpp
//       ngx_cacheback_module/core/*.cpp -o cache_control_fuzz
#include <cstdlib>
#include <string>
#include <vector>

#include "core/entry.hpp"
#include "core/http_date.hpp"
#include "core/storability.hpp"
#include "core/vary.hpp"

using namespace cacheback::core;

namespace {

constexpr std::string_view names[] = {"Cache-Control", "CDN-Cache-Control",
                                      "Expires",       "X-Accel-Expires",
                                      "Date",          "Age",
                                      "Vary",          "Content-Type",
                                      "ETag",          "Connection",
                                      "Set-Cookie",    "Last-Modified",
                                      "X-A",           "Content-Encoding",
                                      "Cache-Control"};

void require(bool holds) {
    if (!holds) { std::abort(); }
}

std::vector<Field> fields_of(std::string_view input) {
    std::vector<Field> fields;
    while (!input.empty()) {
        const std::string_view line = input.substr(0, input.find('\n'));
        input.remove_prefix(std::min(line.size() + 1, input.size()));
        if (line.empty()) { continue; }
        const auto pick = static_cast<unsigned char>(line.front());
        fields.push_back({names[pick % std::size(names)], line.substr(1)});
    }
    return fields;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
    constexpr Millis now = 1790000000123;
    constexpr Millis longest = max_seconds * second;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::vector<Field> list = fields_of(input);
    ResponseFacts response;
    response.status = 200;
    response.fields = {list.data(), list.size()};
    Policy policy;
    policy.lifetime = 60 * second;

    const Storability verdict = judge({}, response, policy, now);
    const Windows& windows = verdict.windows;
    for (Millis length :
         {windows.fresh_for, windows.stale_for, windows.error_for, windows.ttl,
          windows.initial_age * second}) {
        require(length >= 0 && length <= longest);
    }
    require(kept_for(windows) <= windows.ttl);
    if (const auto date = parse_http_date(input, now / second)) {
        require(*date <= 253402300799);
    }

    // What is written is believed, and answers the request it was made for.
    const std::string vary = make_vary(response.fields, response.fields, false);
    require(vary_is_valid(vary) && vary_matches(vary, response.fields));
    EntryParts parts;
    parts.meta.status = 200;
    parts.meta.stored = now;
    parts.meta.windows = windows;
    parts.vary = vary;
    parts.fields = response.fields;
    require(EntryView::check(make_head(parts), "").has_value());
    return 0;
}
