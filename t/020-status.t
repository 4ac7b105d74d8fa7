# What $cacheback_status says of a request, and which requests are looked up.
use lib 't/lib';
use CachebackTest;
use EachTier;

run_tests_on_each_tier();

__DATA__

=== TEST 1: a missing item is fetched, then served until it is no longer fresh
--- store
$TIER
--- http_config
add_header X-Tier   $cacheback_tier always;
add_header X-Reason $cacheback_reason always;
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o                          200 MISS
    = /o #1
    <! X-Tier
    <! X-Reason
GET /o                          200 HIT
    = /o #1
    < X-Tier
    <! X-Reason
GET /o?other                    200 MISS
    = /o #2
origin /o 2



=== TEST 2: a stale item is served at once and replaced by the refresh
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=60|max-age=60&delay=0|1     200 MISS
    = /o #1
GET /o?cc=max-age=0,stale-while-revalidate=60|max-age=60&delay=0|1     200 STALE
    = /o #1
    within 0.5
GET /o?cc=max-age=0,stale-while-revalidate=60|max-age=60&delay=0|1     200 UPDATING
    = /o #1
    within 0.5
origin /o 2
GET /o?cc=max-age=0,stale-while-revalidate=60|max-age=60&delay=0|1     200 HIT
    = /o #2
origin /o 2



=== TEST 3: a lifetime of cacheback_lifetime ends in a stale item, too
--- store
$TIER
--- config
location / {
    cacheback  pages 800ms;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o                          200 MISS
wait 0.85
GET /o                          200 STALE
    = /o #1
origin /o 2
GET /o                          200 HIT
    = /o #2



=== TEST 4: after a failed refresh the old item is served without asking
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?status=200|500&cc=max-age=0,stale-while-revalidate=60    200 MISS
GET /o?status=200|500&cc=max-age=0,stale-while-revalidate=60    200 STALE
    = /o #1
origin /o 2
GET /o?status=200|500&cc=max-age=0,stale-while-revalidate=60    200 UPDATING
    = /o #1
GET /o?status=200|500&cc=max-age=0,stale-while-revalidate=60    200 UPDATING
    = /o #1
origin /o 2



=== TEST 5: an item past its stale window is fetched while the client waits
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?cc=max-age=1,must-revalidate     200 MISS
GET /o?cc=max-age=1,must-revalidate     200 HIT
    = /o #1
wait 1.1
GET /o?cc=max-age=1,must-revalidate     200 EXPIRED
    = /o #2
GET /o?cc=max-age=1,must-revalidate     200 HIT
    = /o #2
origin /o 2



=== TEST 6: an item that may not be served stale is revalidated
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?cc=no-cache&etag=a|a|b   200 MISS
    = /o #1
GET /o?cc=no-cache&etag=a|a|b   200 REVALIDATED
    = /o #1
    < ETag: "a"
fields /o
    ~ ^If-None-Match: "a"
GET /o?cc=no-cache&etag=a|a|b   200 EXPIRED
    = /o #3
    < ETag: "b"
GET /o?cc=no-cache&etag=a|a|b   200 REVALIDATED
    = /o #3
origin /o 4



=== TEST 7: requests that are not looked up, each with its reason
--- store
$TIER
--- http_config
add_header X-Reason $cacheback_reason always;
--- config
location / {
    cacheback        pages;
    cacheback_bypass $arg_bypass;
    cacheback_skip   $arg_skip;
    cacheback_invalidate_on_unsafe off;
    proxy_pass       http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o                          200 MISS
GET /o                          200 HIT
POST /o                         200 BYPASS
    >> text
    < X-Reason: method
    = /o #2
PUT /o                          200 BYPASS
    >> text
    < X-Reason: method
OPTIONS /o                      200 BYPASS
    < X-Reason: method
GET /o                          200 BYPASS
    >> a body that is not in the key
    < X-Reason: body
    = /o #5
GET /o                          200 BYPASS
    > Upgrade: websocket
    < X-Reason: upgrade
GET /o                          200 BYPASS
    > Authorization: Basic YTpi
    < X-Reason: authorization
fields /o
    ~ ^Authorization: Basic YTpi$
GET /o?bypass=1                 200 BYPASS
    < X-Reason: bypass
GET /o?skip=1                   200 BYPASS
    < X-Reason: skip
origin /o 9
GET /o                          200 HIT
    = /o #1



=== TEST 8: cacheback_bypass fetches anew and stores, cacheback_skip does neither
--- store
$TIER
--- config
location / {
    cacheback        pages;
    cacheback_key    $host$uri;
    cacheback_bypass $arg_bypass;
    cacheback_skip   $arg_skip;
    proxy_pass       http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o                          200 MISS
    = /o #1
GET /o?bypass=1                 200 BYPASS
    = /o #2
GET /o                          200 HIT
    = /o #2
GET /o?skip=1                   200 BYPASS
    = /o #3
GET /o                          200 HIT
    = /o #2
GET /o?bypass=0                 200 HIT
    = /o #2
GET /o?skip=0                   200 HIT
GET /o?bypass=                  200 HIT
origin /o 3



=== TEST 9: what a bypassing request gets is not stored when it may not be
--- store
$TIER
--- config
location / {
    cacheback        pages;
    cacheback_key    $host$uri;
    cacheback_bypass $arg_bypass;
    proxy_pass       http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o                          200 MISS
GET /o?bypass=1&cc=private      200 BYPASS
    = /o #2
GET /o                          200 HIT
    = /o #1
GET /o?bypass=1&status=500      500 BYPASS
GET /o                          200 HIT
    = /o #1



=== TEST 10: cacheback_no_store looks up, and does not store
--- store
$TIER
--- http_config
add_header X-Reason $cacheback_reason always;
--- config
location / {
    cacheback          pages;
    cacheback_key      $host$uri;
    cacheback_no_store $arg_nostore;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?nostore=1                200 MISS
    < X-Reason: no-store
GET /o                          200 MISS
    = /o #2
GET /o?nostore=1                200 HIT
    = /o #2
origin /o 2



=== TEST 11: a POST does not touch the item of its URI
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
POST /o                         200 BYPASS
    >> text
GET /o                          200 MISS
    = /o #2
GET /o                          200 HIT
    = /o #2



=== TEST 12: one look-up through index
--- store
$TIER
--- user_files
>>> index.html
the index
--- config
location / { cacheback pages; root html; }
--- steps
GET /                           200 MISS
    = the index
    within 1
GET /                           200 HIT
    = the index
    < Content-Type: text/html
GET /index.html                 200 MISS
    = the index



=== TEST 13: one look-up through index, when only its target has cacheback
--- store
$TIER
--- user_files
>>> index.html
the index
--- config
location = / { root html; }
location /   { cacheback pages; root html; }
--- steps
GET /                           200 MISS
    = the index
    within 1
GET /                           200 HIT
    = the index



=== TEST 14: one look-up through try_files
--- store
$TIER
--- user_files
>>> there.txt
a file
--- config
root html;
location / {
    cacheback pages;
    try_files $uri @app;
}
location /uri/ {
    cacheback pages;
    try_files $uri /app$request_uri;
}
location @app {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /app/ {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /there.txt                  200 MISS
    = a file
GET /there.txt                  200 HIT
    = a file
GET /o                          200 MISS
    = /o #1
    within 1
GET /o                          200 HIT
    = /o #1
GET /uri/o                      200 MISS
    = /app/uri/o #1
    within 1
GET /uri/o                      200 HIT
    = /app/uri/o #1
origin /o 1
origin /app/uri/o 1



=== TEST 15: one look-up through X-Accel-Redirect
--- store
$TIER
--- user_files
>>> file.txt
sent by nginx
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
location /file.txt { internal; cacheback pages; root html; }
--- steps
GET /o?h=X-Accel-Redirect:/file.txt&cc=public   200 MISS
    = sent by nginx
    within 1
GET /o?h=X-Accel-Redirect:/file.txt&cc=public   200 HIT
    = sent by nginx
origin /o 1



=== TEST 16: a POST that ends in X-Accel-Redirect is not looked up nor stored
--- store
$TIER
--- user_files
>>> file.txt
sent by nginx
--- http_config
add_header X-Reason $cacheback_reason always;
--- config
location /     { proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
location /all/ { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
location /file.txt { internal; cacheback pages; root html; }
--- steps
POST /o?h=X-Accel-Redirect:/file.txt&cc=public  200 BYPASS
    >> text
    < X-Reason: method
    = sent by nginx
GET /o?h=X-Accel-Redirect:/file.txt&cc=public   200 MISS
    = sent by nginx
GET /o?h=X-Accel-Redirect:/file.txt&cc=public   200 HIT
POST /o?h=X-Accel-Redirect:/file.txt&cc=public  200 BYPASS
    >> text
POST /all/o?h=X-Accel-Redirect:/file.txt&cc=public  200 BYPASS
    >> text
GET /all/o?h=X-Accel-Redirect:/file.txt&cc=public   200 MISS



=== TEST 17: one look-up through ngx.exec
--- store
$TIER
--- config
location / {
    cacheback pages;
    content_by_lua_block { ngx.exec("/app" .. ngx.var.uri) }
}
location /named/ {
    cacheback pages;
    content_by_lua_block { ngx.exec("@app") }
}
location /app/ {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location @app {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o                          200 MISS
    = /app/o #1
    within 1
GET /o                          200 HIT
    = /app/o #1
GET /named/o                    200 MISS
    = /named/o #1
    within 1
GET /named/o                    200 HIT
    = /named/o #1
origin /app/o 1
origin /named/o 1



=== TEST 18: what error_page leads to is not stored
--- store
$TIER
--- user_files
>>> sorry.txt
sorry
--- http_config
add_header X-Reason $cacheback_reason always;
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_intercept_errors on;
    error_page 404     /sorry.txt;
    error_page 500 =200 /sorry.txt;
}
location /named/ {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_intercept_errors on;
    error_page 404 500 = @named;
    recursive_error_pages on;
}
location = /sorry.txt { cacheback pages; root html; }
location @named {
    cacheback  pages;
    rewrite    ^ /instead? break;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?status=404               404 MISS
    < X-Reason: error-page
    = sorry
GET /o?status=404               404 MISS
    = sorry
origin /o 2
GET /p?status=500|200           200 MISS
    = sorry
GET /p?status=500|200           200 MISS
    = /p #2
GET /p?status=500|200           200 HIT
    = /p #2
GET /named/o?status=500|200     200 MISS
    = /instead #1
GET /named/o?status=500|200     200 MISS
    = /named/o #2
GET /named/o?status=500|200     200 HIT
    = /named/o #2



=== TEST 19: a request that error_page redirects is not looked up
--- store
$TIER
--- user_files
>>> sorry.txt
sorry
--- config
location / {
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_intercept_errors on;
    error_page 500 = /sorry.txt;
}
location = /sorry.txt { cacheback pages; root html; }
--- steps
GET /o?status=500|200           200
    = sorry
GET /o?status=500|200           200
    = /o #2



=== TEST 20: subrequests are not looked up
--- store
$TIER
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /lua {
    content_by_lua_block {
        local answer = ngx.location.capture("/o")
        ngx.print(answer.body)
    }
}
--- steps
GET /lua                        200
    = /o #1
GET /lua                        200
    = /o #2
GET /o                          200 MISS
    = /o #3



=== TEST 21: no cacheback, no status
--- store
$TIER
--- config
location / { proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
location /on/ {
    cacheback pages;
    location /on/off/ {
        cacheback  off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    }
}
--- steps
GET /o                          200
    <! X-Cache
GET /on/off/o                   200
    <! X-Cache
    = /on/off/o #1
GET /on/off/o                   200
    = /on/off/o #2
