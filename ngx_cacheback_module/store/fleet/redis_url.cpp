#include "redis_url.hpp"

#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

namespace cacheback::store {

namespace {

using std::string_view;

constexpr string_view redis_scheme = "redis://";
constexpr string_view rediss_scheme = "rediss://";
constexpr string_view unix_scheme = "unix:";

bool starts_with(string_view text, string_view with) {
    return text.substr(0, with.size()) == with;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') { return c - '0'; }
    if (c >= 'a' && c <= 'f') { return c - 'a' + 10; }
    if (c >= 'A' && c <= 'F') { return c - 'A' + 10; }
    return -1;
}

// RFC 3986 section 2.1. Nothing for a '%' without two digits, and for %00.
std::optional<std::string> decode(string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain += text[i];
            continue;
        }
        if (i + 2 >= text.size()) { return {}; }
        const int high = hex_digit(text[i + 1]);
        const int low = hex_digit(text[i + 2]);
        if (high < 0 || low < 0 || high + low == 0) { return {}; }
        plain += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return plain;
}

template <class Number>
bool read_number(string_view text, Number& number) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return !text.empty() && error == std::errc{} && stop == end;
}

// The text with its password, or what may be one, made unreadable.
std::string hide_password(string_view text) {
    const std::size_t scheme = text.find("://");
    const std::size_t begin = scheme == string_view::npos ? 0 : scheme + 3;
    const std::size_t at = text.rfind('@');
    const std::size_t colon = text.find(':', begin);
    std::size_t secret = begin;  // without a colon: in the place of the user
    if (at != string_view::npos) {
        if (colon < at) { secret = colon + 1; }
        return std::string(text.substr(0, secret)) + "***" +
               std::string(text.substr(at));
    }
    // "user:password" of somebody who forgot the host.
    if (scheme == string_view::npos || colon == string_view::npos ||
        text[begin] == '[') {
        return std::string(text);
    }
    std::uint16_t port = 0;
    const std::size_t slash = text.find('/', colon);
    if (read_number(text.substr(colon + 1, slash - colon - 1), port)) {
        return std::string(text);
    }
    return std::string(text.substr(0, colon + 1)) + "***";
}

std::string invalid(string_view what, string_view value, string_view expected) {
    std::string error = "invalid ";
    error.append(what).append(" \"").append(value).append("\"");
    if (!expected.empty()) { error.append(", expected ").append(expected); }
    return error;
}

std::string parse_database(string_view text, RedisUrl& url) {
    if (read_number(text, url.db)) { return {}; }
    return invalid("database", text, "a number such as \"0\"");
}

// A user alone is for a password that comes from elsewhere.
std::string parse_login(string_view text, RedisUrl& url) {
    const std::size_t colon = text.find(':');
    auto user = decode(text.substr(0, colon));
    auto password = decode(colon == string_view::npos ? string_view{}
                                                      : text.substr(colon + 1));
    if (!user || !password) { return "invalid percent-encoding in the login"; }
    url.user = std::move(*user);
    url.password = std::move(*password);
    return {};
}

std::string parse_host(string_view text, RedisUrl& url) {
    string_view port;
    bool has_port = false;
    if (!text.empty() && text.front() == '[') {
        const std::size_t close = text.find(']');
        if (close == string_view::npos) {
            return invalid("host", text, "\"[address]\"");
        }
        url.host = text.substr(1, close - 1);
        string_view rest = text.substr(close + 1);
        has_port = !rest.empty();
        if (has_port && rest.front() != ':') {
            return invalid("host", text, "\"[address]:port\"");
        }
        port = has_port ? rest.substr(1) : rest;
    } else {
        const std::size_t colon = text.find(':');
        has_port = colon != string_view::npos;
        auto host = decode(text.substr(0, colon));
        if (!host) { return invalid("host", text.substr(0, colon), {}); }
        url.host = std::move(*host);
        if (has_port) { port = text.substr(colon + 1); }
    }
    if (url.host.empty()) { return "no host"; }
    if (has_port && (!read_number(port, url.port) || url.port == 0)) {
        return "invalid port, expected a number from 1 to 65535";
    }
    return {};
}

std::string parse_tcp(string_view text, RedisUrl& url) {
    text.remove_prefix((url.tls ? rediss_scheme : redis_scheme).size());
    // A password may have an '@' of its own, a host or database may not.
    if (const std::size_t at = text.rfind('@'); at != string_view::npos) {
        std::string error = parse_login(text.substr(0, at), url);
        if (!error.empty()) { return error; }
        text.remove_prefix(at + 1);
    }
    const std::size_t slash = text.find('/');
    std::string error = parse_host(text.substr(0, slash), url);
    if (!error.empty() || slash == string_view::npos) { return error; }
    string_view db = text.substr(slash + 1);
    return db.empty() ? std::string{} : parse_database(db, url);
}

std::string parse_unix(string_view text, RedisUrl& url) {
    url.is_unix = true;
    text.remove_prefix(unix_scheme.size());
    const std::size_t query = text.find('?');
    url.path = text.substr(0, query);
    if (url.path.empty()) { return "no path of the socket"; }
    if (query == string_view::npos) { return {}; }
    string_view argument = text.substr(query + 1);
    if (!starts_with(argument, "db=")) {
        return invalid("argument", argument, "\"db=N\"");
    }
    return parse_database(argument.substr(3), url);
}

}  // namespace

std::string RedisUrl::address() const {
    if (is_unix) { return std::string(unix_scheme) + path; }
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string RedisUrl::masked() const {
    if (is_unix) {
        return address() + (db == 0 ? "" : "?db=" + std::to_string(db));
    }
    std::string text(tls ? rediss_scheme : redis_scheme);
    if (!password.empty()) {
        text += user + ":***@";
    } else if (!user.empty()) {
        text += "***@";  // it may be a password in the wrong place
    }
    return text + address() + "/" + std::to_string(db);
}

std::string parse_redis_url(string_view text, RedisUrl& url,
                            std::uint16_t default_port) {
    url = {};
    url.port = default_port;
    std::string error;
    url.tls = starts_with(text, rediss_scheme);
    if (url.tls || starts_with(text, redis_scheme)) {
        error = parse_tcp(text, url);
    } else if (starts_with(text, unix_scheme)) {
        error = parse_unix(text, url);
    } else {
        return "invalid value \"" + hide_password(text) +
               "\", expected \"redis://[[user]:password@]host[:port][/db]\", "
               "\"rediss://...\" for TLS, or \"unix:path[?db=N]\"";
    }
    if (error.empty()) { return {}; }
    return error + " in \"" + hide_password(text) + "\"";
}

}  // namespace cacheback::store
