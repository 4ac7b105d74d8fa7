#include "cluster.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "host_text.hpp"

namespace cacheback::redis {

namespace {

using std::string_view;

constexpr std::array<std::uint16_t, 256> make_crc_table() noexcept {
    constexpr unsigned polynomial = 0x1021;
    std::array<std::uint16_t, 256> table{};
    for (unsigned i = 0; i < table.size(); ++i) {
        unsigned crc = i << 8U;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc & 0x8000U) != 0 ? crc << 1U ^ polynomial : crc << 1U;
        }
        table[i] = static_cast<std::uint16_t>(crc);
    }
    return table;
}

constexpr std::array<std::uint16_t, 256> crc_table = make_crc_table();

template <class Number>
bool read_number(string_view text, Number& number) noexcept {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc{} && stop == end;
}

// Cuts off what stands before the separator, which goes as well.
string_view take(string_view& text, char separator) noexcept {
    const std::size_t at = text.find(separator);
    const string_view part = text.substr(0, at);
    text.remove_prefix(at == string_view::npos ? text.size() : at + 1);
    return part;
}

bool has_flag(string_view flags, string_view wanted) noexcept {
    while (!flags.empty()) {
        if (take(flags, ',') == wanted) { return true; }
    }
    return false;
}

// "host:port", "[v6]:port", "v6:port" or ":port".
bool read_place(string_view text, std::string& host,
                std::uint16_t& port) noexcept {
    const std::size_t colon = text.rfind(':');
    if (colon == string_view::npos) { return false; }
    string_view name = text.substr(0, colon);
    if (name.size() >= 2 && name.front() == '[' && name.back() == ']') {
        name = name.substr(1, name.size() - 2);
    }
    host = name == "?" ? string_view() : name;
    return (host.empty() || is_host(host)) &&
           read_number(text.substr(colon + 1), port) && port != 0;
}

// "0-5460" or "5461"; "[93-<-…]" is on its way and still where it was.
bool read_range(string_view text, SlotRange& range) noexcept {
    const string_view first = take(text, '-');
    if (!read_number(first, range.first)) { return false; }
    range.last = range.first;
    if (!text.empty() && !read_number(text, range.last)) { return false; }
    return range.first <= range.last && range.last < slot_count;
}

// "<id> <ip:port@bus[,name…]> <flags> <master> <ping> <pong> <epoch> <link>
// <range>…"
bool read_node(string_view line, const std::string& asked, ClusterMap& map) {
    (void)take(line, ' ');
    string_view place = take(line, ' ');
    const string_view flags = take(line, ' ');
    for (int skipped = 0; skipped < 3; ++skipped) { (void)take(line, ' '); }
    std::uint64_t epoch = 0;
    if (read_number(take(line, ' '), epoch)) {
        map.epoch = std::max(map.epoch, epoch);
    }
    (void)take(line, ' ');
    if (line.empty() || !has_flag(flags, "master") ||
        has_flag(flags, "noaddr")) {
        return true;
    }
    ClusterNode node;
    string_view address = take(place, ',');
    const string_view name = take(place, ',');
    if (name.find('=') == string_view::npos) { node.name = name; }
    if (!node.name.empty() && !is_host(node.name)) { return false; }
    if (!read_place(take(address, '@'), node.host, node.port)) { return false; }
    if (node.host.empty()) {
        // It cannot tell where it is; others can tell their names.
        node.host = has_flag(flags, "myself") ? asked : node.name;
        if (node.host.empty()) { return false; }
    }
    const auto index = static_cast<std::uint16_t>(map.nodes.size());
    bool holds_any = false;
    while (!line.empty()) {
        const string_view text = take(line, ' ');
        if (text.empty() || text.front() == '[') { continue; }
        SlotRange range{};
        if (!read_range(text, range)) { return false; }
        range.node = index;
        // Each has one holder, so this has an end.
        map.slots += range.last - range.first + 1U;
        if (map.slots > slot_count) { return false; }
        map.ranges.push_back(range);
        holds_any = true;
    }
    if (holds_any) { map.nodes.push_back(std::move(node)); }
    return true;
}

}  // namespace

unsigned slot_of(string_view key) noexcept {
    const std::size_t open = key.find('{');
    if (open != string_view::npos) {
        const std::size_t close = key.find('}', open + 1);
        if (close != string_view::npos && close != open + 1) {
            key = key.substr(open + 1, close - open - 1);
        }
    }
    unsigned crc = 0;
    for (const char c : key) {
        const unsigned at = (crc >> 8U ^ static_cast<unsigned char>(c)) & 0xffU;
        crc = (crc << 8U ^ crc_table[at]) & 0xffffU;
    }
    return crc % slot_count;
}

std::optional<ClusterMap> read_cluster_nodes(string_view text,
                                             const std::string& asked) {
    ClusterMap map;
    while (!text.empty()) {
        string_view line = take(text, '\n');
        if (!line.empty() && line.back() == '\r') { line.remove_suffix(1); }
        if (line.empty()) { continue; }
        if (!read_node(line, asked, map) || map.nodes.size() > most_nodes) {
            return {};
        }
    }
    if (map.ranges.empty()) { return {}; }
    return map;
}

std::optional<Redirection> read_redirection(string_view error) {
    Redirection redirection;
    const string_view word = take(error, ' ');
    redirection.ask = word == "ASK";
    if (!redirection.ask && word != "MOVED") { return {}; }
    if (!read_number(take(error, ' '), redirection.slot) ||
        redirection.slot >= slot_count ||
        !read_place(take(error, ' '), redirection.host, redirection.port)) {
        return {};
    }
    return redirection;
}

}  // namespace cacheback::redis
