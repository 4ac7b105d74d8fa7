// core/preconditions.hpp: a client's conditions, answered from what is stored
// (RFC 9110 13, RFC 9111 4.3.2). Each rule is one test in
// preconditions_test.cpp.
#pragma once

#include <string_view>

#include "entry.hpp"
#include "time.hpp"

namespace cacheback::core {

// The fields of the request; empty where there is none. Lines of one list are
// joined by commas.
struct Preconditions {
    std::string_view if_match;
    std::string_view if_none_match;
    std::string_view if_modified_since;
    std::string_view if_unmodified_since;
};

// What they are compared with; an ETag as it was received, empty where there is
// none.
struct Validators {
    std::string_view etag;
    Seconds last_modified = no_time;
    Seconds date = no_time;  // of the response
};

enum class Precondition : unsigned char {
    met,           // the response goes out as it is
    not_modified,  // 304 in its place
    failed,        // 412 in its place
};

// In the order of RFC 9110 13.2.2: If-Match, or If-Unmodified-Since where there
// is none; then If-None-Match, or If-Modified-Since where there is none. Only a
// 2xx can be conditional (13.2.1). `now` places two-digit years.
[[nodiscard]] Precondition evaluate(const Preconditions& asked,
                                    const Validators& held, unsigned status,
                                    Seconds now) noexcept;

// If-Range: true when the client's part is of this very representation, so the
// range is sent. By a strong comparison alone: a weak tag, or a date within
// the second of the response's own, proves nothing (RFC 9110 13.1.5, 8.8.2.2).
[[nodiscard]] bool range_applies(std::string_view if_range,
                                 const Validators& held, Seconds now) noexcept;

// Comparison of entity tags (RFC 9110 8.8.3.2). Tags that lack their quotes
// compare as if they had them, so that they match what they were made from.
[[nodiscard]] bool strongly_equal(std::string_view a,
                                  std::string_view b) noexcept;
[[nodiscard]] bool weakly_equal(std::string_view a,
                                std::string_view b) noexcept;

}  // namespace cacheback::core
