#include "reply_reader.hpp"

#include <new>

namespace cacheback::redis {

namespace {

// A value of this size is let go after use instead of being kept for reuse.
constexpr std::size_t kept_text = 64 * 1024;

}  // namespace

ReplyReader::ReplyReader(std::size_t max_bytes)
    : functions_(object_functions()), max_bytes_(max_bytes) {
    reset();
}

ReplyReader::~ReplyReader() = default;

void ReplyReader::reset() {
    reader_.reset(redisReaderCreateWithFunctions(&functions_));
    if (!reader_) { throw std::bad_alloc{}; }
    reader_->privdata = this;  // the macro for it is not C++
    waiting_ = 0;
    elements_ = 0;
    refused_ = nullptr;
    error_.clear();
}

bool ReplyReader::feed(std::string_view bytes) {
    if (!error_.empty()) { return false; }
    if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) !=
        REDIS_OK) {
        error_ = "out of memory";
        return false;
    }
    waiting_ += bytes.size();
    return true;
}

const Reply* ReplyReader::next() {
    if (!error_.empty()) { return nullptr; }
    void* reply = nullptr;
    if (redisReaderGetReply(reader_.get(), &reply) != REDIS_OK) {
        // hiredis calls every refusal of ours "out of memory".
        error_ = refused_ != nullptr ? refused_ : reader_->errstr;
        return nullptr;
    }
    if (reply == nullptr) {
        if (waiting_ > max_bytes_) {
            error_ =
                "a reply of more than " + std::to_string(max_bytes_) + " bytes";
        }
        return nullptr;
    }
    waiting_ = 0;
    elements_ = 0;
    return static_cast<const Reply*>(reply);
}

redisReplyObjectFunctions ReplyReader::object_functions() noexcept {
    redisReplyObjectFunctions functions{};
    functions.createString = make_string;
    functions.createArray = make_array;  // counts in int or in size_t
    functions.createInteger = make_integer;
    functions.createNil = make_nil;
#ifdef REDIS_REPLY_DOUBLE  // hiredis 1.x
    functions.createDouble = [](const redisReadTask* task, double, char*,
                                std::size_t) {
        return self(task).refuse("a type of RESP3");
    };
    functions.createBool = [](const redisReadTask* task, int) {
        return self(task).refuse("a type of RESP3");
    };
#endif
    functions.freeObject = [](void*) {};  // the reader owns what it makes
    return functions;
}

ReplyReader& ReplyReader::self(const redisReadTask* task) noexcept {
    return *static_cast<ReplyReader*>(task->privdata);
}

// Where the object goes: the root, or its place in the array around it.
Reply* ReplyReader::place(const redisReadTask* task) noexcept {
    if (task->parent == nullptr) {
        texts_.clear();
        arrays_.clear();
        // Assigning an empty string would keep the memory.
        if (text_.capacity() > kept_text) { std::string().swap(text_); }
        root_ = {};
        return &root_;
    }
    auto* around = static_cast<Reply*>(task->parent->obj);
    return const_cast<Reply*>(around->elements) + task->idx;
}

void* ReplyReader::refuse(const char* why) noexcept {
    refused_ = why;
    return nullptr;
}

// Called from C: nothing may be thrown, a null means failure.
void* ReplyReader::make_string(const redisReadTask* task, char* text,
                               std::size_t size) try {
    ReplyReader& reader = self(task);
    Reply* reply = reader.place(task);
    switch (task->type) {
    case REDIS_REPLY_STRING: reply->kind = Reply::Kind::string; break;
    case REDIS_REPLY_STATUS: reply->kind = Reply::Kind::status; break;
    case REDIS_REPLY_ERROR: reply->kind = Reply::Kind::error; break;
    default: return reader.refuse("a type of RESP3");
    }
    // The parser's buffer moves on before the caller sees the reply.
    std::string& copy =
        task->parent == nullptr ? reader.text_ : reader.texts_.emplace_front();
    copy.assign(text, size);
    reply->text = copy;
    if (task->parent == nullptr) { reply->owner = &copy; }
    return reply;
} catch (...) { return nullptr; }

template <class Count>
void* ReplyReader::make_array(const redisReadTask* task, Count count) try {
    ReplyReader& reader = self(task);
    if (task->type != REDIS_REPLY_ARRAY) {
        return reader.refuse("a type of RESP3");
    }
    const auto size = static_cast<std::size_t>(count);
    if (size > max_elements - reader.elements_) {
        return reader.refuse("an array of too many elements");
    }
    int depth = 1;
    for (auto* outer = task->parent; outer != nullptr; outer = outer->parent) {
        ++depth;
    }
    if (depth > max_depth) { return reader.refuse("arrays nested too deep"); }
    Reply* reply = reader.place(task);
    reader.elements_ += size;
    reply->kind = Reply::Kind::array;
    reply->count = size;
    reader.arrays_.emplace_front(std::make_unique<Reply[]>(size));
    reply->elements = reader.arrays_.front().get();
    return reply;
} catch (...) { return nullptr; }

void* ReplyReader::make_integer(const redisReadTask* task, long long value) {
    Reply* reply = self(task).place(task);
    reply->kind = Reply::Kind::integer;
    reply->integer = value;
    return reply;
}

void* ReplyReader::make_nil(const redisReadTask* task) {
    Reply* reply = self(task).place(task);
    reply->kind = Reply::Kind::nil;
    return reply;
}

}  // namespace cacheback::redis
