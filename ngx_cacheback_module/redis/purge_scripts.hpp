// redis/purge_scripts.hpp: the marks of purged tags, a sorted set of the store
// beside its feed: a member for each tag and what became of it ('g' or 's' and
// the tag), its number the score. The member '-' tells since when all are
// known: what was there before has been dropped, or lost. See
// docs/ENTRY_FORMAT.md, "Purged tags".
#pragma once

#include <string_view>

namespace cacheback::redis {

// KEYS: marks, feed. ARGV: 'g' or 's', the word for the feed, the lowest number
// that will do, how many marks are kept, how many messages, the box, the tags
// in 16 hexadecimal digits each. The new purge has a number above all before
// it. Replies 1.
inline constexpr std::string_view purge_script =
    "local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] "
    "local now = redis.call('TIME') "
    "local number = string.format('%.0f', math.max((tonumber(last) or 0) + 1, "
    "tonumber(ARGV[3]), now[1] * 1000 + math.floor(now[2] / 1000))) "
    "if not last then redis.call('ZADD', KEYS[1], number, '-') end "
    "for tag in string.gmatch(ARGV[7], '%x+') do "
    "redis.call('ZADD', KEYS[1], number, ARGV[1] .. tag) end "
    "local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[4]) "
    "if over > 0 then "
    "local low = redis.call('ZRANGE', KEYS[1], over - 1, over - 1, "
    "'WITHSCORES')[2] "
    "redis.call('ZREMRANGEBYRANK', KEYS[1], 0, over - 1) "
    "redis.call('ZADD', KEYS[1], low, '-') end "
    "redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'change', "
    "ARGV[2], 'box', ARGV[6], 'key', ARGV[7], 'number', number) "
    "return 1";

// KEYS: marks. ARGV: the first and the last rank, from the newest. Replies
// members and scores.
inline constexpr std::string_view marks_script =
    "if redis.call('EXISTS', KEYS[1]) == 0 then "
    "local now = redis.call('TIME') "
    "redis.call('ZADD', KEYS[1], string.format('%.0f', "
    "now[1] * 1000 + math.floor(now[2] / 1000)), '-') end "
    "return redis.call('ZREVRANGE', KEYS[1], ARGV[1], ARGV[2], 'WITHSCORES')";

// KEYS: marks. ARGV: tags as above. Replies a text of four numbers: since when
// all are known, the last purge that made one of these tags stale and the last
// by which they are gone, and the last of all.
inline constexpr std::string_view judge_script =
    "local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] "
    "if not last then local now = redis.call('TIME') "
    "last = now[1] * 1000 + math.floor(now[2] / 1000) end "
    "local highest = {s = 0, g = 0} "
    "for tag in string.gmatch(ARGV[1], '%x+') do "
    "for kind, number in pairs(highest) do "
    "highest[kind] = math.max(number, "
    "tonumber(redis.call('ZSCORE', KEYS[1], kind .. tag) or 0)) end end "
    "local known = redis.call('ZSCORE', KEYS[1], '-') or last "
    "return string.format('%.0f %.0f %.0f %.0f', tonumber(known), highest.s, "
    "highest.g, tonumber(last))";

}  // namespace cacheback::redis
