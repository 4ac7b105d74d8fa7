# What becomes of an item when a background fetch of it has answered.
use lib 't/lib';
use CachebackTest;
use EachTier;

run_tests_on_each_tier();

__DATA__

=== TEST 1: a storable answer replaces the item
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&status=200|203&type=text/plain|text/html     200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&status=200|203&type=text/plain|text/html     200 STALE
    = /o #1
origin /o 2
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&status=200|203&type=text/plain|text/html     203 HIT
    = /o #2
    < Content-Type: text/html
    < Cache-Control: max-age=9
origin /o 2
GET /moved?cc=max-age=0,stale-while-revalidate=9|max-age=9&status=200|301&h=Location:/there    200 MISS
GET /moved?cc=max-age=0,stale-while-revalidate=9|max-age=9&status=200|301&h=Location:/there    200 STALE
origin /moved 2
GET /moved?cc=max-age=0,stale-while-revalidate=9|max-age=9&status=200|301&h=Location:/there    301 HIT



=== TEST 2: a 304 renews the item and merges its fields
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=60&etag=a&h=X-Count:1|2&h=Age:5|0     200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=60&etag=a&h=X-Count:1|2&h=Age:5|0     200 STALE
    < X-Count: 1
    < Cache-Control: max-age=0,stale-while-revalidate=9
origin /o 2
fields /o
    ~ ^If-None-Match: "a"$
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=60&etag=a&h=X-Count:1|2&h=Age:5|0     200 HIT
    = /o #1
    < X-Count: 2
    < Cache-Control: max-age=60
    < ETag: "a"
    < Content-Type: text/plain
    < Content-Length: 6
origin /o 2



=== TEST 3: a 304 by Last-Modified, again and again
--- store
$TIER
--- config
location / { cacheback pages 800ms; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?modified=1000000000          200 MISS
wait 0.85
GET /o?modified=1000000000          200 STALE
origin /o 2
GET /o?modified=1000000000          200 HIT
    = /o #1
    < Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
wait 0.85
GET /o?modified=1000000000          200 STALE
    = /o #1
origin /o 3
fields /o
    ~ ^If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT$
GET /o?modified=1000000000          200 HIT
    = /o #1



=== TEST 4: a 304 that forbids storing ends the item
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|no-store&etag=a     200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9|no-store&etag=a     200 STALE
origin /o 2
GET /o?cc=max-age=0,stale-while-revalidate=9|no-store&etag=a     200 MISS
    = /o #3



=== TEST 5: a 304 that nobody asked for keeps the old item, and the lease
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9&status=200|304      200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9&status=200|304      200 STALE
origin /o 2
GET /o?cc=max-age=0,stale-while-revalidate=9&status=200|304      200 UPDATING
    = /o #1
origin /o 2



=== TEST 6: 404 and 410 replace the item
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&status=200|404   200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&status=200|404   200 STALE
origin /o 2
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&status=200|404   404 HIT
    = /o #2
GET /p?cc=max-age=0,stale-while-revalidate=9|&status=200|410            200 MISS
GET /p?cc=max-age=0,stale-while-revalidate=9|&status=200|410            200 STALE
origin /p 2
GET /p?cc=max-age=0,stale-while-revalidate=9|&status=200|410            410 HIT
    = /p #2



=== TEST 7: 404 and 410 that may not be stored delete it
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|no-store&status=200|404    200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9|no-store&status=200|404    200 STALE
origin /o 2
GET /o?cc=max-age=0,stale-while-revalidate=9|no-store&status=200|404    404 MISS
    = /o #3
GET /p?cc=max-age=0,stale-while-revalidate=9|private|max-age=9&status=200|410|200     200 MISS
GET /p?cc=max-age=0,stale-while-revalidate=9|private|max-age=9&status=200|410|200     200 STALE
origin /p 2
GET /p?cc=max-age=0,stale-while-revalidate=9|private|max-age=9&status=200|410|200     200 MISS
GET /p?cc=max-age=0,stale-while-revalidate=9|private|max-age=9&status=200|410|200     200 HIT
    = /p #3



=== TEST 8: a 200 that may not be stored deletes the item and marks it
--- store
$TIER
--- http_config
add_header X-Reason $cacheback_reason always;
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|no-store|max-age=9         200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9|no-store|max-age=9         200 STALE
origin /o 2
GET /o?cc=max-age=0,stale-while-revalidate=9|no-store|max-age=9         200 MISS
    < X-Reason: uncacheable
    = /o #3
GET /o?cc=max-age=0,stale-while-revalidate=9|no-store|max-age=9         200 MISS
    < X-Reason: uncacheable
    = /o #4



=== TEST 9: Set-Cookie, private, Vary * and 0 of a refresh, and other codes
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /a?cc=max-age=0,stale-while-revalidate=9|private        200 MISS
GET /a?cc=max-age=0,stale-while-revalidate=9|private        200 STALE
GET /b?cc=max-age=0,stale-while-revalidate=9|max-age=0      200 MISS
GET /b?cc=max-age=0,stale-while-revalidate=9|max-age=0      200 STALE
GET /c?cc=max-age=0,stale-while-revalidate=9|no-store&status=200|301&h=Location:/    200 MISS
GET /c?cc=max-age=0,stale-while-revalidate=9|no-store&status=200|301&h=Location:/    200 STALE
GET /d?cc=max-age=0,stale-while-revalidate=9|no-store&chunked=1&close=1              200 MISS
GET /d?cc=max-age=0,stale-while-revalidate=9|no-store&chunked=1&close=1              200 STALE
GET /e?cc=max-age=0,stale-while-revalidate=9&type=text/plain|text/event-stream       200 MISS
GET /e?cc=max-age=0,stale-while-revalidate=9&type=text/plain|text/event-stream       200 STALE
origin /a 2
origin /b 2
origin /c 2
origin /d 2
origin /e 2
GET /a?cc=max-age=0,stale-while-revalidate=9|private        200 MISS
    = /a #3
GET /b?cc=max-age=0,stale-while-revalidate=9|max-age=0      200 MISS
    = /b #3
GET /c?cc=max-age=0,stale-while-revalidate=9|no-store&status=200|301&h=Location:/    301 MISS
    = /c #3
GET /d?cc=max-age=0,stale-while-revalidate=9|no-store&chunked=1&close=1              200 MISS
GET /e?cc=max-age=0,stale-while-revalidate=9&type=text/plain|text/event-stream       200 MISS
    = /e #3



=== TEST 10: answers that say nothing of the item keep it, with one try per lease
--- store
$TIER
--- config
location / {
    cacheback                 pages;
    cacheback_refresh_timeout 5s;
    proxy_pass                http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /302?cc=max-age=0,stale-while-revalidate=9&status=200|302   200 MISS
GET /302?cc=max-age=0,stale-while-revalidate=9&status=200|302   200 STALE
GET /303?cc=max-age=0,stale-while-revalidate=9&status=200|303   200 MISS
GET /303?cc=max-age=0,stale-while-revalidate=9&status=200|303   200 STALE
GET /307?cc=max-age=0,stale-while-revalidate=9&status=200|307   200 MISS
GET /307?cc=max-age=0,stale-while-revalidate=9&status=200|307   200 STALE
GET /401?cc=max-age=0,stale-while-revalidate=9&status=200|401   200 MISS
GET /401?cc=max-age=0,stale-while-revalidate=9&status=200|401   200 STALE
GET /403?cc=max-age=0,stale-while-revalidate=9&status=200|403   200 MISS
GET /403?cc=max-age=0,stale-while-revalidate=9&status=200|403   200 STALE
GET /407?cc=max-age=0,stale-while-revalidate=9&status=200|407   200 MISS
GET /407?cc=max-age=0,stale-while-revalidate=9&status=200|407   200 STALE
GET /429?cc=max-age=0,stale-while-revalidate=9&status=200|429   200 MISS
GET /429?cc=max-age=0,stale-while-revalidate=9&status=200|429   200 STALE
GET /500?cc=max-age=0,stale-while-revalidate=9&status=200|500   200 MISS
GET /500?cc=max-age=0,stale-while-revalidate=9&status=200|500   200 STALE
GET /502?cc=max-age=0,stale-while-revalidate=9&status=200|502   200 MISS
GET /502?cc=max-age=0,stale-while-revalidate=9&status=200|502   200 STALE
GET /503?cc=max-age=0,stale-while-revalidate=9&status=200|503   200 MISS
GET /503?cc=max-age=0,stale-while-revalidate=9&status=200|503   200 STALE
GET /504?cc=max-age=0,stale-while-revalidate=9&status=200|504   200 MISS
GET /504?cc=max-age=0,stale-while-revalidate=9&status=200|504   200 STALE
origin /302 2
origin /303 2
origin /307 2
origin /401 2
origin /403 2
origin /407 2
origin /429 2
origin /500 2
origin /502 2
origin /503 2
origin /504 2
GET /302?cc=max-age=0,stale-while-revalidate=9&status=200|302   200 UPDATING
    = /302 #1
GET /303?cc=max-age=0,stale-while-revalidate=9&status=200|303   200 UPDATING
    = /303 #1
GET /307?cc=max-age=0,stale-while-revalidate=9&status=200|307   200 UPDATING
    = /307 #1
GET /401?cc=max-age=0,stale-while-revalidate=9&status=200|401   200 UPDATING
    = /401 #1
GET /403?cc=max-age=0,stale-while-revalidate=9&status=200|403   200 UPDATING
    = /403 #1
GET /407?cc=max-age=0,stale-while-revalidate=9&status=200|407   200 UPDATING
    = /407 #1
GET /429?cc=max-age=0,stale-while-revalidate=9&status=200|429   200 UPDATING
    = /429 #1
GET /500?cc=max-age=0,stale-while-revalidate=9&status=200|500   200 UPDATING
    = /500 #1
GET /502?cc=max-age=0,stale-while-revalidate=9&status=200|502   200 UPDATING
    = /502 #1
GET /503?cc=max-age=0,stale-while-revalidate=9&status=200|503   200 UPDATING
    = /503 #1
GET /504?cc=max-age=0,stale-while-revalidate=9&status=200|504   200 UPDATING
    = /504 #1
origin /302 2
origin /303 2
origin /307 2
origin /401 2
origin /403 2
origin /407 2
origin /429 2
origin /500 2
origin /502 2
origin /503 2
origin /504 2



=== TEST 11: broken answers keep the item, with one try per lease
--- store
$TIER
--- errors
--- config
location / {
    cacheback          pages;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_http_version 1.1;
}
location /quick/ {
    cacheback          pages;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_read_timeout 300ms;
}
location /unbuffered/ {
    cacheback          pages;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_buffering    off;
}
--- steps
GET /reset?cc=max-age=0,stale-while-revalidate=9&reset=0|1              200 MISS
GET /reset?cc=max-age=0,stale-while-revalidate=9&reset=0|1              200 STALE
GET /garbage?cc=max-age=0,stale-while-revalidate=9&garbage=0|1          200 MISS
GET /garbage?cc=max-age=0,stale-while-revalidate=9&garbage=0|1          200 STALE
GET /length?cc=max-age=0,stale-while-revalidate=9&truncate=0|1          200 MISS
GET /length?cc=max-age=0,stale-while-revalidate=9&truncate=0|1          200 STALE
GET /chunked?cc=max-age=0,stale-while-revalidate=9&truncate=0|1&chunked=1   200 MISS
GET /chunked?cc=max-age=0,stale-while-revalidate=9&truncate=0|1&chunked=1   200 STALE
GET /quick/slow?cc=max-age=0,stale-while-revalidate=9&delay=0|1         200 MISS
GET /quick/slow?cc=max-age=0,stale-while-revalidate=9&delay=0|1         200 STALE
GET /quick/drip?cc=max-age=0,stale-while-revalidate=9&drip=0|1          200 MISS
GET /quick/drip?cc=max-age=0,stale-while-revalidate=9&drip=0|1          200 STALE
GET /unbuffered/o?cc=max-age=0,stale-while-revalidate=9&truncate=0|1    200 MISS
GET /unbuffered/o?cc=max-age=0,stale-while-revalidate=9&truncate=0|1    200 STALE
origin /reset 2
origin /garbage 2
origin /length 2
origin /chunked 2
origin /quick/slow 2
origin /quick/drip 2
origin /unbuffered/o 2
GET /reset?cc=max-age=0,stale-while-revalidate=9&reset=0|1              200 UPDATING
    = /reset #1
GET /garbage?cc=max-age=0,stale-while-revalidate=9&garbage=0|1          200 UPDATING
    = /garbage #1
GET /length?cc=max-age=0,stale-while-revalidate=9&truncate=0|1          200 UPDATING
    = /length #1
GET /chunked?cc=max-age=0,stale-while-revalidate=9&truncate=0|1&chunked=1   200 UPDATING
    = /chunked #1
GET /quick/slow?cc=max-age=0,stale-while-revalidate=9&delay=0|1         200 UPDATING
    = /quick/slow #1
GET /quick/drip?cc=max-age=0,stale-while-revalidate=9&drip=0|1          200 UPDATING
    = /quick/drip #1
GET /unbuffered/o?cc=max-age=0,stale-while-revalidate=9&truncate=0|1    200 UPDATING
    = /unbuffered/o #1
origin /reset 2
origin /garbage 2
origin /length 2
origin /chunked 2
origin /quick/slow 2
origin /quick/drip 2
origin /unbuffered/o 2



=== TEST 12: nobody listens at the origin any more
--- store
$TIER
--- errors
--- config
location / {
    cacheback     pages;
    cacheback_key $host$uri;
    proxy_pass    http://127.0.0.1:$arg_port;
}
--- steps
GET /o?port=$TEST_NGINX_ORIGIN_PORT&cc=max-age=0,stale-while-revalidate=9   200 MISS
GET /o?port=$TEST_NGINX_CLOSED_PORT     200 STALE
    = /o #1
log connect\(\) failed \(111 1
GET /o?port=$TEST_NGINX_CLOSED_PORT     200 UPDATING
    = /o #1
GET /o?port=$TEST_NGINX_ORIGIN_PORT     200 UPDATING
    = /o #1
log connect\(\) failed \(111 1
origin /o 1



=== TEST 13: the next try comes when the lease ends
--- store
$TIER
--- config
location / {
    cacheback                 pages;
    cacheback_refresh_timeout 700ms;
    proxy_pass                http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=60&status=200|500|200        200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=60&status=200|500|200        200 STALE
origin /o 2
GET /o?cc=max-age=0,stale-while-revalidate=60&status=200|500|200        200 UPDATING
    = /o #1
wait 0.75
GET /o?cc=max-age=0,stale-while-revalidate=60&status=200|500|200        200 STALE
    = /o #1
origin /o 3
GET /o?cc=max-age=0,stale-while-revalidate=60&status=200|500|200        200 STALE
    = /o #3



=== TEST 14: a fetch that is still running when its lease ends is ended
--- store
$TIER
--- config
location / {
    cacheback                 pages;
    cacheback_refresh_timeout 300ms;
    proxy_pass                http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=60&delay=0|2|0       200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=60&delay=0|2|0       200 STALE
GET /o?cc=max-age=0,stale-while-revalidate=60&delay=0|2|0       200 UPDATING
log a background fetch took longer than cacheback_refresh_timeout 1
wait 0.05
GET /o?cc=max-age=0,stale-while-revalidate=60&delay=0|2|0       200 STALE
    = /o #1
origin /o 3
GET /o?cc=max-age=0,stale-while-revalidate=60&delay=0|2|0       200 STALE
    = /o #3



=== TEST 15: an error page in disguise keeps the item
--- store
$TIER
--- user_files
>>> sorry.txt
sorry
--- config
proxy_intercept_errors on;
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    error_page 404 500 =200 /sorry.txt;
}
location /plain/ {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    error_page 500 /sorry.txt;
}
location /recursive/ {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    error_page 500 =200 /sorry.txt;
    recursive_error_pages on;
}
location /named/ {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    error_page 500 =200 @named;
    recursive_error_pages on;
}
location /proxied/ {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    error_page 500 =200 /fallback?body=fallback;
    recursive_error_pages on;
}
location /fallback { proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
location = /sorry.txt { root html; }
location @named { root html; rewrite ^ /sorry.txt break; }
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9&status=200|500             200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9&status=200|500             200 STALE
GET /plain/o?cc=max-age=0,stale-while-revalidate=9&status=200|500       200 MISS
GET /plain/o?cc=max-age=0,stale-while-revalidate=9&status=200|500       200 STALE
GET /recursive/o?cc=max-age=0,stale-while-revalidate=9&status=200|500   200 MISS
GET /recursive/o?cc=max-age=0,stale-while-revalidate=9&status=200|500   200 STALE
GET /named/o?cc=max-age=0,stale-while-revalidate=9&status=200|500       200 MISS
GET /named/o?cc=max-age=0,stale-while-revalidate=9&status=200|500       200 STALE
GET /proxied/o?cc=max-age=0,stale-while-revalidate=9&status=200|500     200 MISS
GET /proxied/o?cc=max-age=0,stale-while-revalidate=9&status=200|500     200 STALE
origin /o 2
origin /plain/o 2
origin /recursive/o 2
origin /named/o 2
origin /proxied/o 2
origin /fallback 1
GET /o?cc=max-age=0,stale-while-revalidate=9&status=200|500             200 UPDATING
    = /o #1
GET /plain/o?cc=max-age=0,stale-while-revalidate=9&status=200|500       200 UPDATING
    = /plain/o #1
GET /recursive/o?cc=max-age=0,stale-while-revalidate=9&status=200|500   200 UPDATING
    = /recursive/o #1
GET /named/o?cc=max-age=0,stale-while-revalidate=9&status=200|500       200 UPDATING
    = /named/o #1
GET /proxied/o?cc=max-age=0,stale-while-revalidate=9&status=200|500     200 UPDATING
    = /proxied/o #1
origin /o 2
origin /recursive/o 2
origin /proxied/o 2



=== TEST 16: the stale answer of a nested cache keeps the item
--- store
$TIER
--- errors
--- http_config
proxy_cache_path $TEST_NGINX_SERVER_ROOT/nested_cache keys_zone=nested:1m;
--- config
location / {
    cacheback             pages;
    proxy_pass            http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_cache           nested;
    proxy_cache_key       $uri;
    proxy_cache_valid     200 1s;
    proxy_cache_use_stale error timeout http_500 updating;
    proxy_cache_background_update on;
    proxy_ignore_headers  Cache-Control;
    add_header            X-Cache $cacheback_status;
    add_header            X-Nested $upstream_cache_status;
}
--- steps
GET /o?status=200|500&cc=max-age=0,stale-while-revalidate=60    200 MISS
    < X-Nested: MISS
wait 2.1
GET /o?status=200|500&cc=max-age=0,stale-while-revalidate=60    200 STALE
    = /o #1
wait 0.1
GET /o?status=200|500&cc=max-age=0,stale-while-revalidate=60    200 UPDATING
    = /o #1



=== TEST 17: a failed fill of a missing item leaves nothing behind
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?status=500|200               500 MISS
GET /o?status=500|200               200 MISS
    = /o #2
GET /o?status=500|200               200 HIT
HEAD /p?status=200|500|200          200 MISS
origin /p 2
GET /p?status=200|500|200           200 MISS
    = /p #3
