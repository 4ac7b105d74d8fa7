// t/fuzz/server_words_fuzz.cpp: what servers, Sentinels and other boxes say,
// read as whatever it may pretend to be. The first byte of the input picks the
// reading of a text; all readings of replies see the rest as RESP.
#include <string>

#include "core/vary.hpp"
#include "core/vary_record.hpp"
#include "fuzz.hpp"
#include "redis/cluster.hpp"
#include "redis/feed_message.hpp"
#include "redis/host_text.hpp"
#include "redis/purge_message.hpp"
#include "redis/reply_error.hpp"
#include "redis/sentinel.hpp"

using namespace cacheback;
using namespace cacheback::redis;

namespace {

bool is_number(core::Millis number) {
    return number >= 0 && number < most_purges;
}

void read_feeds(const Reply& reply) {
    for (const FeedPage& page : {read_feed(reply), read_feed_part(reply)}) {
        require(page.sound || page.changes.empty());
        for (const Change& change : page.changes) {
            require(is_number(change.number) && change.length >= 0);
            require(change.names.empty() || core::are_vary_names(change.names));
            std::string said;
            append_change(said, "feed", change);
        }
    }
}

void read_purges(const Reply& reply) {
    const MarksPage page = read_marks(reply);
    for (const Mark& mark : page.marks) {
        require(!page.sound ||
                (is_number(mark.number) && mark.number <= page.highest));
    }
    if (const auto judged = read_judged(reply)) {
        require(is_number(judged->known_since) && is_number(judged->stale) &&
                is_number(judged->gone) && is_number(judged->last));
    }
}

void read_reply(const Reply& reply) {
    read_feeds(reply);
    read_purges(reply);
    if (const auto master = read_sentinel_master(reply)) {
        require(is_host(master->host) && master->port != 0);
    }
}

// Each node may be connected to, and the work that slots make has an end.
void read_map(std::string_view text) {
    const auto map = read_cluster_nodes(text, "127.0.0.1");
    if (!map) { return; }
    require(!map->ranges.empty() && map->nodes.size() <= most_nodes);
    for (const ClusterNode& node : map->nodes) {
        require(is_host(node.host) && node.port != 0);
    }
    std::size_t slots = 0;
    for (const SlotRange& range : map->ranges) {
        require(range.first <= range.last && range.last < slot_count &&
                range.node < map->nodes.size());
        slots += range.last - range.first + 1U;
    }
    require(slots <= slot_count);
}

void read_text(unsigned kind, std::string_view text) {
    switch (kind % 4) {
    case 0: read_map(text); break;
    case 1:
        (void)error_kind(text);
        if (const auto moved = read_redirection(text)) {
            require(moved->slot < slot_count && moved->port != 0 &&
                    (moved->host.empty() || is_host(moved->host)));
        }
        break;
    case 2: {
        const auto tags = read_tags(text);
        require(read_tags(write_tags(tags)) == tags);
        break;
    }
    default:
        if (const auto record = core::read_vary_record(text)) {
            require(core::begins_vary_record(text));
            require(core::write_vary_record(*record) == text);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
    if (size == 0) { return 0; }
    const std::string_view input = text_of(data + 1, size - 1);
    read_text(*data, input);
    ReplyReader reader(1024 * 1024);
    if (!reader.feed(input)) { return 0; }
    while (const Reply* reply = reader.next()) { read_reply(*reply); }
    return 0;
}
