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
    // What a script was not allowed to do, in the words of 7.0 and of 7.2.
    constexpr std::string_view may_not =
        "ERR The user executing the script can't run";
    constexpr std::string_view acl_failure = "ERR ACL failure in script";
    if (text.substr(0, may_not.size()) == may_not ||
        text.substr(0, acl_failure.size()) == acl_failure) {
        return ErrorKind::no_perm;
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
