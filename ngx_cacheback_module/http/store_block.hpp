// http/store_block.hpp: what the words inside `cacheback_store NAME { ... }`
// are read into, shared by the files that read them.
#pragma once

#include "../ngx/pool.hpp"
#include "../store/store.hpp"

namespace cacheback::http {

// What is being read; the store keeps the finished settings only.
struct StoreBlock {
    store::Settings* settings = nullptr;
    std::vector<std::string> seen;
    std::string redis_word;  // the one that names servers; empty: none
    std::string password_file;
    std::vector<std::string> sign_files;
    bool has_prefix = false;
    bool plain = false, tls = false;  // what the URLs ask for
    ngx::TlsOptions tls_options;

    [[nodiscard]] bool has_seen(std::string_view word) const noexcept {
        for (const std::string& other : seen) {
            if (other == word) { return true; }
        }
        return false;
    }
};

inline char* failed() noexcept { return static_cast<char*>(NGX_CONF_ERROR); }

template <class... Args>
char* refuse(ngx_conf_t* cf, const char* format, Args... args) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, format, args...);
    return failed();
}

inline ngx_str_t& argument(ngx_conf_t* cf, ngx_uint_t i) noexcept {
    return static_cast<ngx_str_t*>(cf->args->elts)[i];
}

// -- the words about Redis, in redis_words.cpp

char* set_redis(ngx_conf_t* cf, StoreBlock& block);
char* set_redis_cluster(ngx_conf_t* cf, StoreBlock& block);
char* set_redis_sentinel(ngx_conf_t* cf, StoreBlock& block);
char* set_redis_password_file(ngx_conf_t* cf, StoreBlock& block);
char* set_redis_prefix(ngx_conf_t* cf, StoreBlock& block);
char* set_redis_sign(ngx_conf_t* cf, StoreBlock& block);
char* set_redis_timeout(ngx_conf_t* cf, StoreBlock& block);
char* set_redis_tls(ngx_conf_t* cf, StoreBlock& block);
// What they say together, when the block has ended.
char* complete_redis(ngx_conf_t* cf, StoreBlock& block);

// When all of http{} has been read: finds the hosts that have names, unless
// nginx's resolver is to do that whenever they are connected to.
ngx_int_t find_redis_hosts(ngx_conf_t* cf, store::Settings& settings);

}  // namespace cacheback::http
