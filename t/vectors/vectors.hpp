// t/vectors/vectors.hpp: the entries whose bytes are kept beside this file.
// They hold the format: a version that writes them differently, or no longer
// reads them, needs a new version number and vectors of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/entry.hpp"
#include "core/vary.hpp"

namespace vectors {

using namespace cacheback::core;

struct Vector {
    std::string name;  // of the file, without ".bin"
    std::string head;
    std::string body;
    std::string key;
};

struct Response {
    EntryMeta meta;
    std::vector<Field> fields;
    std::vector<Field> request;
    std::string_view tags;
};

inline Vector make(std::string_view name, std::string_view key,
                   const Response& response, const std::string& body) {
    const Fields fields{response.fields.data(), response.fields.size()};
    const Fields request{response.request.data(), response.request.size()};
    const std::string vary = make_vary(fields, request);
    EntryParts parts;
    parts.meta = response.meta;
    parts.meta.body_size = static_cast<std::uint32_t>(body.size());
    parts.key = key;
    parts.vary = vary;
    parts.tags = response.tags;
    parts.fields = fields;
    parts.body_checksum = crc32c(0, body);
    return {std::string(name), make_head(parts), body, std::string(key)};
}

// As small as an entry can be.
inline Vector smallest() {
    Response response;
    response.meta.status = 204;
    return make("smallest", "", response, "");
}

inline Vector page() {
    Response response;
    response.meta.status = 200;
    response.meta.stored = 1790000000123;
    response.meta.windows.fresh_for = 600 * second;
    response.meta.windows.stale_for = 2591400 * second;
    response.meta.windows.error_for = 2591400 * second;
    response.meta.windows.ttl = 2592000 * second;
    response.meta.windows.initial_age = 5;
    response.meta.date = 1789999999;
    response.meta.last_modified = 784111777;
    response.meta.sequence = 42;
    response.meta.fetch_ms = 137;
    response.fields = {{"Content-Type", "text/html; charset=utf-8"},
                       {"ETag", "\"33a64df5\""},
                       {"Date", "Mon, 21 Sep 2026 14:13:19 GMT"},
                       {"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"},
                       {"Cache-Control", "max-age=600"},
                       {"X-Empty", ""},
                       {"Link", "</a.css>; rel=preload"},
                       {"Link", "</b.js>; rel=preload"},
                       {"Content-Length", "16"},
                       {"Set-Cookie", "never=stored"}};
    return make("page", "http://example.com/page?a=1", response,
                std::string("<p>hello</p>\0\r\n\xff", 16));
}

inline Vector variant() {
    Response response;
    response.meta.status = 200;
    response.meta.stored = 1790000000000;
    response.meta.windows.ttl = 60 * second;
    response.meta.windows.stale_forbidden = true;
    response.meta.date = 1790000000;
    response.fields = {{"Content-Type", "application/json"},
                       {"Content-Encoding", "gzip"},
                       {"Vary", "X-Absent, Accept"},
                       {"Cache-Control", "no-cache"}};
    response.request = {{"Accept", "application/json, text/*"},
                        {"Accept-Encoding", "gzip"}};
    response.tags = "news author:7";
    return make("variant", "https://example.com/api", response,
                std::string(300, 'z'));
}

inline Vector redirect() {
    Response response;
    response.meta.status = 301;
    response.meta.stored = 1790000000000;
    response.meta.windows.fresh_for = max_seconds * second;
    response.meta.windows.ttl = max_seconds * second;
    response.meta.date = 253402300799;
    response.meta.sequence = 0xfedcba9876543210;
    response.meta.fetch_ms = 0xffffffff;
    response.fields = {{"Location", "https://example.com/"},
                       {"Refresh", "0; url=/"},
                       {"Expires", "Fri, 31 Dec 9999 23:59:59 GMT"},
                       {"WWW-Authenticate", "Basic realm=\"x\""}};
    return make("redirect", "http://example.com/", response, "");
}

// Of policy rfc9111, which stores more fields.
inline Vector verbatim() {
    Response response;
    response.meta.status = 200;
    response.meta.stored = 1790000000000;
    response.meta.windows.fresh_for = 60 * second;
    response.meta.windows.ttl = 600 * second;
    response.meta.windows.immutable = true;
    response.meta.windows.policy = PolicyName::rfc9111;
    response.meta.date = 1790000000;
    response.fields = {{"Set-Cookie", "a=b"},
                       {"Content-Range", "something"},
                       {"Cache-Control", "max-age=60, immutable"},
                       {"Connection", "close"}};
    return make("verbatim", "http://example.com/rfc", response, "text");
}

inline std::vector<Vector> all() {
    return {smallest(), page(), variant(), redirect(), verbatim()};
}

}  // namespace vectors
