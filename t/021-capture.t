# The way of a response into its entry: whole and raw whatever its framing and
# its source, and not at all when it is not whole.
use lib 't/lib';
use CachebackTest;
use EachTier;

run_tests_on_each_tier();

__DATA__

=== TEST 1: every framing of a proxied response
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
location /1.1/ {
    cacheback          pages;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_http_version 1.1;
    proxy_set_header   Connection "";
}
location /unbuffered/ {
    cacheback       pages;
    proxy_pass      http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_buffering off;
}
--- steps
GET /length?size=20000              200 MISS
    < Content-Length: 20000
GET /length?size=20000              200 HIT
    same
    < Content-Length: 20000
GET /close?size=20000&close=1       200 MISS
GET /close?size=20000&close=1       200 HIT
    same
    < Content-Length: 20000
GET /1.1/length?size=20000          200 MISS
GET /1.1/length?size=20000          200 HIT
    same
GET /1.1/chunked?size=20000&chunked=1  200 MISS
    < Transfer-Encoding: chunked
GET /1.1/chunked?size=20000&chunked=1  200 HIT
    same
    < Content-Length: 20000
    <! Transfer-Encoding
GET /1.1/drip?size=20000&chunked=1&drip=0.02  200 MISS
GET /1.1/drip?size=20000&chunked=1&drip=0.02  200 HIT
    same
GET /unbuffered/o?size=20000        200 MISS
GET /unbuffered/o?size=20000        200 HIT
    same
GET /unbuffered/drip?size=20000&close=1&drip=0.02  200 MISS
GET /unbuffered/drip?size=20000&close=1&drip=0.02  200 HIT
    same
origin /1.1/drip 1
origin /unbuffered/drip 1



=== TEST 2: a body of 0 bytes, and one of 1 byte
--- store
$TIER
--- config
location / {
    cacheback          pages;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_http_version 1.1;
}
--- steps
GET /empty?size=0                   200 MISS
    < Content-Length: 0
    ==
GET /empty?size=0                   200 HIT
    < Content-Length: 0
    ==
GET /chunks?size=0&chunked=1        200 MISS
    ==
GET /chunks?size=0&chunked=1        200 HIT
    < Content-Length: 0
    ==
GET /one?size=1                     200 MISS
    == /
GET /one?size=1                     200 HIT
    == /
GET /moved?status=301&size=0&h=Location:/there  301 MISS
GET /moved?status=301&size=0&h=Location:/there  301 HIT
    ==



=== TEST 3: a refresh takes every framing, too
--- store
$TIER
--- config
location / {
    cacheback          pages;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_http_version 1.1;
    proxy_buffers      4 4k;
    proxy_buffer_size  4k;
    proxy_busy_buffers_size 4k;
    proxy_max_temp_file_size 0;
}
location /unbuffered/ {
    cacheback       pages;
    proxy_pass      http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_buffering off;
}
--- steps
GET /length?size=300000&cc=max-age=0,stale-while-revalidate=9|max-age=9      200 MISS
GET /length?size=300000&cc=max-age=0,stale-while-revalidate=9|max-age=9      200 STALE
    same
origin /length 2
GET /length?size=300000&cc=max-age=0,stale-while-revalidate=9|max-age=9      200 HIT
    < Content-Length: 300000
    ~ \A/length #2 /length #2
    !~ #1
GET /chunked?chunked=1&size=300000&cc=max-age=0,stale-while-revalidate=9|max-age=9   200 MISS
GET /chunked?chunked=1&size=300000&cc=max-age=0,stale-while-revalidate=9|max-age=9   200 STALE
    same
origin /chunked 2
GET /chunked?chunked=1&size=300000&cc=max-age=0,stale-while-revalidate=9|max-age=9   200 HIT
    < Content-Length: 300000
    !~ #1
GET /close?close=1&size=300000&drip=0.01&cc=max-age=0,stale-while-revalidate=9|max-age=9  200 MISS
GET /close?close=1&size=300000&drip=0.01&cc=max-age=0,stale-while-revalidate=9|max-age=9  200 STALE
    same
origin /close 2
GET /close?close=1&size=300000&drip=0.01&cc=max-age=0,stale-while-revalidate=9|max-age=9  200 HIT
    < Content-Length: 300000
    !~ #1
GET /unbuffered/o?size=300000&cc=max-age=0,stale-while-revalidate=9|max-age=9  200 MISS
GET /unbuffered/o?size=300000&cc=max-age=0,stale-while-revalidate=9|max-age=9  200 STALE
    same
origin /unbuffered/o 2
GET /unbuffered/o?size=300000&cc=max-age=0,stale-while-revalidate=9|max-age=9  200 HIT
    < Content-Length: 300000
    !~ #1
GET /empty?size=50|0&cc=max-age=0,stale-while-revalidate=9|max-age=9         200 MISS
GET /empty?size=50|0&cc=max-age=0,stale-while-revalidate=9|max-age=9         200 STALE
origin /empty 2
GET /empty?size=50|0&cc=max-age=0,stale-while-revalidate=9|max-age=9         200 HIT
    < Content-Length: 0
    ==



=== TEST 4: a body just below 1 MB, in memory and in temp files
--- store
$TIER
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    sendfile   off;
}
location /temp/ {
    cacheback         pages;
    proxy_pass        http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_buffers     2 4k;
    proxy_buffer_size 4k;
    proxy_busy_buffers_size 4k;
    proxy_temp_path   proxy_temp;
    sendfile          on;
    tcp_nopush        on;
}
--- steps
GET /big?size=1000000               200 MISS
GET /big?size=1000000               200 HIT
    same
    < Content-Length: 1000000
GET /temp/big?size=1000000          200 MISS
GET /temp/big?size=1000000          200 HIT
    same
GET /temp/close?size=1000000&close=1  200 MISS
GET /temp/close?size=1000000&close=1  200 HIT
    same
origin /temp/big 1



=== TEST 5: what is larger streams through, unstored
--- store
$TIER
max_entry 100k;
--- http_config
add_header X-Reason $cacheback_reason always;
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /small/ {
    cacheback          pages;
    cacheback_max_size 1k;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /length?size=300000             200 MISS
    < X-Reason: too-large
    < Content-Length: 300000
GET /length?size=300000             200 MISS
    < Content-Length: 300000
    ~ \A/length #2 /length #2
    !~ #1
GET /close?size=300000&close=1      200 MISS
    ~ \A/close #1 /close #1
GET /close?size=300000&close=1      200 MISS
    !~ #1
origin /close 2
GET /fits?size=90000                200 MISS
GET /fits?size=90000                200 HIT
    same
GET /small/o?size=1025              200 MISS
    < X-Reason: too-large
GET /small/o?size=1025              200 MISS
GET /small/p?size=1025&close=1      200 MISS
GET /small/p?size=1025&close=1      200 MISS
GET /small/q?size=600               200 MISS
GET /small/q?size=600               200 HIT
origin /small/p 2



=== TEST 6: an item that has grown too large is removed by its refresh
--- store
$TIER
max_entry 100k;
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?size=90|300000|90&cc=max-age=0,stale-while-revalidate=9  200 MISS
GET /o?size=90|300000|90&cc=max-age=0,stale-while-revalidate=9  200 STALE
origin /o 2
GET /o?size=90|300000|90&cc=max-age=0,stale-while-revalidate=9  200 MISS
    ~ #3
origin /o 3



=== TEST 7: static files, with and without sendfile
--- store
$TIER
--- user_files eval
">>> big.txt\n" . CORE::join('', map { "line $_ of the file\n" } 1 .. 20000)
. ">>> small.txt\nsmall\n>>> empty.txt\n"
--- config
root html;
location / { cacheback pages; sendfile off; }
location /on/ {
    cacheback  pages;
    sendfile   on;
    tcp_nopush on;
    rewrite    ^/on(/.*) $1 break;
}
location /refresh/ {
    cacheback pages 500ms;
    sendfile  on;
    rewrite   ^/refresh(/.*) $1 break;
}
--- steps
GET /big.txt                        200 MISS
    ~ ^line 20000 of the file$
GET /big.txt                        200 HIT
    same
    < Content-Type: text/plain
GET /on/big.txt                     200 MISS
    same
GET /on/big.txt                     200 HIT
    same
GET /small.txt                      200 MISS
    = small
GET /small.txt                      200 HIT
    = small
GET /on/small.txt                   200 MISS
    = small
GET /on/small.txt                   200 HIT
    = small
GET /on/empty.txt                   200 MISS
    ==
GET /on/empty.txt                   200 HIT
    ==
    < Content-Length: 0
GET /refresh/big.txt                200 MISS
wait 0.55
GET /refresh/big.txt                200 STALE
    same
wait 0.02
GET /refresh/big.txt                200 HIT
    same



=== TEST 8: gzip from the origin is kept as it is, and unpacked by gunzip
--- store
$TIER
--- http_config
gunzip on;
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?gzip=1&size=5000             200 MISS
    <! Content-Encoding
    ~ \A/o #1 /o #1
fields /o
    ~ ^Accept-Encoding: identity$
    !~ ^Accept-Encoding: gzip
GET /o?gzip=1&size=5000             200 HIT
    <! Content-Encoding
    same
GET /o?gzip=1&size=5000             200 HIT
    > Accept-Encoding: gzip
    < Content-Encoding: gzip
    !~ /o #1
origin /o 1



=== TEST 9: gzip acts on replays, not on the entry
--- store
$TIER
--- http_config
gzip            on;
gzip_types      text/plain;
gzip_min_length 10;
gzip_vary       on;
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?size=5000                    200 MISS
    > Accept-Encoding: gzip
    < Content-Encoding: gzip
    !~ /o #1
GET /o?size=5000                    200 HIT
    <! Content-Encoding
    < Content-Length: 5000
    ~ \A/o #1 /o #1
GET /o?size=5000                    200 HIT
    > Accept-Encoding: gzip
    < Content-Encoding: gzip
    < Vary: Accept-Encoding
    !~ /o #1
origin /o 1



=== TEST 10: a truncated response is never stored
--- store
$TIER
--- errors
--- config
location / {
    cacheback          pages;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_http_version 1.1;
}
--- steps
GET /length?size=9000&truncate=1|0
GET /length?size=9000&truncate=1|0          200 MISS
    ~ \A/length #2 /length #2
GET /length?size=9000&truncate=1|0          200 HIT
    same
GET /chunked?size=9000&chunked=1&truncate=1|0
GET /chunked?size=9000&chunked=1&truncate=1|0   200 MISS
    !~ #1
GET /chunked?size=9000&chunked=1&truncate=1|0   200 HIT
    same



=== TEST 11: 412 and 416 are answered from the entry, which stays whole
--- store
$TIER
--- config
location / {
    cacheback          pages;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_http_version 1.1;
}
--- steps
GET /o?chunked=1&etag=a                     200 MISS
GET /o?chunked=1&etag=a                     416
    > Range: bytes=5000-
    !~ /o #1
    < Content-Range: bytes */6
GET /o?chunked=1&etag=a                     412 HIT
    > If-Match: "other"
    !~ /o #1
GET /o?chunked=1&etag=a                     200 HIT
    > If-Match: "a"
    = /o #1
GET /o?chunked=1&etag=a                     200 HIT
    = /o #1
origin /o 1



=== TEST 12: 416 and 412 of static files do not either
--- store
$TIER
--- user_files
>>> f.txt
0123456789
--- config
location / { cacheback pages; root html; }
--- steps
GET /f.txt                                  416
    > Range: bytes=5000-
GET /f.txt                                  200
    = 0123456789
GET /f.txt                                  200 HIT
    = 0123456789
GET /f.txt?2                                412
    > If-Match: "other"
GET /f.txt?2                                200
    = 0123456789
GET /f.txt?3                                206
    > Range: bytes=2-3
    == 23
GET /f.txt?3                                200
    = 0123456789
GET /f.txt?4                                304
    > If-None-Match: *
GET /f.txt?4                                200
    = 0123456789



=== TEST 13: SSI is carried out at each delivery, its subrequests are not stored
--- store
$TIER
--- user_files
>>> page.html
before <!--#include virtual="/o" --> after
--- config
ssi on;
location / { cacheback pages; root html; }
location /o { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /page.html                              200 MISS
    ~ ^before /o #1$
    ~ ^ after$
GET /page.html                              200 HIT
    ~ ^before /o #2$
GET /o                                      200 MISS
    = /o #3
origin /o 3



=== TEST 14: addition and sub_filter act on the replay
--- store
$TIER
--- config
location / {
    cacheback        pages;
    proxy_pass       http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    sub_filter       /o /replaced;
    sub_filter_types *;
}
location /add/ {
    cacheback      pages;
    proxy_pass     http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    addition_types *;
    add_before_body /part;
    add_after_body  /part;
}
location /part { proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o                                      200 MISS
    = /replaced #1
GET /o                                      200 HIT
    = /replaced #1
GET /add/o                                  200 MISS
    = /part #1
    = /add/o #1
    = /part #2
GET /add/o                                  200 HIT
    = /part #3
    = /add/o #1
    = /part #4



=== TEST 15: a Lua filter is not in the entry
--- store
$TIER
--- config
location / {
    cacheback     pages;
    cacheback_key $host$uri;
    proxy_pass    http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    header_filter_by_lua_block {
        ngx.header.content_length = nil
        ngx.header["X-Lua"] = ngx.var.arg_n
    }
    body_filter_by_lua_block {
        if ngx.arg[2] then ngx.arg[1] = ngx.arg[1] .. "for " .. ngx.var.arg_n end
    }
}
--- steps
GET /o?n=1                                  200 MISS
    < X-Lua: 1
    ~ \A/o #1\nfor 1\z
GET /o?n=2                                  200 HIT
    < X-Lua: 2
    ~ \A/o #1\nfor 2\z
origin /o 1



=== TEST 16: auth_request is asked at each request, and not by the refresh
--- store
$TIER
--- config
location / {
    cacheback    pages;
    auth_request /auth;
    proxy_pass   http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location = /auth {
    cacheback    pages;
    proxy_pass   http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT/auth?status=$http_x_auth;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9    200 MISS
    > X-Auth: 200
    = /o #1
origin /auth 1
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9    200 STALE
    > X-Auth: 200
    = /o #1
origin /o 2
origin /auth 2
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9    200 HIT
    > X-Auth: 200
    = /o #2
origin /auth 3



=== TEST 17: who is denied gets nothing from the store
--- store
$TIER
--- config
location / {
    cacheback     pages;
    cacheback_key $host$uri;
    auth_request  /auth;
    proxy_pass    http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location = /auth {
    proxy_pass    http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT/auth?status=$http_x_auth;
}
--- errors
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9       200 MISS
    > X-Auth: 200
GET /o                                                      403
    > X-Auth: 403
    <! Age
    !~ /o
origin /o 1



=== TEST 18: echo_location answers a miss whole, and stores no part of it
--- store
$TIER
--- config
location /page {
    cacheback pages;
    echo before;
    echo_location /part;
    echo after;
}
location /plain {
    cacheback pages;
    echo "only this";
}
location /part { proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /page                                   200
    = before
    = /part #1
    = after
GET /page                                   200
    = before
    = /part #2
    = after
GET /plain                                  200 MISS
    = only this
GET /plain                                  200 HIT
    = only this



=== TEST 19: add_header and expires shape only what is delivered
--- store
$TIER
--- config
location / {
    cacheback     pages;
    cacheback_key $host$uri;
    proxy_pass    http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    expires       -1;
    add_header    X-For $arg_n;
    add_header    X-Cache $cacheback_status;
}
--- steps
GET /o?n=1&cc=max-age=60                    200 MISS
    < X-For: 1
    < Cache-Control: no-cache
GET /o?n=2                                  200 HIT
    < X-For: 2
    < Cache-Control: no-cache
    = /o #1
GET /p?n=3                                  200 MISS
GET /p?n=4                                  200 HIT
    < X-For: 4



=== TEST 20: fields that the proxy hides count
--- store
$TIER
--- config
location / {
    cacheback         pages;
    proxy_pass        http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_hide_header Cache-Control;
    proxy_hide_header Set-Cookie;
    proxy_hide_header Vary;
    proxy_hide_header Expires;
}
--- steps
GET /private?cc=private                     200 MISS
    <! Cache-Control
GET /private?cc=private                     200 MISS
GET /cookie?h=Set-Cookie:a                  200 MISS
    <! Set-Cookie
GET /cookie?h=Set-Cookie:a                  200 MISS
GET /vary?h=Vary:*                          200 MISS
GET /vary?h=Vary:*                          200 MISS
GET /age?cc=max-age=0,stale-while-revalidate=9   200 MISS
GET /age?cc=max-age=0,stale-while-revalidate=9   200 STALE
    <! Cache-Control
GET /accel?h=X-Accel-Expires:0              200 MISS
GET /accel?h=X-Accel-Expires:0              200 MISS
GET /accel2?cc=no-store&h=X-Accel-Expires:60   200 MISS
GET /language?h=Vary:Accept-Language        200 MISS
    > Accept-Language: de
    = /language #1
GET /language?h=Vary:Accept-Language        200 MISS
    > Accept-Language: fr
    = /language #2
