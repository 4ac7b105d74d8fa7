#include "sentinel.hpp"

#include <charconv>
#include <system_error>

#include "commands.hpp"
#include "host_text.hpp"

namespace cacheback::redis {

namespace {

template <class Number>
bool read_number(std::string_view text, Number& number) noexcept {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc{} && stop == end;
}

bool same_place(const SentinelMaster& a, const SentinelMaster& b) noexcept {
    return a.port == b.port && a.host == b.host;
}

}  // namespace

void append_sentinel_master(std::string& out, std::string_view name) {
    append_command(out, {"SENTINEL", "MASTER", name});
}

std::optional<SentinelMaster> read_sentinel_master(const Reply& reply) {
    if (reply.kind != Reply::Kind::array) { return {}; }
    SentinelMaster master;
    bool has_epoch = false;
    for (std::size_t i = 0; i + 1 < reply.count; i += 2) {
        const std::string_view name = reply.elements[i].text;
        const std::string_view value = reply.elements[i + 1].text;
        if (name == "ip") {
            master.host = value;
        } else if (name == "port") {
            if (!read_number(value, master.port)) { return {}; }
        } else if (name == "config-epoch") {
            has_epoch = read_number(value, master.epoch);
        }
    }
    if (!is_host(master.host) || master.port == 0 || !has_epoch) { return {}; }
    return master;
}

const SentinelMaster* choose_master(
    const std::vector<SentinelMaster>& answers) noexcept {
    const SentinelMaster* best = nullptr;
    std::size_t best_votes = 0;
    for (const SentinelMaster& answer : answers) {
        std::size_t votes = 0;
        for (const SentinelMaster& other : answers) {
            if (other.epoch == answer.epoch && same_place(other, answer)) {
                votes++;
            }
        }
        if (best == nullptr || answer.epoch > best->epoch ||
            (answer.epoch == best->epoch && votes > best_votes)) {
            best = &answer;
            best_votes = votes;
        }
    }
    return best;
}

}  // namespace cacheback::redis
