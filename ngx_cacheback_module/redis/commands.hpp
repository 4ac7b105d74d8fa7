// redis/commands.hpp: commands in Redis' protocol, appended to a string that
// the caller keeps, so that a command costs no allocation of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace cacheback::redis {

using Words = std::initializer_list<std::string_view>;

void append_command(std::string& out, Words words);

// A command whose value comes in pieces: "SET key value PX ttl". The pieces
// are copied behind a `$length` of our own; hiredis' formatter would first
// want them as one string.
void append_set(std::string& out, std::string_view key,
                const std::vector<std::string_view>& value,
                std::int64_t ttl_ms);

// A GET of a key that comes in pieces.
void append_get(std::string& out, Words pieces_of_key);

// Parts of a command, for callers who put one together.
void append_array(std::string& out, std::size_t words);
void append_word(std::string& out, std::string_view word);

}  // namespace cacheback::redis
