// redis/lease_scripts.hpp: what the server does in one step with the lease of
// an item. Small, without bodies in them, and sent whole (EVAL): the server
// knows a script again by itself, and none is ever missing.
//
// A lease is a string key that ends by itself. Its value is its holder's: the
// box in 16 digits, and the token that the box gave. With a '-' before them
// nobody works on the item any more, and the lease stays to keep others from
// trying (a failure's back-off).
#pragma once

#include <string_view>

namespace cacheback::redis {

// KEYS: lease, entry. ARGV: holder, milliseconds, whom it sets aside ("0":
// nobody, "1": who keeps it, "2": anybody). The same box asks only when the
// worker that held the lease there has died: it goes on at once. Replies '+'
// and the first 128 bytes of the entry as it is now, or what the holder does:
// '=' works on the item, '-' keeps it.
inline constexpr std::string_view claim_script =
    "local held = redis.call('GET', KEYS[1]) "
    "if held and string.sub(held, 1, 16) ~= string.sub(ARGV[1], 1, 16) then "
    "local state = string.sub(held, 1, 1) == '-' and '-' or '=' "
    "if ARGV[3] == '0' or ARGV[3] == '1' and state == '=' then "
    "return state end "
    "end "
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) "
    "return '+' .. redis.call('GETRANGE', KEYS[2], 0, 127)";

// KEYS: lease, entry, the new entry. ARGV: holder, milliseconds the entry
// lives. Replies 1; 0 when that does not hold the lease any more, and nothing
// is stored; -1 when the new entry is not there (a full server refused it), and
// the lease has ended. It was written before, under a name of its own.
inline constexpr std::string_view commit_script =
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then "
    "redis.call('DEL', KEYS[3]) return 0 end "
    "redis.call('DEL', KEYS[1]) "
    "if redis.pcall('RENAME', KEYS[3], KEYS[2]).err then return -1 end "
    "redis.call('PEXPIRE', KEYS[2], ARGV[2]) "
    "return 1";

// KEYS: lease, entry. ARGV: holder, what becomes of the lease ("release" or
// "keep" it, or "remove" the entry and it). Replies 1, or 0 as above.
inline constexpr std::string_view finish_script =
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end "
    "if ARGV[2] == 'keep' then "
    "redis.call('SET', KEYS[1], '-' .. ARGV[1], "
    "'PX', math.max(redis.call('PTTL', KEYS[1]), 1)) "
    "return 1 end "
    "if ARGV[2] == 'remove' then redis.call('DEL', KEYS[2]) end "
    "redis.call('DEL', KEYS[1]) "
    "return 1";

}  // namespace cacheback::redis
