#include "directives.hpp"

#include "configuration.hpp"
#include "setters.hpp"

namespace cacheback::http {

namespace {

constexpr ngx_uint_t everywhere =
    NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF;

}  // namespace

// clang-format off
ngx_command_t directives[] = {

    { ngx_string("cacheback_store"),
      NGX_HTTP_MAIN_CONF | NGX_CONF_BLOCK | NGX_CONF_TAKE1,
      set_store,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback"),
      everywhere | NGX_CONF_TAKE12,
      set_cacheback,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback_lifetime"),
      everywhere | NGX_CONF_1MORE,
      set_lifetime,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback_ttl"),
      everywhere | NGX_CONF_TAKE1,
      set_setting,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, ttl),
      nullptr },

    { ngx_string("cacheback_refresh_timeout"),
      everywhere | NGX_CONF_TAKE1,
      set_setting,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, refresh_timeout),
      nullptr },

    { ngx_string("cacheback_key"),
      everywhere | NGX_CONF_TAKE1,
      set_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, key),
      nullptr },

    { ngx_string("cacheback_bypass"),
      everywhere | NGX_CONF_1MORE,
      ngx_http_set_predicate_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, bypass),
      nullptr },

    { ngx_string("cacheback_no_store"),
      everywhere | NGX_CONF_1MORE,
      ngx_http_set_predicate_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, no_store),
      nullptr },

    { ngx_string("cacheback_skip"),
      everywhere | NGX_CONF_1MORE,
      ngx_http_set_predicate_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, skip),
      nullptr },

    { ngx_string("cacheback_ignore_headers"),
      everywhere | NGX_CONF_1MORE,
      set_ignored,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback_policy"),
      everywhere | NGX_CONF_TAKE1,
      set_policy,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback_max_size"),
      everywhere | NGX_CONF_TAKE1,
      set_size,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, max_size),
      nullptr },

    { ngx_string("cacheback_revalidate"),
      everywhere | NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, revalidate),
      nullptr },

    { ngx_string("cacheback_lock"),
      everywhere | NGX_CONF_TAKE1,
      set_lock,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback_fetch_on_stale_threshold"),
      everywhere | NGX_CONF_TAKE1,
      set_setting,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, threshold),
      nullptr },

    { ngx_string("cacheback_stale_if_error"),
      everywhere | NGX_CONF_TAKE1,
      set_setting,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, stale_if_error),
      nullptr },

    { ngx_string("cacheback_fetch_on_miss"),
      everywhere | NGX_CONF_TAKE1,
      set_setting,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, fetch_on_miss),
      nullptr },

    { ngx_string("cacheback_empty"),
      everywhere | NGX_CONF_TAKE123,
      set_empty,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback_offline"),
      everywhere | NGX_CONF_1MORE,
      ngx_http_set_predicate_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, offline),
      nullptr },

    { ngx_string("cacheback_purge"),
      everywhere | NGX_CONF_1MORE,
      ngx_http_set_predicate_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, purge),
      nullptr },

    { ngx_string("cacheback_invalidate_on_unsafe"),
      everywhere | NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, invalidate_on_unsafe),
      nullptr },

    { ngx_string("cacheback_min_lifetime"),
      everywhere | NGX_CONF_TAKE1,
      set_setting,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, min_lifetime),
      nullptr },

    { ngx_string("cacheback_max_lifetime"),
      everywhere | NGX_CONF_TAKE1,
      set_setting,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, max_lifetime),
      nullptr },

    { ngx_string("cacheback_uncacheable_ttl"),
      everywhere | NGX_CONF_TAKE1,
      set_setting,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, uncacheable_ttl),
      nullptr },

    { ngx_string("cacheback_min_uses"),
      everywhere | NGX_CONF_TAKE1,
      set_min_uses,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback_key_ignore_args"),
      everywhere | NGX_CONF_1MORE,
      set_ignored_args,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback_unkeyed"),
      everywhere | NGX_CONF_1MORE,
      set_unkeyed,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback_accept_encoding"),
      everywhere | NGX_CONF_TAKE1,
      set_accept_encoding,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback_refresh_header"),
      everywhere | NGX_CONF_TAKE2,
      set_refresh_header,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback_refresh_log"),
      everywhere | NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocationConf, refresh_log),
      nullptr },

    { ngx_string("cacheback_cache_status"),
      everywhere | NGX_CONF_TAKE1,
      set_cache_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback_jitter"),
      everywhere | NGX_CONF_TAKE1,
      set_jitter,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("cacheback_early_refresh"),
      everywhere | NGX_CONF_TAKE1,
      set_early_refresh,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

      ngx_null_command
};
// clang-format on

}  // namespace cacheback::http
