#include "reply_error.hpp"

namespace cacheback::redis {

namespace {

struct Word {
    std::string_view word;
    ErrorKind kind;
};

constexpr Word words[] = {
    {"LOADING", ErrorKind::loading},
    {"READONLY", ErrorKind::readonly},
    {"MASTERDOWN", ErrorKind::master_down},
    {"CLUSTERDOWN", ErrorKind::cluster_down},
    {"TRYAGAIN", ErrorKind::try_again},
    {"NOAUTH", ErrorKind::no_auth},
    {"WRONGPASS", ErrorKind::wrong_pass},
    {"NOPERM", ErrorKind::no_perm},
    {"OOM", ErrorKind::oom},
    {"MISCONF", ErrorKind::misconf},
    {"NOSCRIPT", ErrorKind::no_script},
    {"MOVED", ErrorKind::moved},
    {"ASK", ErrorKind::ask},
    {"BUSY", ErrorKind::busy},
};

}  // namespace

ErrorKind error_kind(std::string_view text) noexcept {
    const std::string_view first = text.substr(0, text.find(' '));
    for (const Word& known : words) {
        if (known.word == first) { return known.kind; }
    }
    // Servers before version 6 have no word of their own for this one.
    if (text == "ERR invalid password") { return ErrorKind::wrong_pass; }
    return ErrorKind::other;
}

bool concerns_writes(ErrorKind kind) noexcept {
    switch (kind) {
    case ErrorKind::readonly:
    case ErrorKind::no_perm:
    case ErrorKind::oom:
    case ErrorKind::misconf: return true;
    default: return false;
    }
}

}  // namespace cacheback::redis
