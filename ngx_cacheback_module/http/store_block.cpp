// `cacheback_store NAME { … }`: the words inside, and the store they make.

#include "../ngx/guard.hpp"
#include "../ngx/pool.hpp"
#include "../store/redis_url.hpp"
#include "configuration.hpp"
#include "module.hpp"
#include "setters.hpp"

namespace cacheback::http {

namespace {

// What is being read; the store keeps the finished settings only.
struct Block {
    store::Settings* settings = nullptr;
    std::vector<std::string> seen;
    std::string password_file;
    bool has_prefix = false;
};

char* failed() noexcept { return static_cast<char*>(NGX_CONF_ERROR); }

template <class... Args>
char* refuse(ngx_conf_t* cf, const char* format, Args... args) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, format, args...);
    return failed();
}

ngx_str_t& argument(ngx_conf_t* cf, ngx_uint_t i) noexcept {
    return static_cast<ngx_str_t*>(cf->args->elts)[i];
}

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

char* set_redis(ngx_conf_t* cf, Block& block) {
    ngx_str_t& text = argument(cf, 1);
    store::RedisUrl url;
    std::string error = store::parse_redis_url(ngx::view(text), url);
    if (!error.empty()) {
        return refuse(cf, "\"redis\": %*s", error.size(), error.data());
    }

    store::RedisConf& redis = block.settings->redis;
    ngx_url_t address;
    ngx_memzero(&address, sizeof(address));
    std::string where = url.is_unix ? "unix:" + url.path
                        : url.host.find(':') != std::string::npos
                            ? "[" + url.host + "]"
                            : url.host;
    if (!ngx::copy(*cf->pool, address.url, where)) { return failed(); }
    address.default_port = url.port;
    if (ngx_parse_url(cf->pool, &address) != NGX_OK || address.naddrs == 0) {
        return refuse(cf,
                      "%s in \"redis\" \"%*s\", expected the name or "
                      "address of a host, or \"unix:\" and a path",
                      address.err == nullptr ? "no address" : address.err,
                      where.size(), where.data());
    }
    redis.addresses = address.addrs;
    redis.address_count = address.naddrs;
    redis.db = url.db;
    block.settings->has_redis = true;
    return ngx::copy(*cf->pool, redis.address_text, url.address()) &&
                   ngx::copy(*cf->pool, redis.user, url.user) &&
                   ngx::copy(*cf->pool, redis.password, url.password)
               ? NGX_CONF_OK
               : failed();
}

char* set_prefix(ngx_conf_t* cf, Block& block) {
    // The item's part of the key stands in braces so that all keys of an item
    // share a slot; a brace before it would take that place.
    std::string_view text = ngx::view(argument(cf, 1));
    if (text.find_first_of("{}") != std::string_view::npos) {
        return refuse(cf,
                      "invalid value \"%V\" in \"redis_prefix\", expected a "
                      "text without braces",
                      &argument(cf, 1));
    }
    block.settings->redis.prefix = argument(cf, 1);
    block.has_prefix = true;
    return NGX_CONF_OK;
}

char* set_password_file(ngx_conf_t* cf, Block& block) {
    ngx_str_t path = argument(cf, 1);
    if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) { return failed(); }
    block.password_file = ngx::view(path);
    return NGX_CONF_OK;
}

char* set_timeout(ngx_conf_t* cf, Block& block) {
    ngx_str_t& text = argument(cf, 1);
    ngx_int_t time = ngx_parse_time(&text, 0);
    if (time == NGX_ERROR || time == 0) {
        return refuse(cf,
                      "invalid value \"%V\" in \"redis_timeout\", expected a "
                      "time such as \"250ms\" or \"1s\"",
                      &text);
    }
    block.settings->redis.timeout = static_cast<ngx_msec_t>(time);
    return NGX_CONF_OK;
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
};

constexpr Word words[] = {
    {"memory", "SIZE|off", 1, set_memory},
    {"redis", "URL", 1, set_redis},
    {"redis_prefix", "TEXT", 1, set_prefix},
    {"redis_password_file", "FILE", 1, set_password_file},
    {"redis_timeout", "TIME", 1, set_timeout},
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
        if (arguments < 1 || arguments > word.most_arguments) {
            return refuse(cf,
                          "invalid number of arguments in \"%V\", expected "
                          "\"%V %s\"",
                          &name, &name, word.usage);
        }
        for (const std::string& seen : block.seen) {
            if (seen == word.name) {
                return refuse(cf, "\"%V\" is duplicate", &name);
            }
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

// The first line of the file is the password, without its line end.
char* read_password(ngx_conf_t* cf, const std::string& path, ngx_str_t& to) {
    ngx_fd_t fd =
        ngx_open_file(path.c_str(), NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%s\" failed", path.c_str());
        return failed();
    }
    char bytes[1024];
    ssize_t n = ngx_read_fd(fd, bytes, sizeof(bytes));
    ngx_err_t error = ngx_errno;
    ngx_close_file(fd);
    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, error,
                           ngx_read_fd_n " \"%s\" failed", path.c_str());
        return failed();
    }
    std::string_view text(bytes, static_cast<std::size_t>(n));
    text = text.substr(0, text.find_first_of("\r\n"));
    if (text.empty() || static_cast<std::size_t>(n) == sizeof(bytes)) {
        return refuse(cf,
                      "no password in \"redis_password_file\" \"%s\", "
                      "expected one line of at most 1023 bytes",
                      path.c_str());
    }
    return ngx::copy(*cf->pool, to, text) ? NGX_CONF_OK : failed();
}

// What the words say together.
char* complete(ngx_conf_t* cf, Block& block) {
    store::Settings& settings = *block.settings;
    store::RedisConf& redis = settings.redis;

    if (settings.memory == 0 && settings.memory_max_entry != 0) {
        return refuse(cf,
                      "\"memory_max_entry\" needs memory in "
                      "\"cacheback_store\" \"%V\"",
                      &settings.name);
    }
    if (!settings.has_redis) {
        for (const std::string& seen : block.seen) {
            if (seen.rfind("redis_", 0) == 0) {
                return refuse(cf,
                              "\"%s\" needs \"redis\" in \"cacheback_store\" "
                              "\"%V\"",
                              seen.c_str(), &settings.name);
            }
        }
        if (settings.memory == 0) {
            return refuse(cf,
                          "\"cacheback_store\" \"%V\" has neither memory nor "
                          "\"redis\", expected one of them at least",
                          &settings.name);
        }
        return NGX_CONF_OK;
    }
    if (!block.password_file.empty()) {
        if (redis.password.len != 0) {
            return refuse(cf,
                          "\"redis_password_file\" and a password in the "
                          "URL of \"redis\", expected one of them");
        }
        char* error = read_password(cf, block.password_file, redis.password);
        if (error != NGX_CONF_OK) { return error; }
    }
    if (!block.has_prefix) {
        std::string prefix =
            "cacheback:" + std::string(ngx::view(settings.name)) + ":";
        if (!ngx::copy(*cf->pool, redis.prefix, prefix)) { return failed(); }
    }
    return NGX_CONF_OK;
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
