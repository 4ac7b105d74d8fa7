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

// KEYS: lease, entry, epochs. ARGV: holder, milliseconds, whom it sets aside
// ("0": nobody, "1": who keeps it, "2": anybody). The same box asks only when
// the worker that held the lease there has died: it goes on at once. Replies
// '+' and the first 128 bytes of the entry as it is now, or what the holder
// does: '=' works on the item, '-' keeps it.
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
    "return '+' .. redis.call('GETRANGE', KEYS[2], 0, 127)";

// KEYS: lease, entry, the new entry, epochs. ARGV: holder, milliseconds the
// entry lives, what invalidates it (core::Invalidation). Replies 1; 2 when it
// is stored and stale; 0 when that does not hold the lease any more, and
// nothing is stored; -1 when the new entry is not there (a full server refused
// it), and the lease has ended. It was written before, under a name of its own.
inline constexpr std::string_view commit_script =
    "local e = redis.call('HMGET', KEYS[4], 'r', 'o') "
    "local held = redis.call('GET', KEYS[1]) or '' "
    "local who, r, o = string.match(held, '^(%x+) (%d+) (%d+)$') "
    "if who ~= ARGV[1] or r ~= (e[1] or '0') then "
    "redis.call('DEL', KEYS[3]) return 0 end "
    "redis.call('DEL', KEYS[1]) "
    "if redis.pcall('RENAME', KEYS[3], KEYS[2]).err then return -1 end "
    "redis.call('PEXPIRE', KEYS[2], ARGV[2]) "
    "if o == (e[2] or '0') then return 1 end "
    "redis.call('SETRANGE', KEYS[2], 120, ARGV[3]) "
    "return 2";

// KEYS: lease, entry, epochs. ARGV: holder, what becomes of the lease
// ("release" or "keep" it, or "remove" the entry and it). Replies 1, or 0 as
// above.
inline constexpr std::string_view finish_script =
    "local held = redis.call('GET', KEYS[1]) or '' "
    "local who, r = string.match(held, '^(%x+) (%d+) ') "
    "if who ~= ARGV[1] then return 0 end "
    "if ARGV[2] == 'keep' then "
    "redis.call('SET', KEYS[1], '-' .. held, "
    "'PX', math.max(redis.call('PTTL', KEYS[1]), 1)) "
    "return 1 end "
    "redis.call('DEL', KEYS[1]) "
    "if ARGV[2] == 'remove' then "
    "if r ~= (redis.call('HGET', KEYS[3], 'r') or '0') then return 0 end "
    "redis.call('DEL', KEYS[2]) end "
    "return 1";

// Makes the entry stale where it lies. KEYS: lease, entry, epochs. ARGV: what
// invalidates it, the epoch that goes on ("r": fetches under way are void, "o":
// they are outdated). Replies how many entries there were.
inline constexpr std::string_view invalidate_script =
    "local held = redis.call('EXISTS', KEYS[2]) "
    "if held + redis.call('EXISTS', KEYS[1]) == 0 then return 0 end "
    "redis.call('HINCRBY', KEYS[3], ARGV[2], 1) "
    "redis.call('PEXPIRE', KEYS[3], 86400000) "
    "if ARGV[2] == 'r' then redis.call('DEL', KEYS[1]) end "
    "if redis.call('GETRANGE', KEYS[2], 0, 7) == 'cacheent' then "
    "redis.call('SETRANGE', KEYS[2], 120, ARGV[1]) end "
    "return held";

}  // namespace cacheback::redis
