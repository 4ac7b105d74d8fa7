// redis/lease_scripts.hpp: what the server does in one step with the lease of
// an item. Small, without bodies in them, and sent whole (EVAL): the server
// knows a script again by itself, and none is ever missing.
//
// A lease is a string key that ends by itself. Its value is its holder's: the
// box in 16 digits, and the token that the box gave. With a '-' before them
// nobody works on the item any more, and the lease stays to keep others from
// trying (a failure's back-off). Two numbers follow, what the item's epochs
// were when it was claimed: `r` counts what has voided the fetches under way,
// `o` what has made them outdated, so that what they bring is stale at once.
// The epochs are a hash of the item, there while they may matter.
#pragma once

#include <string_view>

namespace cacheback::redis {

// The entry of an item that varies is a record (core::VaryRecord), and its
// variants are <entry>:<generation>:<variant>, listed in a sorted set by the
// time when they were stored. All of one item share a hash tag, so scripts may
// put these names together.

// KEYS: lease, entry, epochs. ARGV: holder, milliseconds, whom it sets aside
// ("0": nobody, "1": who keeps it, "2": anybody), the variant or "". The same
// box asks only when the worker that held the lease there has died: it goes on
// at once, and so it does after a delete. Replies '+' and the first 128 bytes
// of the entry as it is now, or what the holder does: '=' works on the item,
// '-' keeps it.
inline constexpr std::string_view claim_script =
    "local e = redis.call('HMGET', KEYS[3], 'r', 'o') "
    "local r, o = e[1] or '0', e[2] or '0' "
    "local held = redis.call('GET', KEYS[1]) or '' "
    "local kept, who, since = string.match(held, '^(-?)(%x+) (%d+) ') "
    "if since == r and string.sub(who, 1, 16) ~= string.sub(ARGV[1], 1, 16) "
    "then local state = kept == '-' and '-' or '=' "
    "if ARGV[3] == '0' or ARGV[3] == '1' and state == '=' then "
    "return state end "
    "end "
    "redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. r .. ' ' .. o, "
    "'PX', ARGV[2]) "
    "local entry = KEYS[2] "
    "if ARGV[4] ~= '' then "
    // So that a delete sees that there is something to void.
    "redis.call('HINCRBY', KEYS[3], 'r', 0) "
    "redis.call('PEXPIRE', KEYS[3], 86400000) "
    "local start = redis.call('GETRANGE', entry, 0, 27) "
    "local generation = string.match(start, '^cachevar 1 (%x+) $') "
    "if not generation then return '+' end "
    "entry = entry .. ':' .. generation .. ':' .. ARGV[4] end "
    "return '+' .. redis.call('GETRANGE', entry, 0, 127)";

// KEYS: lease, entry, the new entry, epochs, the list of variants. ARGV:
// holder, milliseconds the entry lives, what invalidates it
// (core::Invalidation), the new entry's variant, its names, a new generation,
// how many variants there may be; the last four are for entries that vary, ""
// for others. Replies 1; 2 when it is stored and stale; 0 when that does not
// hold the lease any more, and nothing is stored; -1 when the new entry is not
// there (a full server refused it), and the lease has ended. It was written
// before, under a name of its own.
inline constexpr std::string_view commit_script =
    "local e = redis.call('HMGET', KEYS[4], 'r', 'o') "
    "local held = redis.call('GET', KEYS[1]) or '' "
    "local who, r, o = string.match(held, '^(%x+) (%d+) (%d+)$') "
    "if who ~= ARGV[1] or r ~= (e[1] or '0') then "
    "redis.call('DEL', KEYS[3]) return 0 end "
    "redis.call('DEL', KEYS[1]) "
    "local start = redis.call('GETRANGE', KEYS[2], 0, 1023) "
    "local generation, names = string.match(start, '^cachevar 1 (%x+) (.*)$') "
    "local entry = KEYS[2] "
    "local function drop(last) "
    "for _, v in ipairs(redis.call('ZRANGE', KEYS[5], 0, last)) do "
    "redis.call('DEL', entry .. ':' .. generation .. ':' .. v) end "
    "redis.call('ZREMRANGEBYRANK', KEYS[5], 0, last) end "
    "if generation and (ARGV[4] == '' or names ~= ARGV[5] or "
    "redis.call('EXISTS', KEYS[5]) == 0) then "
    "drop(-1) generation = nil end "
    "local function live(key) "
    "if redis.call('PTTL', key) < tonumber(ARGV[2]) then "
    "redis.call('PEXPIRE', key, ARGV[2]) end end "
    "local place = entry "
    "if ARGV[4] ~= '' then "
    "if not generation then generation = ARGV[6] "
    "redis.call('SET', entry, 'cachevar 1 ' .. generation .. ' ' .. ARGV[5], "
    "'PX', ARGV[2]) redis.call('DEL', KEYS[5]) end "
    "place = entry .. ':' .. generation .. ':' .. ARGV[4] end "
    "if redis.pcall('RENAME', KEYS[3], place).err then return -1 end "
    "redis.call('PEXPIRE', place, ARGV[2]) "
    "if ARGV[4] ~= '' then "
    "local now = redis.call('TIME') "
    "redis.call('ZADD', KEYS[5], now[1] .. string.format('%06d', now[2]), "
    "ARGV[4]) "
    "local over = redis.call('ZCARD', KEYS[5]) - tonumber(ARGV[7]) "
    "if over > 0 then drop(over - 1) end "
    "live(entry) live(KEYS[5]) end "
    "if o == (e[2] or '0') then return 1 end "
    "redis.call('SETRANGE', place, 120, ARGV[3]) "
    "return 2";

// KEYS: lease, entry, epochs, the list of variants. ARGV: holder, what becomes
// of the lease ("release" or "keep" it, or "remove" the entry and it), the
// variant or "" as above. Replies 1, or 0 as above.
inline constexpr std::string_view finish_script =
    "local held = redis.call('GET', KEYS[1]) or '' "
    "local who, r = string.match(held, '^(%x+) (%d+) ') "
    "if who ~= ARGV[1] then return 0 end "
    "if ARGV[2] == 'keep' then "
    "redis.call('SET', KEYS[1], '-' .. held, "
    "'PX', math.max(redis.call('PTTL', KEYS[1]), 1)) "
    "return 1 end "
    "redis.call('DEL', KEYS[1]) "
    "if ARGV[2] == 'release' then return 1 end "
    "if r ~= (redis.call('HGET', KEYS[3], 'r') or '0') then return 0 end "
    "local start = redis.call('GETRANGE', KEYS[2], 0, 27) "
    "local generation = string.match(start, '^cachevar 1 (%x+) $') "
    "local first, last = 0, -1 "
    "if ARGV[3] ~= '' then "
    "if not generation then return 1 end "
    "redis.call('DEL', KEYS[2] .. ':' .. generation .. ':' .. ARGV[3]) "
    "redis.call('ZREM', KEYS[4], ARGV[3]) return 1 end "
    "if generation then "
    "for _, v in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do "
    "redis.call('DEL', KEYS[2] .. ':' .. generation .. ':' .. v) end end "
    "redis.call('DEL', KEYS[2], KEYS[4]) "
    "return 1";

// What becomes of an item, all its variants: KEYS: lease, entry, epochs, the
// list of variants. ARGV: the epoch that goes on ("r": fetches under way are
// void, "o": they are outdated), what invalidates entries where they lie, ""
// deletes them. Replies 1, or 0 when there was no entry.
inline constexpr std::string_view change_script =
    "local held = redis.call('EXISTS', KEYS[2]) "
    "if held + redis.call('EXISTS', KEYS[1], KEYS[3], KEYS[4]) == 0 then "
    "return 0 end "
    "redis.call('HINCRBY', KEYS[3], ARGV[1], 1) "
    "redis.call('PEXPIRE', KEYS[3], 86400000) "
    "if ARGV[1] == 'r' then redis.call('DEL', KEYS[1]) end "
    "local function change(key) "
    "if ARGV[2] == '' then return redis.call('DEL', key) end "
    "if redis.call('GETRANGE', key, 0, 7) ~= 'cacheent' then return 0 end "
    "redis.call('SETRANGE', key, 120, ARGV[2]) return 1 end "
    "local start = redis.call('GETRANGE', KEYS[2], 0, 27) "
    "local generation = string.match(start, '^cachevar 1 (%x+) $') "
    "if not generation then return change(KEYS[2]) end "
    "held = 0 "
    "for _, v in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do "
    "held = held + change(KEYS[2] .. ':' .. generation .. ':' .. v) end "
    // Without its list nobody can find what is left of them.
    "if ARGV[2] == '' or redis.call('EXISTS', KEYS[4]) == 0 then "
    "redis.call('DEL', KEYS[2], KEYS[4]) end "
    "return held > 0 and 1 or 0";

}  // namespace cacheback::redis
