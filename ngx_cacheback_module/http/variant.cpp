#include "variant.hpp"

#include "../core/section_memo.hpp"
#include "../core/vary.hpp"
#include "../ngx/pool.hpp"
#include "request_fields.hpp"

namespace cacheback::http {

std::string section_of(ngx_http_request_t& r, const LocationConf& conf,
                       std::string_view names) {
    const std::vector<core::Field> fields = variant_fields(r, conf, names);
    return core::vary_section(names, {fields.data(), fields.size()});
}

namespace {

// Of all that section_of() looks at, by the hash of the store. Nothing where
// more counts than what the client has sent.
std::optional<std::uint64_t> hash_of_values(const RequestContext& context,
                                            std::string_view names) noexcept {
    if (context.conf.refresh_headers != nullptr) { return std::nullopt; }
    const store::ControlZone& control = context.store.control();
    std::uint64_t hash = control.key(names).hash;
    core::for_each_vary_name(names, [&](std::string_view name) {
        std::uint64_t lines = 1;
        if (name == "accept-encoding") {
            hash = store::seeded_hash(hash,
                                      ngx::view(context.conf.accept_encoding));
        } else {
            for_each_line(context.request, name, [&](std::string_view value) {
                hash = store::seeded_hash(hash, value);
                lines++;
            });
        }
        // One value that is empty is not none.
        hash = (hash ^ lines) * 0x9e3779b97f4a7c15ULL;
    });
    return hash;
}

// Of this worker.
core::SectionMemo& memo() noexcept {
    static core::SectionMemo sections;
    return sections;
}

std::string_view select(void* data, std::string_view names) {
    auto& self = *static_cast<RequestContext*>(data);
    const std::optional<std::uint64_t> hash = hash_of_values(self, names);
    const std::string* known = hash ? memo().find(*hash) : nullptr;
    if (known != nullptr) {
        self.section = *known;
    } else {
        self.section = section_of(self.request, self.conf, names);
        if (hash) { memo().keep(*hash, self.section); }
    }
    return self.section;
}

}  // namespace

store::Store::Selector selector_of(RequestContext& context) noexcept {
    return {select, &context};
}

std::optional<store::MemoryTier::Copy> find_in_memory(RequestContext& context) {
    const store::Store::Found found = context.store.find(
        context.key, selector_of(context), *context.request.pool);
    if (!found.varies) { context.section.clear(); }
    if (!found.copy) {
        if (found.others) { context.vary_missed = true; }
        // Where nothing is held, all ask for the item: what it varied on is
        // known to some workers only.
        if (!found.others && context.store.redis() == nullptr) {
            context.section.clear();
        }
    }
    return found.copy;
}

void name_variant(RequestContext& context) {
    if (context.section.empty()) { return; }
    const store::TextDigest digest(context.section);
    if (context.key.variant == digest.view()) { return; }
    ngx_str_t name;
    if (!ngx::copy(*context.request.pool, name, digest.view())) {
        throw std::bad_alloc{};
    }
    context.store.control().name_variant(context.key, ngx::view(name));
}

void name_variant(RequestContext& context, std::string_view names) {
    context.section = section_of(context.request, context.conf, names);
    name_variant(context);
}

void forget_variant(RequestContext& context) noexcept {
    context.section.clear();
    context.key = context.key.item();
}

bool answered_by(RequestContext& context, const core::EntryView& entry) {
    const std::string_view section = entry.vary();
    return section.empty() || section == context.section ||
           section == section_of(context.request, context.conf,
                                 core::names_of_vary(section));
}

}  // namespace cacheback::http
