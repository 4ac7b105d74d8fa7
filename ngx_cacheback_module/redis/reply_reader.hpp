// redis/reply_reader.hpp: Redis' protocol as typed replies, on hiredis' parser.
//
// Bytes go in as they arrive, whole replies come out. Only the part of hiredis
// that is the same in 0.14 and 1.x is used: Create, Feed, GetReply, Free and
// object functions. A server that lies is refused: too many elements, too deep
// nesting (which 1.x alone does not bound), types of RESP3 (never asked for),
// or more bytes than a reply may have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <memory>
#include <string>
#include <string_view>

#include <hiredis/read.h>

namespace cacheback::redis {

struct Reply {
    enum class Kind : unsigned char {
        nil,
        string,
        status,
        error,
        integer,
        array,
    };
    Kind kind = Kind::nil;
    std::string_view text;  // string, status, error
    // Where `text` is kept, unless within an array: may be moved from, by who
    // wants the bytes for longer.
    std::string* owner = nullptr;
    std::int64_t integer = 0;         // integer
    const Reply* elements = nullptr;  // array
    std::size_t count = 0;            // array
};

class ReplyReader {
  public:
    static constexpr std::size_t max_elements = 1024;  // of one reply, in all
    static constexpr int max_depth = 7;                // arrays within arrays

    // At most `max_bytes` may arrive without completing a reply (by as much as
    // one feed more, when a reply ended within it).
    explicit ReplyReader(std::size_t max_bytes);
    ~ReplyReader();
    ReplyReader(const ReplyReader&) = delete;
    ReplyReader& operator=(const ReplyReader&) = delete;

    // False when the bytes cannot be taken (see error()).
    [[nodiscard]] bool feed(std::string_view bytes);

    // The next whole reply, valid until the next call of anything here; null
    // when there is none yet, or when the stream is broken (see error()).
    [[nodiscard]] const Reply* next();

    // Empty as long as all is well, else what is wrong. Final until reset().
    [[nodiscard]] std::string_view error() const noexcept { return error_; }

    void reset();  // for a new stream

  private:
    struct Deleter {
        void operator()(redisReader* reader) const noexcept {
            redisReaderFree(reader);
        }
    };

    static ReplyReader& self(const redisReadTask* task) noexcept;
    static void* make_string(const redisReadTask* task, char* text,
                             std::size_t size);
    template <class Count>
    static void* make_array(const redisReadTask* task, Count count);
    static void* make_integer(const redisReadTask* task, long long value);
    static void* make_nil(const redisReadTask* task);
    static redisReplyObjectFunctions object_functions() noexcept;

    Reply* place(const redisReadTask* task) noexcept;
    void* refuse(const char* why) noexcept;

    redisReplyObjectFunctions functions_;
    std::unique_ptr<redisReader, Deleter> reader_;
    std::size_t max_bytes_;
    std::size_t waiting_ = 0;   // fed since the last whole reply
    std::size_t elements_ = 0;  // of the reply being read
    Reply root_;
    std::string text_;  // of the root, kept to save allocations
    std::forward_list<std::string> texts_;  // of elements
    std::forward_list<std::unique_ptr<Reply[]>> arrays_;
    const char* refused_ = nullptr;
    std::string error_;
};

}  // namespace cacheback::redis
