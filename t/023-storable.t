# Which responses become items, and what $cacheback_reason says of the others.
use lib 't/lib';
use CachebackTest;
use EachTier;

run_tests_on_each_tier();

__DATA__

=== TEST 1: a request with a Cookie, answered without a named lifetime
--- store
$TIER
--- http_config
add_header X-Reason $cacheback_reason always;
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o                              200 MISS
    > Cookie: user=alice
    < X-Reason: cookie
    = /o #1
origin /o 2
fields /o
    !~ (?i)^Cookie
    !~ alice
GET /o                              200 HIT
    > Cookie: user=bob
    = /o #2
GET /o                              200 HIT
    = /o #2
origin /o 2



=== TEST 2: a Cookie does not matter where the response names its lifetime
--- store
$TIER
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /ignored/ {
    cacheback                pages;
    cacheback_ignore_headers Cookie;
    proxy_pass               http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?max_age=60                   200 MISS
    > Cookie: user=alice
GET /o?max_age=60                   200 HIT
    = /o #1
GET /ignored/o                      200 MISS
    > Cookie: user=alice
GET /ignored/o                      200 HIT
    = /ignored/o #1
origin /o 1



=== TEST 3: a Cookie answered by what may not be stored starts no fill
--- store
$TIER
--- http_config
add_header X-Reason $cacheback_reason always;
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?cc=private                   200 MISS
    > Cookie: user=alice
    < X-Reason: private
GET /p?h=Set-Cookie:a=b             200 MISS
    > Cookie: user=alice
    < X-Reason: set-cookie
GET /q?status=500                   500 MISS
    > Cookie: user=alice
    < X-Reason: status
wait 0.1
origin /o 1
origin /p 1
origin /q 1



=== TEST 4: one fill without cookies serves all who wait for it
--- store
$TIER
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?delay=0|0.7|0                200 MISS
    > Cookie: user=alice
    = /o #1
    within 0.5
GET /o?delay=0|0.7|0                200 HIT
    > Cookie: user=bob
    = /o #2
GET /o?delay=0|0.7|0                200 HIT
    > Cookie: user=carol
    = /o #2
origin /o 2



=== TEST 5: what a response forbids
--- store
$TIER
--- http_config
add_header X-Reason $cacheback_reason always;
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /a?h=Set-Cookie:a=b             200 MISS
    < X-Reason: set-cookie
    < Set-Cookie: a=b
GET /a?h=Set-Cookie:a=b             200 MISS
    = /a #2
GET /b?cc=private,max-age=60        200 MISS
    < X-Reason: private
GET /b?cc=private,max-age=60        200 MISS
GET /c?cc=no-store                  200 MISS
    < X-Reason: no-store
GET /c?cc=no-store                  200 MISS
GET /d?h=Vary:*                     200 MISS
    < X-Reason: vary
GET /d?h=Vary:*                     200 MISS
GET /e?h=Vary:Accept,+*             200 MISS
    < X-Reason: vary
GET /f?max_age=0                    200 MISS
    < X-Reason: zero-lifetime
GET /f?max_age=0                    200 MISS
GET /g?h=X-Accel-Expires:0&max_age=60  200 MISS
    < X-Reason: zero-lifetime
GET /h?h=Expires:Sun,+09+Sep+2001+01:46:40+GMT   200 MISS
    < X-Reason: zero-lifetime
GET /h?h=Expires:Sun,+09+Sep+2001+01:46:40+GMT   200 MISS
GET /i?type=text/event-stream&max_age=60         200 MISS
    < X-Reason: event-stream
GET /i?type=text/event-stream&max_age=60         200 MISS
GET /j?status=206&max_age=60&h=Content-Range:bytes+0-4/10      206 MISS
    < X-Reason: partial
GET /j?status=206&max_age=60&h=Content-Range:bytes+0-4/10      206 MISS
    = /j #2
GET /k?h=X-Accel-Buffering:no&max_age=60         200 MISS
GET /k?h=X-Accel-Buffering:no&max_age=60         200 MISS



=== TEST 6: an item known to be unstorable says so
--- store
$TIER
--- http_config
add_header X-Reason $cacheback_reason always;
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?cc=no-store|                 200 MISS
    < X-Reason: no-store
GET /o?cc=no-store|                 200 MISS
    < X-Reason: uncacheable
GET /p?status=500|200               500 MISS
    < X-Reason: status
GET /p?status=500|200               200 MISS
    <! X-Reason
GET /p?status=500|200               200 HIT



=== TEST 7: what cacheback_ignore_headers lifts
--- store
$TIER
--- config
location / {
    cacheback                pages;
    cacheback_ignore_headers Cache-Control Set-Cookie Vary Expires X-Accel-Expires CDN-Cache-Control;
    proxy_pass               http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /authorized/ {
    cacheback                pages;
    cacheback_ignore_headers Authorization;
    proxy_pass               http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /a?cc=private,no-store          200 MISS
GET /a?cc=private,no-store          200 HIT
GET /b?h=Set-Cookie:a=b             200 MISS
GET /b?h=Set-Cookie:a=b             200 HIT
GET /c?h=Vary:*                     200 MISS
GET /c?h=Vary:*                     200 HIT
GET /d?h=Expires:0                  200 MISS
GET /d?h=Expires:0                  200 HIT
GET /e?h=X-Accel-Expires:0          200 MISS
GET /e?h=X-Accel-Expires:0          200 HIT
GET /f?h=CDN-Cache-Control:no-store 200 MISS
GET /f?h=CDN-Cache-Control:no-store 200 HIT
GET /authorized/o                   200 MISS
    > Authorization: Basic YTpi
GET /authorized/o                   200 HIT
    = /authorized/o #1



=== TEST 8: Set-Cookie of an item is never delivered to others
--- store
$TIER
--- config
location / {
    cacheback                pages;
    cacheback_ignore_headers Set-Cookie;
    proxy_pass               http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?h=Set-Cookie:user=alice      200 MISS
    < Set-Cookie: user=alice
GET /o?h=Set-Cookie:user=alice      200 HIT
    <! Set-Cookie



=== TEST 9: Vary keeps the answers of two clients apart
--- store
$TIER
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?h=Vary:Accept-Language       200 MISS
    > Accept-Language: de
    = /o #1
GET /o?h=Vary:Accept-Language       200 HIT
    > Accept-Language: de
    = /o #1
    < Vary: Accept-Language
GET /o?h=Vary:Accept-Language       200 MISS
    > Accept-Language: fr
    = /o #2
GET /o?h=Vary:Accept-Language       200 HIT
    > Accept-Language: fr
    = /o #2
GET /o?h=Vary:Accept-Language       200 MISS
    = /o #3



=== TEST 10: Accept-Encoding does not split an item of ours
--- store
$TIER
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?h=Vary:Accept-Encoding       200 MISS
    > Accept-Encoding: gzip
GET /o?h=Vary:Accept-Encoding       200 HIT
    > Accept-Encoding: br
    = /o #1
GET /o?h=Vary:Accept-Encoding       200 HIT
    = /o #1



=== TEST 11: a lifetime of 0 is stored where stale-while-revalidate stands beside it
--- store
$TIER
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=60|no-store   200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=60|no-store   200 STALE
    = /o #1
GET /p?cc=max-age=0,stale-while-revalidate=0   200 MISS
GET /p?cc=max-age=0,stale-while-revalidate=0   200 MISS



=== TEST 12: who may name a lifetime, the nearer to us the better
--- store
$TIER
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /a?h=X-Accel-Expires:1000&h=CDN-Cache-Control:max-age=2000&cc=s-maxage=3000,max-age=4000   200 MISS
GET /a?h=X-Accel-Expires:1000&h=CDN-Cache-Control:max-age=2000&cc=s-maxage=3000,max-age=4000   200 HIT
GET /a0?h=X-Accel-Expires:0&h=CDN-Cache-Control:max-age=2000&cc=s-maxage=3000,max-age=4000  200 MISS
GET /a0?h=X-Accel-Expires:0&h=CDN-Cache-Control:max-age=2000&cc=s-maxage=3000,max-age=4000  200 MISS
GET /b?h=CDN-Cache-Control:max-age=0&cc=s-maxage=3000,max-age=4000   200 MISS
GET /b?h=CDN-Cache-Control:max-age=0&cc=s-maxage=3000,max-age=4000   200 MISS
GET /c?cc=s-maxage=0,max-age=4000   200 MISS
GET /c?cc=s-maxage=0,max-age=4000   200 MISS
GET /d?cc=s-maxage=60,max-age=0     200 MISS
GET /d?cc=s-maxage=60,max-age=0     200 HIT
GET /e?h=CDN-Cache-Control:max-age=60&cc=no-store      200 MISS
GET /e?h=CDN-Cache-Control:max-age=60&cc=no-store      200 HIT
GET /f?h=CDN-Cache-Control:no-store&max_age=60         200 MISS
GET /f?h=CDN-Cache-Control:no-store&max_age=60         200 MISS
GET /g?max_age=60&h=Expires:0       200 MISS
GET /g?max_age=60&h=Expires:0       200 HIT
GET /h?h=X-Accel-Expires:60&max_age=0   200 MISS
GET /h?h=X-Accel-Expires:60&max_age=0   200 HIT



=== TEST 13: a received Age is subtracted
--- store
$TIER
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?max_age=60&h=Age:50          200 MISS
GET /o?max_age=60&h=Age:50          200 HIT
GET /p?max_age=60&h=Age:70          200 MISS
GET /p?max_age=60&h=Age:70          200 STALE



=== TEST 14: results of X-Accel-Redirect need a word of the app
--- store
$TIER
--- user_files
>>> file.txt
sent by nginx
--- http_config
add_header X-Reason $cacheback_reason always;
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
location /part/ { proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
location /plain/file.txt { internal; root html; rewrite ^ /file.txt break; }
location /file.txt { internal; cacheback pages; root html; }
location /inner/ {
    internal;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /a?h=X-Accel-Redirect:/file.txt                     200 MISS
    = sent by nginx
    < X-Reason: accel-redirect
GET /a?h=X-Accel-Redirect:/file.txt                     200 MISS
    = sent by nginx
GET /b?h=X-Accel-Redirect:/file.txt&cc=public           200 MISS
GET /b?h=X-Accel-Redirect:/file.txt&cc=public           200 HIT
    = sent by nginx
GET /c?h=X-Accel-Redirect:/file.txt&cc=s-maxage=60      200 MISS
GET /c?h=X-Accel-Redirect:/file.txt&cc=s-maxage=60      200 HIT
GET /d?h=X-Accel-Redirect:/file.txt&h=X-Accel-Expires:60  200 MISS
GET /d?h=X-Accel-Redirect:/file.txt&h=X-Accel-Expires:60  200 HIT
GET /e?h=X-Accel-Redirect:/file.txt&cc=max-age=60       200 MISS
GET /e?h=X-Accel-Redirect:/file.txt&cc=max-age=60       200 MISS
GET /f?h=X-Accel-Redirect:/plain/file.txt               200 MISS
    = sent by nginx
GET /f?h=X-Accel-Redirect:/plain/file.txt               200 MISS
GET /part/g?h=X-Accel-Redirect:/file.txt                200 MISS
    = sent by nginx
GET /part/g?h=X-Accel-Redirect:/file.txt                200 MISS
    = sent by nginx
GET /part/h?h=X-Accel-Redirect:/file.txt&cc=public      200 MISS
GET /part/h?h=X-Accel-Redirect:/file.txt&cc=public      200 HIT
GET /i?h=X-Accel-Redirect:/inner/i                      200 MISS
    = /inner/i #1
GET /i?h=X-Accel-Redirect:/inner/i                      200 MISS
    = /inner/i #2



=== TEST 15: which codes are stored without a word of the response
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
location /lines/ {
    cacheback          pages;
    cacheback_lifetime 302 1m;
    cacheback_lifetime 404 0;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /any/ {
    cacheback          pages;
    cacheback_lifetime any 1m;
    cacheback_lifetime 0;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /200?status=200                 200 MISS
GET /200?status=200                 200 HIT
GET /203?status=203                 203 MISS
GET /203?status=203                 203 HIT
GET /301?status=301                 301 MISS
GET /301?status=301                 301 HIT
GET /308?status=308                 308 MISS
GET /308?status=308                 308 HIT
GET /404?status=404                 404 MISS
GET /404?status=404                 404 HIT
GET /410?status=410                 410 MISS
GET /410?status=410                 410 HIT
GET /302?status=302                 302 MISS
GET /302?status=302                 302 MISS
GET /303?status=303                 303 MISS
GET /303?status=303                 303 MISS
GET /307?status=307                 307 MISS
GET /307?status=307                 307 MISS
GET /204?status=204                 204 MISS
GET /204?status=204                 204 MISS
GET /400?status=400                 400 MISS
GET /400?status=400                 400 MISS
GET /403?status=403                 403 MISS
GET /403?status=403                 403 MISS
GET /500?status=500                 500 MISS
GET /500?status=500                 500 MISS
GET /503?status=503                 503 MISS
GET /503?status=503                 503 MISS
GET /302m?status=302&max_age=60     302 MISS
GET /302m?status=302&max_age=60     302 HIT
GET /404m?status=404&max_age=0      404 MISS
GET /404m?status=404&max_age=0      404 MISS
GET /lines/302?status=302           302 MISS
GET /lines/302?status=302           302 HIT
GET /lines/404?status=404           404 MISS
GET /lines/404?status=404           404 MISS
GET /lines/200?status=200           200 MISS
GET /lines/200?status=200           200 HIT
GET /any/204?status=204             204 MISS
GET /any/204?status=204             204 HIT
    <! Content-Length
    ==
GET /any/500?status=500             500 MISS
GET /any/500?status=500             500 HIT
GET /any/200?status=200             200 MISS
GET /any/200?status=200             200 MISS



=== TEST 16: an entry with a body never ends in an answer that may have none
--- store
$TIER
--- config
location / {
    cacheback          pages;
    cacheback_lifetime any 1m;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /304?status=304                 304 MISS
GET /304?status=304                 304 MISS
GET /206?status=206                 206 MISS
GET /206?status=206                 206 MISS
