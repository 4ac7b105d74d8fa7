# What a background fetch sends and what it does not do: it is a function of
# the item, not of the client that caused it.
use lib 't/lib';
use CachebackTest;
use EachTier;

run_tests_on_each_tier();

__DATA__

=== TEST 1: the fields of a refresh
--- store
$TIER
--- config
location / {
    cacheback          pages;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_set_header   Host $http_host;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9&etag=a|b       200 MISS
    > Host: www.example.com:8080
GET /o?cc=max-age=0,stale-while-revalidate=9&etag=a|b       206 STALE
    > Host: www.example.com:8080
    > User-Agent: a browser
    > Accept: text/html
    > Accept-Language: de
    > Accept-Encoding: gzip, br
    > Referer: http://elsewhere/
    > Range: bytes=0-2
    > If-Range: "a"
    > Cache-Control: no-cache
    > Pragma: no-cache
    > X-Requested-With: client
    > X-Forwarded-For: 192.0.2.1
    > X-Forwarded-Proto: https
    > X-Forwarded-Port: 443
    > X-Forwarded-Host: www.example.com
    > X-Real-IP: 192.0.2.1
    > Forwarded: for=192.0.2.1
    > Via: 1.1 balancer
    > Cacheback-Refresh: 7
    > Cacheback-Api: 1
    > Proxy-Authorization: Basic YTpi
    > TE: trailers
origin /o 2
fields /o
    ~ ^Host: www\.example\.com:8080$
    ~ ^X-Forwarded-For: 192\.0\.2\.1$
    ~ ^X-Forwarded-Proto: https$
    ~ ^X-Forwarded-Port: 443$
    ~ ^X-Forwarded-Host: www\.example\.com$
    ~ ^X-Real-IP: 192\.0\.2\.1$
    ~ ^Forwarded: for=192\.0\.2\.1$
    ~ ^Via: 1\.1 balancer$
    ~ ^Accept-Encoding: identity$
    ~ ^Cacheback-Refresh: 1$
    ~ ^If-None-Match: "a"$
    !~ (?i)^(User-Agent|Accept|Accept-Language|Referer|Range|If-Range|Pragma|Cache-Control|X-Requested-With|Proxy-Authorization|TE|Cacheback-Api|Cookie):
    !~ ^Cacheback-Refresh: 7



=== TEST 2: never a client's identity, part or condition
--- store
$TIER
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9&etag=a|b       200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9&etag=a|b       304 STALE
    > Cookie: user=alice
    > Cookie: more=bob
    > If-None-Match: "a", "mine"
origin /o 2
fields /o
    ~ ^GET /o\?cc=max-age=0,stale-while-revalidate=9&etag=a\|b HTTP/1.[01]$
    ~ ^If-None-Match: "a"$
    !~ (?i)^Cookie:
    !~ (?i)^If-Modified-Since
    !~ alice
    !~ mine



=== TEST 3: fields of the client's own fetch
--- store
$TIER
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o                                  200 MISS
    > Cookie: user=alice
    > User-Agent: a browser
    > Accept-Encoding: gzip, br
    > Accept-Language: de
    > Cacheback-Refresh: 1
    > cacheback-api: 1
    > Cacheback-Purge: soft
origin /o 2
GET /m?max_age=60                       200 MISS
    > Cookie: user=alice
    > User-Agent: a browser
    > Accept-Encoding: gzip, br
    > Accept-Language: de
    > Cacheback-Refresh: 1
    > cacheback-api: 1
fields /m
    ~ ^Cookie: user=alice$
    ~ ^User-Agent: a browser$
    ~ ^Accept-Language: de$
    ~ ^Accept-Encoding: identity$
    !~ gzip
    !~ (?i)^Cacheback
POST /p?max_age=60                      200 BYPASS
    > Cacheback-Refresh: 1
    > Accept-Encoding: gzip, br
    >> body
fields /p
    ~ ^POST
    ~ ^body$
    ~ ^Accept-Encoding: gzip, br$
    !~ (?i)^Cacheback



=== TEST 4: fields that the item depends on are sent
--- store
$TIER
--- config
location / {
    cacheback     pages;
    cacheback_key $host$uri|$http_x_tenant|$cookie_currency|$cookie_size;
    proxy_pass    http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9&h=Vary:Accept-Language,X-Kind       200 MISS
    > X-Tenant: shop
    > Cookie: user=alice; currency=EUR; more=bob
    > Accept-Language: de
    > X-Kind: a
GET /o?cc=max-age=0,stale-while-revalidate=9&h=Vary:Accept-Language,X-Kind       200 STALE
    > X-Tenant: shop
    > Cookie: user=bob; currency=EUR; more=bob
    > Accept-Language: de
    > X-Kind: a
    > User-Agent: a browser
origin /o 2
fields /o
    ~ ^X-Tenant: shop$
    ~ ^Cookie: currency=EUR$
    ~ ^Accept-Language: de$
    ~ ^X-Kind: a$
    !~ (?i)^User-Agent
    !~ bob



=== TEST 5: what the location sets is sent, too
--- store
$TIER
--- config
set $shop "number 7";
location ~ ^/(?<section>\w+)/ {
    cacheback        pages;
    set              $own $arg_own;
    proxy_pass       http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_set_header X-Section $section;
    proxy_set_header X-Shop $shop;
    proxy_set_header X-Own $own;
    proxy_set_header X-Address $remote_addr;
    proxy_set_header X-Scheme $scheme;
    proxy_set_header X-Server $server_name;
    proxy_set_header X-URI $request_uri;
    proxy_set_header X-Method $request_method;
    proxy_set_header X-Refresh $cacheback_refresh;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
}
--- steps
GET /toys/o?own=1&cc=max-age=0,stale-while-revalidate=9     200 MISS
fields /toys/o
    !~ ^X-Refresh
HEAD /toys/o?own=1&cc=max-age=0,stale-while-revalidate=9    200 STALE
    > X-Forwarded-For: 192.0.2.1
origin /toys/o 2
fields /toys/o
    ~ ^X-Section: toys$
    ~ ^X-Shop: number 7$
    ~ ^X-Own: 1$
    ~ ^X-Address: 127.0.0.1$
    ~ ^X-Scheme: http$
    ~ ^X-Server: t\d+-\d+\.test$
    ~ ^X-URI: /toys/o\?own=1&cc=max-age=0,stale-while-revalidate=9$
    ~ ^X-Method: GET$
    ~ ^X-Refresh: 1$
    ~ ^X-Forwarded-For: 192.0.2.1, 127.0.0.1$



=== TEST 6: with cacheback_revalidate off no condition is sent
--- store
$TIER
--- config
location / {
    cacheback            pages;
    cacheback_revalidate off;
    proxy_pass           http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&etag=a&modified=1000000000   200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&etag=a&modified=1000000000   200 STALE
origin /o 2
fields /o
    !~ (?i)^If-
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&etag=a&modified=1000000000   200 HIT
    = /o #2



=== TEST 7: with both validators both conditions are sent
--- store
$TIER
--- config
location / {
    cacheback            pages;
    proxy_pass           http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&etag=a&modified=1000000000   200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&etag=a&modified=1000000000   200 STALE
origin /o 2
fields /o
    ~ ^If-None-Match: "a"$
    ~ ^If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT$
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&etag=a&modified=1000000000   200 HIT
    = /o #1



=== TEST 8: a refresh is not in the access log
--- store
$TIER
--- http_config
log_format own "$request_uri $cacheback_status $cacheback_refresh";
--- config
access_log logs/own.log own;
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location = /log {
    access_log   off;
    default_type text/plain;
    alias        logs/own.log;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9     200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9     200 STALE
origin /o 2
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9     200 HIT
HEAD /p                                     200 MISS
origin /p 2
GET /log
    ~ \A/-steps - -\n/o\S+ MISS -\n/o\S+ STALE -\n/o\S+ HIT -\n/p MISS -\n\z



=== TEST 9: a refresh counts for no limit and asks no access rule again
--- store
$TIER
--- http_config
limit_req_zone  $server_name zone=requests:1m rate=1r/m;
limit_conn_zone $server_name zone=connections:1m;
--- config
location / {
    cacheback        pages;
    limit_req        zone=requests burst=1 nodelay;
    limit_conn       connections 1;
    access_by_lua_block {
        ngx.req.set_header("X-Access", "asked")
    }
    proxy_pass       http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&delay=0|0.3     200 MISS
fields /o
    ~ ^X-Access
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&delay=0|0.3     200 STALE
    within 0.2
origin /o 2
fields /o
    !~ ^X-Access
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&delay=0|0.3     503
--- errors



=== TEST 10: stub_status knows no refreshes
--- store
$TIER
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location = /stub { stub_status; }
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9     200 MISS
GET /stub
    ~ Active connections: 1
    ~ ^ (\d+) \1 \1
    ~ Reading: 0 Writing: 1 Waiting: 0
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9     200 STALE
origin /o 2
HEAD /p                                     200 MISS
origin /p 2
GET /stub
    ~ Active connections: 1
    ~ ^ (\d+) \1 \1
    ~ Reading: 0 Writing: 1 Waiting: 0



=== TEST 11: a refresh of an item asked for by HEAD or a range is a whole GET
--- store
$TIER
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9     200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9     206 STALE
    > Range: bytes=0-1
    == /o
origin /o 2
fields /o
    ~ ^GET
    !~ ^Range
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9     200 HIT
    = /o #2
GET /p?cc=max-age=0,stale-while-revalidate=9|max-age=9     200 MISS
HEAD /p?cc=max-age=0,stale-while-revalidate=9|max-age=9    200 STALE
origin /p 2
GET /p?cc=max-age=0,stale-while-revalidate=9|max-age=9     200 HIT
    = /p #2



=== TEST 12: a refresh of an item whose key names cookies or fields renews that item only
--- store
$TIER
--- config
location / {
    cacheback          pages 800ms;
    cacheback_key      $host$uri|$cookie_currency;
    cacheback_ignore_headers Cookie;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o                              200 MISS
    > Cookie: currency=EUR
GET /o                              200 MISS
    > Cookie: currency=USD
wait 0.85
GET /o                              200 STALE
    > Cookie: currency=EUR
    = /o #1
origin /o 3
GET /o                              200 HIT
    > Cookie: currency=EUR
    = /o #3
GET /o                              200 STALE
    > Cookie: currency=USD
    = /o #2



=== TEST 13: mirror and post_action do not look up
--- store
$TIER
--- config
location / {
    cacheback  pages;
    mirror     /mirror;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location = /mirror {
    internal;
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT/mirror;
}
--- steps
GET /o                              200 MISS
    = /o #1
origin /mirror 1
GET /o                              200 HIT
    = /o #1



=== TEST 14: cacheback_no_store keeps the old item where it holds for a refresh
--- store
$TIER
--- config
location / {
    cacheback          pages;
    cacheback_no_store $upstream_http_x_secret;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?h=X-Secret:|1|&cc=max-age=0,stale-while-revalidate=9     200 MISS
GET /o?h=X-Secret:|1|&cc=max-age=0,stale-while-revalidate=9     200 STALE
origin /o 2
GET /o?h=X-Secret:|1|&cc=max-age=0,stale-while-revalidate=9     200 UPDATING
    = /o #1
