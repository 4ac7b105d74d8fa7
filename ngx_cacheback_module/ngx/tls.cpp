#include "tls.hpp"

#if (NGX_SSL)

namespace cacheback::ngx {

namespace {

// What nginx's own clients take by default.
constexpr ngx_int_t verify_depth = 9;

bool is_address(const std::string& name) noexcept {
    auto* text = reinterpret_cast<u_char*>(const_cast<char*>(name.data()));
    if (ngx_inet_addr(text, name.size()) != INADDR_NONE) { return true; }
#if (NGX_HAVE_INET6)
    u_char bytes[16];
    return ngx_inet6_addr(text, name.size(), bytes) == NGX_OK;
#else
    return false;
#endif
}

}  // namespace

Tls* Tls::make(ngx_conf_t* cf, const TlsOptions& options) {
    void* memory = ngx_palloc(cf->pool, sizeof(Tls));
    if (memory == nullptr) { return nullptr; }
    auto* tls = new (memory) Tls(options);
    ngx_ssl_t& ssl = tls->ssl_;
    ssl.log = cf->log;
    const ngx_uint_t protocols = NGX_SSL_TLSv1_2
#ifdef NGX_SSL_TLSv1_3
                                 | NGX_SSL_TLSv1_3
#endif
        ;
    if (ngx_ssl_create(&ssl, protocols, nullptr) != NGX_OK) { return nullptr; }
    ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    if (cleanup == nullptr) {
        ngx_ssl_cleanup_ctx(&ssl);
        return nullptr;
    }
    cleanup->handler = ngx_ssl_cleanup_ctx;
    cleanup->data = &ssl;

    // What is still to be sent lies in strings that grow meanwhile.
    SSL_CTX_set_mode(ssl.ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    TlsOptions& own = tls->options_;
    if (own.certificate.len != 0 &&
        ngx_ssl_certificate(cf, &ssl, &own.certificate, &own.key, nullptr) !=
            NGX_OK) {
        return nullptr;
    }
    if (!own.verify) { return tls; }
    if (ngx_ssl_trusted_certificate(cf, &ssl, &own.ca, verify_depth) !=
        NGX_OK) {
        return nullptr;
    }
    if (own.ca.len == 0 && SSL_CTX_set_default_verify_paths(ssl.ctx) != 1) {
        ngx_ssl_error(
            NGX_LOG_EMERG, cf->log, 0,
            const_cast<char*>("SSL_CTX_set_default_verify_paths() failed"));
        return nullptr;
    }
    return tls;
}

std::string Tls::name_for(const std::string& host) const {
    return options_.name.len == 0
               ? host
               : std::string(reinterpret_cast<char*>(options_.name.data),
                             options_.name.len);
}

ngx_int_t Tls::begin(ngx_connection_t* c, const std::string& host,
                     ngx_connection_handler_pt done) const {
    auto* ssl = const_cast<ngx_ssl_t*>(&ssl_);
    if (ngx_ssl_create_connection(ssl, c, NGX_SSL_CLIENT) != NGX_OK) {
        return NGX_ERROR;
    }
    const std::string name = name_for(host);
    // RFC 6066 section 3: no addresses.
    if (!name.empty() && !is_address(name) &&
        SSL_set_tlsext_host_name(c->ssl->connection, name.c_str()) != 1) {
        return NGX_ERROR;
    }
    const ngx_int_t rc = ngx_ssl_handshake(c);
    if (rc == NGX_AGAIN) { c->ssl->handler = done; }
    return rc;
}

std::string Tls::refused(ngx_connection_t* c, const std::string& host) const {
    if (!options_.verify) { return {}; }
    const long result = SSL_get_verify_result(c->ssl->connection);
    if (result != X509_V_OK) {
        return "its certificate is not trusted (" + std::to_string(result) +
               ": " + X509_verify_cert_error_string(result) + ")";
    }
    std::string name = name_for(host);
    X509* certificate = SSL_get_peer_certificate(c->ssl->connection);
    if (certificate == nullptr) { return "it has no certificate"; }
    const bool fits = is_address(name)
                          ? X509_check_ip_asc(certificate, name.c_str(), 0) == 1
                          : X509_check_host(certificate, name.data(),
                                            name.size(), 0, nullptr) == 1;
    X509_free(certificate);
    if (fits) { return {}; }
    return "its certificate is not for \"" + name + "\"";
}

void Tls::end(ngx_connection_t* c) noexcept {
    c->ssl->no_wait_shutdown = 1;
    c->ssl->no_send_shutdown = 1;
    (void)ngx_ssl_shutdown(c);
}

}  // namespace cacheback::ngx

#endif
