// `cacheback_store NAME { … }`: the words inside, and the store they make.

#include "store_block.hpp"

#include "../ngx/guard.hpp"
#include "configuration.hpp"
#include "module.hpp"
#include "setters.hpp"

namespace cacheback::http {

namespace {

using Block = StoreBlock;

char* read_size(ngx_conf_t* cf, ngx_str_t& text, std::size_t& to) {
    ssize_t size = ngx_parse_size(&text);
    if (size == NGX_ERROR || size == 0) {
        return refuse(cf,
                      "invalid value \"%V\" in \"%V\", expected a size such "
                      "as \"64m\" or \"256k\"",
                      &text, &argument(cf, 0));
    }
    to = static_cast<std::size_t>(size);
    return NGX_CONF_OK;
}

char* set_memory(ngx_conf_t* cf, Block& block) {
    ngx_str_t& text = argument(cf, 1);
    if (ngx::view(text) == "off") {
        block.settings->memory = 0;
        return NGX_CONF_OK;
    }
    char* error = read_size(cf, text, block.settings->memory);
    if (error != NGX_CONF_OK) { return error; }
    static_assert(store::MemoryTier::min_size == 256 * 1024);
    return block.settings->memory >= store::MemoryTier::min_size
               ? NGX_CONF_OK
               : refuse(cf,
                        "invalid value \"%V\" in \"memory\", expected at "
                        "least \"256k\", or \"off\"",
                        &text);
}

// A value in Redis has at most 512 MB, and an entry's length 32 bits.
char* read_entry_size(ngx_conf_t* cf, std::size_t& to) {
    constexpr std::size_t most = 512 * 1024 * 1024;
    ngx_str_t& text = argument(cf, 1);
    char* error = read_size(cf, text, to);
    if (error != NGX_CONF_OK || to <= most) { return error; }
    return refuse(cf,
                  "invalid value \"%V\" in \"%V\", expected at most \"512m\"",
                  &text, &argument(cf, 0));
}

char* set_max_entry(ngx_conf_t* cf, Block& block) {
    return read_entry_size(cf, block.settings->max_entry);
}

char* set_memory_max_entry(ngx_conf_t* cf, Block& block) {
    return read_entry_size(cf, block.settings->memory_max_entry);
}

// `refresh_limit N [queue=M]`
char* set_refresh_limit(ngx_conf_t* cf, Block& block) {
    constexpr ngx_int_t most = 1000000;
    ngx_str_t& text = argument(cf, 1);
    ngx_int_t limit = ngx_atoi(text.data, text.len);
    if (limit < 1 || limit > most) {
        return refuse(cf,
                      "invalid value \"%V\" in \"refresh_limit\", expected a "
                      "number from 1 to 1000000",
                      &text);
    }
    block.settings->refresh_limit = static_cast<std::uint32_t>(limit);
    if (cf->args->nelts == 2) { return NGX_CONF_OK; }

    ngx_str_t& option = argument(cf, 2);
    constexpr std::string_view name = "queue=";
    ngx_int_t queue = NGX_ERROR;
    if (ngx::view(option).substr(0, name.size()) == name) {
        queue = ngx_atoi(option.data + name.size(), option.len - name.size());
    }
    if (queue < 0 || queue > most) {
        return refuse(cf,
                      "invalid parameter \"%V\" in \"refresh_limit\", "
                      "expected \"queue=\" and a number from 0 to 1000000",
                      &option);
    }
    block.settings->refresh_queue = static_cast<std::uint32_t>(queue);
    return NGX_CONF_OK;
}

struct Word {
    std::string_view name;
    const char* usage;
    ngx_uint_t most_arguments;
    char* (*set)(ngx_conf_t* cf, Block& block);
    ngx_uint_t least_arguments = 1;
};

constexpr ngx_uint_t many = 64;

constexpr Word words[] = {
    {"memory", "SIZE|off", 1, set_memory},
    {"redis", "URL", 1, set_redis},
    {"redis_cluster", "URL ...", many, set_redis_cluster},
    {"redis_sentinel", "MASTER URL ...", many, set_redis_sentinel, 2},
    {"redis_prefix", "TEXT", 1, set_redis_prefix},
    {"redis_password_file", "FILE", 1, set_redis_password_file},
    {"redis_timeout", "TIME", 1, set_redis_timeout},
    {"redis_sign", "FILE [FILE]", 2, set_redis_sign},
    {"redis_tls", "[ca=F] [cert=F] [key=F] [name=N] [verify=off]", 5,
     set_redis_tls},
    {"max_entry", "SIZE", 1, set_max_entry},
    {"memory_max_entry", "SIZE", 1, set_memory_max_entry},
    {"refresh_limit", "N [queue=M]", 2, set_refresh_limit},
};

std::string known_words() {
    std::string list;
    for (const Word& word : words) {
        if (!list.empty()) { list += ", "; }
        list += '"';
        list += word.name;
        list += '"';
    }
    return list;
}

char* read_word(ngx_conf_t* cf, Block& block) {
    ngx_str_t& name = argument(cf, 0);
    for (const Word& word : words) {
        if (ngx::view(name) != word.name) { continue; }

        ngx_uint_t arguments = cf->args->nelts - 1;
        if (arguments < word.least_arguments ||
            arguments > word.most_arguments) {
            return refuse(cf,
                          "invalid number of arguments in \"%V\", expected "
                          "\"%V %s\"",
                          &name, &name, word.usage);
        }
        if (block.has_seen(word.name)) {
            return refuse(cf, "\"%V\" is duplicate", &name);
        }
        block.seen.emplace_back(word.name);
        return word.set(cf, block);
    }
    std::string known = known_words();
    return refuse(cf,
                  "unknown \"%V\" in \"cacheback_store\", expected one of %*s",
                  &name, known.size(), known.data());
}

char* on_word(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    auto& block = *static_cast<Block*>(conf);
    return ngx::guard(
        cf->log, [&] { return read_word(cf, block); }, failed);
}

// What the words say together.
char* complete(ngx_conf_t* cf, Block& block) {
    store::Settings& settings = *block.settings;

    if (settings.memory == 0 && settings.memory_max_entry != 0) {
        return refuse(cf,
                      "\"memory_max_entry\" needs memory in "
                      "\"cacheback_store\" \"%V\"",
                      &settings.name);
    }
    if (settings.memory == 0 && block.redis_word.empty()) {
        return refuse(cf,
                      "\"cacheback_store\" \"%V\" has neither memory nor "
                      "\"redis\", expected one of them at least",
                      &settings.name);
    }
    return complete_redis(cf, block);
}

bool is_name(std::string_view text) noexcept {
    constexpr std::size_t most = 64;
    if (text.empty() || text.size() > most || text == "off") { return false; }
    for (char c : text) {
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
        if (!fits) { return false; }
    }
    return true;
}

char* read_store(ngx_conf_t* cf, MainConf& main) {
    ngx_str_t& name = argument(cf, 1);
    if (!is_name(ngx::view(name))) {
        return refuse(cf,
                      "invalid name \"%V\" in \"cacheback_store\", expected "
                      "1 to 64 letters, digits, \"_\", \"-\" or \".\", and "
                      "not \"off\"",
                      &name);
    }
    auto** all = static_cast<store::Store**>(main.stores.elts);
    for (ngx_uint_t i = 0; i < main.stores.nelts; i++) {
        if (ngx::view(all[i]->settings.name) == ngx::view(name)) {
            return refuse(cf, "\"cacheback_store\" \"%V\" is duplicate", &name);
        }
    }

    void* memory = ngx_pcalloc(cf->pool, sizeof(store::Store));
    auto** slot = static_cast<store::Store**>(ngx_array_push(&main.stores));
    if (memory == nullptr || slot == nullptr) { return failed(); }
    auto* made = new (memory) store::Store;
    *slot = made;
    made->settings.name = name;

    Block block;
    block.settings = &made->settings;
    ngx_conf_t outer = *cf;
    cf->handler = on_word;
    cf->handler_conf = reinterpret_cast<char*>(&block);
    char* error = ngx_conf_parse(cf, nullptr);
    *cf = outer;
    if (error != NGX_CONF_OK) { return error; }

    error = complete(cf, block);
    return error == NGX_CONF_OK
               ? made->configure(cf, &ngx_http_cacheback_module)
               : error;
}

}  // namespace

char* set_store(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    return ngx::guard(
        cf->log, [&] { return read_store(cf, *static_cast<MainConf*>(conf)); },
        failed);
}

}  // namespace cacheback::http
