// core/renewal.hpp: what a 304 means for the entry it was asked about
// (RFC 9111 4.3.3, 4.3.4), and what a HEAD response means for the one that
// could have answered it (4.3.5).
#pragma once

#include "entry.hpp"
#include "storability.hpp"

namespace cacheback::core {

// False when the 304 names another representation than the stored one: its
// ETag differs, or, where one side has none, its Last-Modified. An ETag that
// the stored one lacks names it only beside the same Last-Modified. Such an
// answer renews nothing; it counts as a failed fetch. Tags compare weakly, as
// in the If-None-Match that was sent (RFC 9110 13.1.2): whoever compresses
// marks the tag of a 200 as weak, not that of its 304.
[[nodiscard]] bool confirms(const EntryView& stored, Fields not_modified,
                            Millis now) noexcept;

// True when the response to a HEAD is that of the stored entry: its ETag, its
// Last-Modified and its Content-Length agree, as far as it has them. Then its
// fields update those that are stored, as a 304's do.
[[nodiscard]] bool describes(const EntryView& stored, Fields head,
                             Millis now) noexcept;

// judge() for the renewed entry: the stored status, and the fields of the 304
// before those stored ones that it does not repeat. When neither names a
// lifetime and the policy has none (rfc9111: may not guess one), the stored
// fresh time goes on. Refused
// (no-store, private, ...): the answer is no longer one to keep.
[[nodiscard]] Storability judge_renewal(const EntryView& stored,
                                        const RequestFacts& request,
                                        const ResponseFacts& not_modified,
                                        const Policy& policy, Millis now);

}  // namespace cacheback::core
