// core/renewal.cpp: see renewal.hpp.
#include "renewal.hpp"

#include <vector>

#include "http_date.hpp"
#include "text.hpp"

namespace cacheback::core {

namespace {

// Without the mark of a weak one: validation on our behalf compares weakly
// (RFC 9110 8.8.3.2, 13.1.2).
std::string_view opaque_tag(std::string_view etag) noexcept {
    etag = trim(etag);
    if (istarts_with(etag, "W/")) { etag.remove_prefix(2); }
    return etag;
}

std::string_view stored_etag(const EntryView& stored) noexcept {
    EntryFields fields = stored.fields();
    EntryField field{};
    while (fields.next(field)) {
        if (field.kind == FieldKind::etag) { return field.value; }
    }
    return {};
}

}  // namespace

bool confirms(const EntryView& stored, Fields not_modified,
              Millis now) noexcept {
    const std::string_view old_tag = opaque_tag(stored_etag(stored));
    const Field* etag = find(not_modified, "ETag");
    if (etag != nullptr && !old_tag.empty()) {
        return opaque_tag(etag->value) == old_tag;
    }
    const Field* modified = find(not_modified, "Last-Modified");
    if (modified == nullptr || stored.meta.last_modified == no_time) {
        return etag == nullptr;
    }
    const auto time = parse_http_date(modified->value, now / second);
    return time ? *time == stored.meta.last_modified : etag == nullptr;
}

bool describes(const EntryView& stored, Fields head, Millis now) noexcept {
    const Field* etag = find(head, "ETag");
    if (etag != nullptr && trim(etag->value) != trim(stored_etag(stored))) {
        return false;
    }
    const Field* length = find(head, "Content-Length");
    if (length != nullptr &&
        parse_seconds(trim(length->value)) != Seconds{stored.meta.body_size}) {
        return false;
    }
    const Field* modified = find(head, "Last-Modified");
    return modified == nullptr ||
           parse_http_date(modified->value, now / second).value_or(no_time) ==
               stored.meta.last_modified;
}

Storability judge_renewal(const EntryView& stored, const RequestFacts& request,
                          const ResponseFacts& not_modified,
                          const Policy& policy, Millis now) {
    std::vector<Field> merged(not_modified.fields.begin(),
                              not_modified.fields.end());
    EntryFields fields = stored.fields();
    EntryField field{};
    while (fields.next(field)) {
        // The old Date would make the renewed answer as old as the first.
        if (field.kind != FieldKind::date &&
            find(not_modified.fields, field.name) == nullptr) {
            merged.push_back({field.name, field.value});
        }
    }

    ResponseFacts renewed = not_modified;
    renewed.status = stored.meta.status;
    renewed.fields = {merged.data(), merged.size()};
    Policy with_stored = policy;
    if (policy.name == PolicyName::cacheback) {
        // A cookie on a 304 is for whoever asked; it does not enter the entry.
        with_stored.ignore |= ignore_set_cookie;
    }
    if (!with_stored.lifetime) { with_stored.lifetime = stored.granted(); }
    return judge(request, renewed, with_stored, now);
}

}  // namespace cacheback::core
