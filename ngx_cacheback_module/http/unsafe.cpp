#include "unsafe.hpp"

#include "../core/cache_groups.hpp"
#include "../core/method.hpp"
#include "../core/text.hpp"
#include "../core/uri_reference.hpp"
#include "../core/vary.hpp"
#include "../ngx/pool.hpp"
#include "background_fetch.hpp"
#include "field_lists.hpp"
#include "lookup.hpp"
#include "origin_fields.hpp"
#include "variant.hpp"

namespace cacheback::http {

namespace {

// What the client asked for, also where an error_page or an X-Accel-Redirect
// has made a GET of it.
std::string_view method_of(const ngx_http_request_t& r) noexcept {
    const std::string_view line = ngx::view(r.request_line);
    return line.substr(0, line.find(' '));
}

bool changed(const RequestContext& context) noexcept {
    const ngx_http_request_t& r = context.request;
    Redirects redirects = context.redirects;
    redirects.note(r);
    return !redirects.by_error_page && r.headers_out.status >= NGX_HTTP_OK &&
           r.headers_out.status < NGX_HTTP_BAD_REQUEST;
}

bool removes(const RequestContext& context) noexcept {
    return core::traits_of(policy_name(context.conf)).removes_changed;
}

void remove(store::Store& store, const store::Key& key) {
    (void)store.remove(key, nullptr);
    if (store::RedisTier* redis = store.redis(); redis != nullptr) {
        redis->announce(key, redis::Change::Kind::removed);
    }
}

// Of the answer to an unsafe request: what it may have changed besides, as far
// as that is of the same origin (RFC 9111 4.4).
void remove_what_it_names(RequestContext& context) {
    ngx_http_request_t& r = context.request;
    const core::RequestPlace place{is_secure(r) ? "https" : "http",
                                   authority_of(r), ngx::view(r.unparsed_uri)};
    for (const core::Field& field : delivered_fields(r, 0)) {
        if (!core::iequal(field.name, "Location") &&
            !core::iequal(field.name, "Content-Location")) {
            continue;
        }
        const auto target = core::same_origin_target(place, field.value);
        if (!target) { continue; }
        const auto key = key_of_target(r, context.conf, *target);
        if (key) { remove(context.store, *key); }
    }
}

// Groups that the origin invalidates by name, whatever it answers else (RFC
// 9875 3). They are its own.
void invalidate_groups(RequestContext& context) {
    constexpr std::string_view name = "Cache-Group-Invalidation";
    ngx_http_request_t& r = context.request;
    const std::vector<core::Field> fields = origin_fields(r);
    const core::Fields sent{fields.data(), fields.size()};
    if (core::find(sent, name) == nullptr) { return; }
    const core::Groups groups = core::read_groups(
        sent, name,
        core::origin_of(is_secure(r) ? "https" : "http", authority_of(r)));
    if (groups.words.empty()) { return; }
    context.store.purge_tags(groups.words, removes(context)
                                               ? store::PurgeKind::gone
                                               : store::PurgeKind::stale);
}

}  // namespace

void expect_change(RequestContext& context) {
    ngx_http_request_t& r = context.request;
    const LocationConf& conf = context.conf;
    if (!conf.invalidate_on_unsafe || core::is_safe_method(method_of(r)) ||
        (conf.skip != nullptr &&
         ngx_http_test_predicates(&r, conf.skip) != NGX_OK)) {
        return;
    }
    context.key = make_key(r, conf);
    if (removes(context)) {
        context.changes = std::exchange(context.key, {});
        return;
    }
    std::optional<core::EntryView> entry;
    if (auto copy = find_in_memory(context)) {
        entry = core::EntryView::trusted(copy->bytes);
    }
    name_variant(context);
    // What is not looked up has no key to show.
    context.changes = std::exchange(context.key, {});

    // Where only Redis may hold the item, the fetch finds out whether it does.
    if (!entry && (context.store.memory().enabled() ||
                   context.store.redis() == nullptr)) {
        return;
    }
    context.refresh = BackgroundFetch::prepare(
        r, context.conf, context.changes, {}, 0,
        core::names_of_vary(context.section), entry ? &*entry : nullptr,
        {true, std::nullopt});
    if (context.refresh != nullptr) {
        context.refresh->expect_item(entry.has_value());
    }
}

void note_change(RequestContext& context) {
    const store::Key key = std::exchange(context.changes, {});
    std::unique_ptr<BackgroundFetch> refresh = std::move(context.refresh);
    invalidate_groups(context);
    if (!changed(context)) { return; }
    if (removes(context)) {
        remove(context.store, key);
        remove_what_it_names(context);
        return;
    }

    core::Millis now = store::wall_clock();
    (void)context.store.invalidate(key, now, store::Fetches::outdated);
    if (refresh == nullptr) { return; }
    core::Millis length = evaluate(
        context.request, context.conf.refresh_timeout, default_refresh_timeout);
    bool kept = false;
    store::Lease lease =
        context.store.claim(key, length, store::Over::nobody, kept);
    if (!lease) { return; }
    refresh->adopt(lease, now + length);
    BackgroundFetch::launch(std::move(refresh));
}

}  // namespace cacheback::http
