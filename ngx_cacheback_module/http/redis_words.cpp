// The words of `cacheback_store` about Redis: where it is, and how to speak to
// it.
#include "store_block.hpp"

#include "../store/fleet/redis_url.hpp"

namespace cacheback::http {

namespace {

constexpr std::uint16_t redis_port = 6379;
constexpr std::uint16_t sentinel_port = 26379;

// A copy with a NUL behind it, as nginx's parsers like it.
bool keep(ngx_conf_t* cf, ngx_str_t& to, const std::string& text) noexcept {
    return ngx::copy(*cf->pool, to, text);
}

// Syntax only; what is no address is looked up later.
char* read_seed(ngx_conf_t* cf, const store::RedisUrl& url,
                store::RedisSeed& seed) {
    const std::string host = url.host.find(':') != std::string::npos
                                 ? "[" + url.host + "]"
                                 : url.host;
    const std::string where = url.is_unix ? "unix:" + url.path : host;
    ngx_url_t address;
    ngx_memzero(&address, sizeof(address));
    if (!keep(cf, address.url, where)) { return failed(); }
    address.default_port = url.port;
    address.no_resolve = 1;
    if (ngx_parse_url(cf->pool, &address) != NGX_OK) {
        return refuse(cf,
                      "%s in \"%V\" \"%*s\", expected the name or address of "
                      "a host%s",
                      address.err == nullptr ? "no address" : address.err,
                      &argument(cf, 0), where.size(), where.data(),
                      ngx::view(argument(cf, 0)) == "redis"
                          ? ", or \"unix:\" and a path"
                          : "");
    }
    seed.addresses = address.addrs;
    seed.address_count = address.naddrs;
    seed.port = url.port;
    seed.line = cf->conf_file->line;
    seed.file = cf->conf_file->file.name;
    return keep(cf, seed.text, url.address()) &&
                   (url.is_unix || keep(cf, seed.host, url.host))
               ? NGX_CONF_OK
               : failed();
}

char* differ(ngx_conf_t* cf, const char* what) {
    return refuse(cf,
                  "the URLs of \"%V\" have different %s, expected the same in "
                  "all, or in one only",
                  &argument(cf, 0), what);
}

// One login is for all servers of a store.
char* read_login(ngx_conf_t* cf, const store::RedisUrl& url,
                 store::RedisConf& redis) {
    for (const auto& [given, kept, what] :
         {std::tuple{&url.user, &redis.user, "users"},
          std::tuple{&url.password, &redis.password, "passwords"}}) {
        if (given->empty()) { continue; }
        if (kept->len != 0 && ngx::view(*kept) != *given) {
            return differ(cf, what);
        }
        if (!keep(cf, *kept, *given)) { return failed(); }
    }
    if (url.db != 0 && redis.db != 0 && url.db != redis.db) {
        return differ(cf, "databases");
    }
    redis.db = std::max<ngx_uint_t>(redis.db, url.db);
    return NGX_CONF_OK;
}

// The URLs of the word, beginning with this argument.
char* read_seeds(ngx_conf_t* cf, StoreBlock& block, ngx_uint_t first,
                 std::uint16_t default_port) {
    using Topology = store::RedisConf::Topology;
    store::RedisConf& redis = block.settings->redis;
    ngx_str_t& word = argument(cf, 0);
    if (!block.redis_word.empty()) {
        return refuse(cf, "\"%V\" beside \"%s\", expected one of them", &word,
                      block.redis_word.c_str());
    }
    block.redis_word = ngx::view(word);
    const ngx_uint_t count = cf->args->nelts - first;
    auto* seeds = static_cast<store::RedisSeed*>(
        ngx_pcalloc(cf->pool, count * sizeof(store::RedisSeed)));
    if (seeds == nullptr) { return failed(); }
    std::string all;
    for (ngx_uint_t i = 0; i < count; ++i) {
        store::RedisUrl url;
        const std::string error = store::parse_redis_url(
            ngx::view(argument(cf, first + i)), url, default_port);
        if (!error.empty()) {
            return refuse(cf, "\"%V\": %*s", &word, error.size(), error.data());
        }
        if (url.is_unix && redis.topology != Topology::single) {
            return refuse(cf,
                          "\"%s\" in \"%V\", expected \"redis://\" or "
                          "\"rediss://\"",
                          url.address().c_str(), &word);
        }
        (url.tls ? block.tls : block.plain) = true;
        char* failure = read_seed(cf, url, *new (&seeds[i]) store::RedisSeed);
        if (failure == NGX_CONF_OK) { failure = read_login(cf, url, redis); }
        if (failure != NGX_CONF_OK) { return failure; }
        all += (all.empty() ? "" : ", ") + url.address();
    }
    if (block.tls && block.plain) {
        return refuse(cf,
                      "\"redis://\" beside \"rediss://\" in \"%V\", expected "
                      "one of them",
                      &word);
    }
    if (redis.topology == Topology::cluster && redis.db != 0) {
        return refuse(cf,
                      "database %ui in \"%V\", expected none: a cluster has "
                      "database 0 only",
                      redis.db, &word);
    }
    redis.seeds = seeds;
    redis.seed_count = count;
    block.settings->has_redis = true;
    if (redis.topology == Topology::sentinel) {
        all =
            "master \"" + std::string(ngx::view(redis.master)) + "\" of " + all;
    } else if (redis.topology == Topology::cluster) {
        all = "cluster " + all;
    }
    return keep(cf, redis.address_text, all) ? NGX_CONF_OK : failed();
}

struct OpenFile {
    explicit OpenFile(const std::string& path) noexcept
        : fd(ngx_open_file(path.c_str(), NGX_FILE_RDONLY, NGX_FILE_OPEN, 0)) {}
    ~OpenFile() {
        if (fd != NGX_INVALID_FILE) { ngx_close_file(fd); }
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    ngx_fd_t fd;
};

char* fail(ngx_conf_t* cf, const char* what, const std::string& path) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno, "%s \"%s\" failed", what,
                       path.c_str());
    return failed();
}

// All of the file, without the line end behind it: a key that others do not
// know, and may not change.
char* read_sign_key(ngx_conf_t* cf, const std::string& path, ngx_str_t& to) {
    constexpr std::size_t least = 32;
    constexpr std::size_t most = 4096;
    const OpenFile file(path);
    if (file.fd == NGX_INVALID_FILE) { return fail(cf, ngx_open_file_n, path); }
    ngx_file_info_t info;
    if (ngx_fd_info(file.fd, &info) == NGX_FILE_ERROR) {
        return fail(cf, ngx_fd_info_n, path);
    }
    const ngx_uint_t mode = ngx_file_access(&info);
    if ((mode & (S_IRWXO | S_IWGRP)) != 0) {
        return refuse(cf,
                      "\"redis_sign\" \"%s\" has mode 0%ui%ui%ui, expected a "
                      "file that its group may read at most, such as 0600 or "
                      "0640",
                      path.c_str(), mode >> 6 & 7, mode >> 3 & 7, mode & 7);
    }
    char bytes[most + 1];
    const ssize_t n = ngx_read_fd(file.fd, bytes, sizeof(bytes));
    if (n == -1) { return fail(cf, ngx_read_fd_n, path); }
    std::string_view key(bytes, static_cast<std::size_t>(n));
    while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) {
        key.remove_suffix(1);
    }
    if (key.size() < least || static_cast<std::size_t>(n) > most) {
        return refuse(cf,
                      "a key of %uz bytes in \"redis_sign\" \"%s\", expected "
                      "32 to 4096, such as \"openssl rand -hex 32\" makes",
                      key.size(), path.c_str());
    }
    return ngx::copy(*cf->pool, to, key) ? NGX_CONF_OK : failed();
}

char* complete_sign(ngx_conf_t* cf, StoreBlock& block) {
    store::RedisConf& redis = block.settings->redis;
    ngx_str_t* to = &redis.sign;
    for (const std::string& path : block.sign_files) {
        char* error = read_sign_key(cf, path, *to);
        if (error != NGX_CONF_OK) { return error; }
        to = &redis.sign_previous;
    }
    return NGX_CONF_OK;
}

// The first line of the file is the password, without its line end.
char* read_password(ngx_conf_t* cf, const std::string& path, ngx_str_t& to) {
    const OpenFile file(path);
    if (file.fd == NGX_INVALID_FILE) { return fail(cf, ngx_open_file_n, path); }
    char bytes[1024];
    ssize_t n = ngx_read_fd(file.fd, bytes, sizeof(bytes));
    if (n == -1) { return fail(cf, ngx_read_fd_n, path); }
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

char* complete_tls(ngx_conf_t* cf, StoreBlock& block) {
    if (!block.tls) {
        return block.has_seen("redis_tls")
                   ? refuse(cf,
                            "\"redis_tls\" needs \"rediss://\" in \"%s\" of "
                            "\"cacheback_store\" \"%V\"",
                            block.redis_word.c_str(), &block.settings->name)
                   : NGX_CONF_OK;
    }
#if (NGX_SSL)
    block.settings->redis.tls = ngx::Tls::make(cf, block.tls_options);
    return block.settings->redis.tls == nullptr ? failed() : NGX_CONF_OK;
#else
    return refuse(cf,
                  "\"rediss://\" in \"%s\" of \"cacheback_store\" \"%V\" "
                  "needs an nginx that was built with SSL",
                  block.redis_word.c_str(), &block.settings->name);
#endif
}

}  // namespace

char* set_redis(ngx_conf_t* cf, StoreBlock& block) {
    return read_seeds(cf, block, 1, redis_port);
}

char* set_redis_cluster(ngx_conf_t* cf, StoreBlock& block) {
    block.settings->redis.topology = store::RedisConf::Topology::cluster;
    return read_seeds(cf, block, 1, redis_port);
}

char* set_redis_sentinel(ngx_conf_t* cf, StoreBlock& block) {
    store::RedisConf& redis = block.settings->redis;
    redis.topology = store::RedisConf::Topology::sentinel;
    redis.master = argument(cf, 1);
    if (ngx::view(redis.master).find("://") != std::string_view::npos) {
        return refuse(cf,
                      "a URL in place of the name of the master in "
                      "\"redis_sentinel\", expected \"redis_sentinel MASTER "
                      "URL ...\"");
    }
    return read_seeds(cf, block, 2, sentinel_port);
}

char* set_redis_prefix(ngx_conf_t* cf, StoreBlock& block) {
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

char* set_redis_password_file(ngx_conf_t* cf, StoreBlock& block) {
    ngx_str_t path = argument(cf, 1);
    if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) { return failed(); }
    block.password_file = ngx::view(path);
    return NGX_CONF_OK;
}

// `redis_sign FILE [FILE]`
char* set_redis_sign(ngx_conf_t* cf, StoreBlock& block) {
    if (!ngx::Hmac::available) {
        return refuse(cf,
                      "\"redis_sign\" needs an nginx that was built with SSL");
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; ++i) {
        ngx_str_t path = argument(cf, i);
        if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) {
            return failed();
        }
        block.sign_files.emplace_back(ngx::view(path));
    }
    return NGX_CONF_OK;
}

char* set_redis_timeout(ngx_conf_t* cf, StoreBlock& block) {
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

// `redis_tls [ca=F] [cert=F] [key=F] [name=N] [verify=off]`
char* set_redis_tls(ngx_conf_t* cf, StoreBlock& block) {
    ngx::TlsOptions& options = block.tls_options;
    const std::pair<std::string_view, ngx_str_t*> texts[] = {
        {"ca=", &options.ca},
        {"cert=", &options.certificate},
        {"key=", &options.key},
        {"name=", &options.name},
    };
    for (ngx_uint_t i = 1; i < cf->args->nelts; ++i) {
        ngx_str_t& option = argument(cf, i);
        const std::string_view text = ngx::view(option);
        bool known = false;
        for (const auto& [name, to] : texts) {
            if (text.substr(0, name.size()) != name ||
                text.size() == name.size()) {
                continue;
            }
            if (to->len != 0) {
                return refuse(cf, "duplicate parameter \"%V\" in \"redis_tls\"",
                              &option);
            }
            to->data = option.data + name.size();
            to->len = option.len - name.size();
            known = true;
        }
        if (text == "verify=off" || text == "verify=on") {
            options.verify = text == "verify=on";
            known = true;
        }
        if (!known) {
            return refuse(cf,
                          "invalid parameter \"%V\" in \"redis_tls\", expected "
                          "\"ca=FILE\", \"cert=FILE\", \"key=FILE\", "
                          "\"name=NAME\" or \"verify=off\"",
                          &option);
        }
    }
    if ((options.certificate.len == 0) != (options.key.len == 0)) {
        return refuse(cf,
                      "\"%s\" alone in \"redis_tls\", expected \"cert=\" and "
                      "\"key=\" together",
                      options.key.len == 0 ? "cert=" : "key=");
    }
    return NGX_CONF_OK;
}

char* complete_redis(ngx_conf_t* cf, StoreBlock& block) {
    store::Settings& settings = *block.settings;
    store::RedisConf& redis = settings.redis;
    if (!settings.has_redis) {
        for (const std::string& seen : block.seen) {
            if (seen.rfind("redis_", 0) == 0) {
                return refuse(cf,
                              "\"%s\" needs \"redis\" in \"cacheback_store\" "
                              "\"%V\"",
                              seen.c_str(), &settings.name);
            }
        }
        return NGX_CONF_OK;
    }
    if (!block.password_file.empty()) {
        if (redis.password.len != 0) {
            return refuse(cf,
                          "\"redis_password_file\" and a password in the "
                          "URL of \"%s\", expected one of them",
                          block.redis_word.c_str());
        }
        char* error = read_password(cf, block.password_file, redis.password);
        if (error != NGX_CONF_OK) { return error; }
    }
    if (!block.has_prefix) {
        std::string prefix =
            "cacheback:" + std::string(ngx::view(settings.name)) + ":";
        if (!ngx::copy(*cf->pool, redis.prefix, prefix)) { return failed(); }
    }
    char* error = complete_sign(cf, block);
    return error == NGX_CONF_OK ? complete_tls(cf, block) : error;
}

ngx_int_t find_redis_hosts(ngx_conf_t* cf, store::Settings& settings) {
    auto* http = static_cast<ngx_http_core_loc_conf_t*>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    store::RedisConf& redis = settings.redis;
    if (http->resolver != nullptr && http->resolver->connections.nelts != 0) {
        redis.resolver = http->resolver;
        redis.resolver_timeout = http->resolver_timeout;
        constexpr ngx_msec_t usual = 30000;
        if (redis.resolver_timeout == NGX_CONF_UNSET_MSEC) {
            redis.resolver_timeout = usual;
        }
        return NGX_OK;
    }
    for (ngx_uint_t i = 0; i < redis.seed_count; ++i) {
        store::RedisSeed& seed = redis.seeds[i];
        if (seed.address_count != 0) { continue; }
        ngx_url_t address;
        ngx_memzero(&address, sizeof(address));
        address.url = seed.host;
        address.default_port = seed.port;
        if (ngx_parse_url(cf->pool, &address) != NGX_OK) {
            ngx_log_error(
                NGX_LOG_EMERG, cf->log, 0,
                "%s in \"%V\" of \"cacheback_store\" \"%V\", "
                "expected a name that is known now, or a "
                "\"resolver\" in \"http\" that will know it in "
                "%V:%ui",
                address.err == nullptr ? "host not found" : address.err,
                &seed.text, &settings.name, &seed.file, seed.line);
            return NGX_ERROR;
        }
        seed.addresses = address.addrs;
        seed.address_count = address.naddrs;
    }
    return NGX_OK;
}

}  // namespace cacheback::http
