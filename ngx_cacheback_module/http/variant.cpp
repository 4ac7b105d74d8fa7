#include "variant.hpp"

#include "../core/vary.hpp"
#include "../ngx/pool.hpp"
#include "request_fields.hpp"

namespace cacheback::http {

std::string section_of(ngx_http_request_t& r, const LocationConf& conf,
                       std::string_view names) {
    const std::vector<core::Field> fields = variant_fields(r, conf, names);
    return core::vary_section(names, {fields.data(), fields.size()});
}

store::Store::Selector selector_of(RequestContext& context) noexcept {
    return {[](void* data, std::string_view names) -> std::string_view {
                auto& self = *static_cast<RequestContext*>(data);
                self.section = section_of(self.request, self.conf, names);
                return self.section;
            },
            &context};
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
