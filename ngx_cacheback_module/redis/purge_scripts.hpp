// redis/purge_scripts.hpp: the marks of purged tags, a sorted set of the store
// beside its feed: a member for each tag and what became of it ('g' or 's' and
// the tag), its number the score. The member '-' tells since when all are
// known: what was there before has been dropped, or lost. See
// docs/ENTRY_FORMAT.md, "Purged tags".
#pragma once

#include <string_view>

namespace cacheback::redis {

// Each of the scripts below follows this. KEYS: marks, feed. ARGV: the lowest
// number that will do for a new one, the box, how many messages are kept. Where
// the set has been lost, begin() makes it and says so in the feed: what boxes
// fetch from then on is to be younger than that.
inline constexpr std::string_view marks_beginning =
    "local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] "
    "last = last and tonumber(last) "
    "local now = redis.call('TIME') "
    "local least = math.max(tonumber(ARGV[1]), "
    "now[1] * 1000 + math.floor(now[2] / 1000)) "
    "local function text(n) return string.format('%.0f', n) end "
    "local function tell(change, tags, n) "
    "redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'change', "
    "change, 'box', ARGV[2], 'key', tags, 'number', text(n)) end "
    "local function begin() if last then return end "
    "last = least redis.call('ZADD', KEYS[1], text(last), '-') "
    "tell('tags-gone', '', last) end ";

// ARGV further: the tags in 16 hexadecimal digits each, 'g' or 's', the word
// for the feed, how many marks are kept. The new purge has a number above all
// before it. Replies 1.
inline constexpr std::string_view purge_script =
    "local number = math.max((last or 0) + 1, least) "
    "if not last then redis.call('ZADD', KEYS[1], text(number), '-') end "
    "for tag in string.gmatch(ARGV[4], '%x+') do "
    "redis.call('ZADD', KEYS[1], text(number), ARGV[5] .. tag) end "
    "local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[7]) "
    "if over > 0 then "
    "local low = redis.call('ZRANGE', KEYS[1], over - 1, over - 1, "
    "'WITHSCORES')[2] "
    "redis.call('ZREMRANGEBYRANK', KEYS[1], 0, over - 1) "
    "redis.call('ZADD', KEYS[1], low, '-') end "
    "tell(ARGV[6], ARGV[4], number) "
    "return 1";

// ARGV further: the first and the last rank, from the newest. Replies members
// and scores.
inline constexpr std::string_view marks_script =
    "begin() "
    "return redis.call('ZREVRANGE', KEYS[1], ARGV[4], ARGV[5], 'WITHSCORES')";

// ARGV further: tags as above. Replies a text of four numbers: since when all
// are known, the last purge that made one of these tags stale and the last by
// which they are gone, and the last of all.
inline constexpr std::string_view judge_script =
    "begin() "
    "local highest = {s = 0, g = 0} "
    "for tag in string.gmatch(ARGV[4], '%x+') do "
    "for kind, number in pairs(highest) do "
    "highest[kind] = math.max(number, "
    "tonumber(redis.call('ZSCORE', KEYS[1], kind .. tag) or 0)) end end "
    "local known = redis.call('ZSCORE', KEYS[1], '-') or last "
    "return text(tonumber(known)) .. ' ' .. text(highest.s) .. ' ' .. "
    "text(highest.g) .. ' ' .. text(last)";

}  // namespace cacheback::redis
