# cacheback_stale_if_error: an item that is too stale to be served stands in
# all the same when the origin fails. What a slow client gets, and the
# connection afterwards: t/scenario/008-stale-if-error.t.
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-Reason $cacheback_reason always;';
# Fresh for 0.2 s, too stale to be served thereafter.
our $TooStale = 'cacheback pages 200ms;
    cacheback_fetch_on_stale_threshold 0;';

run_tests_on_each_tier();

__DATA__

=== TEST 1: 500, 502, 503 and 504 of the origin: the item, byte for byte
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { $::TooStale $::Origin }"
--- steps
GET /a?status=200|500&size=50000&etag=a|b&h=X-Own:yes     200 MISS
    < X-Own: yes
GET /b?status=200|502           200 MISS
GET /c?status=200|503           200 MISS
GET /d?status=200|504           200 MISS
wait 0.3
GET /a?status=200|500&size=50000&etag=a|b&h=X-Own:yes     200 STALE
    < X-Reason: error
    < X-Own: yes
    < ETag: "a"
    < Content-Length: 50000
    <~ Age: [01]
    ~ \A/a #1 /a #1 
GET /b?status=200|502           200 STALE
    < X-Reason: error
    = /b #1
GET /c?status=200|503           200 STALE
    = /c #1
GET /d?status=200|504           200 STALE
    = /d #1



=== TEST 2: the body of the error goes nowhere, whatever its form
--- store
memory 1m;
--- config eval
"location / { $::TooStale $::Origin }
location /unbuffered/ { $::TooStale proxy_buffering off; $::Origin }"
--- steps
GET /a?status=200|503&size=30|90000             200 MISS
GET /b?status=200|503&chunked=0|1               200 MISS
GET /c?status=200|503&close=0|1                 200 MISS
GET /d?status=200|503&body=page|                200 MISS
GET /e?status=200|503&gzip=0|1                  200 MISS
GET /unbuffered/f?status=200|503&size=30|90000  200 MISS
wait 0.3
GET /a?status=200|503&size=30|90000             200 STALE
    == /a #1 /a #1 /a #1 /a #1 /a #1 
    < Content-Length: 30
GET /b?status=200|503&chunked=0|1               200 STALE
    = /b #1
GET /c?status=200|503&close=0|1                 200 STALE
    = /c #1
GET /d?status=200|503&body=page|                200 STALE
    == page
GET /e?status=200|503&gzip=0|1                  200 STALE
    = /e #1
    <! Content-Encoding
GET /unbuffered/f?status=200|503&size=30|90000  200 STALE
    < Content-Length: 30



=== TEST 3: an origin that is not there
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / {
    $::TooStale
    cacheback_key \$host\$uri;
    set \$port \$TEST_NGINX_ORIGIN_PORT;
    if (\$arg_gone) { set \$port \$TEST_NGINX_CLOSED_PORT; }
    proxy_pass http://127.0.0.1:\$port;
}"
--- steps
GET /o                          200 MISS
wait 0.3
GET /o?gone=1                   200 STALE
    < X-Reason: error
    = /o #1
--- errors



=== TEST 4: an origin that does not answer in time
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { $::TooStale proxy_read_timeout 200ms; $::Origin }"
--- steps
GET /o?delay=0|2                200 MISS
wait 0.3
GET /o?delay=0|2                200 STALE
    < X-Reason: error
    = /o #1
    within 1.5
--- errors



=== TEST 5: an origin that closes without an answer
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { $::TooStale $::Origin }"
--- steps
GET /o?reset=0|1                200 MISS
wait 0.3
GET /o?reset=0|1                200 STALE
    < X-Reason: error
    = /o #1
--- errors



=== TEST 6: an answer that is not HTTP
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { $::TooStale $::Origin }"
--- steps
GET /o?garbage=0|1              200 MISS
wait 0.3
GET /o?garbage=0|1              200 STALE
    < X-Reason: error
    = /o #1
GET /o?garbage=0|1              200 UPDATING
    = /o #1
--- errors



=== TEST 7: a header that is larger than nginx reads
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location /fields/ { $::TooStale proxy_buffer_size 1k; $::Origin }"
--- steps
GET /fields/o?h=X-Long:a|bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb    200 MISS
wait 0.3
GET /fields/o?h=X-Long:a|bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb    200 STALE
    < X-Reason: error
    = /fields/o #1
--- errors



=== TEST 8: other errors are answers of the origin
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { $::TooStale $::Origin }"
--- steps
GET /a?status=200|404           200 MISS
GET /b?status=200|501           200 MISS
GET /c?status=200|403           200 MISS
GET /d?status=200|429           200 MISS
GET /e?status=200|505           200 MISS
wait 0.3
GET /a?status=200|404           404 EXPIRED
    = /a #2
GET /b?status=200|501           501 EXPIRED
    = /b #2
GET /c?status=200|403           403 EXPIRED
    = /c #2
GET /d?status=200|429           429 EXPIRED
GET /e?status=200|505           505 EXPIRED



=== TEST 9: not where the response forbids it
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /a?status=200|503&cc=max-age=1,must-revalidate              200 MISS
GET /b?status=200|503&cc=max-age=1,proxy-revalidate             200 MISS
GET /c?status=200|503&cc=no-cache&etag=c|x                      200 MISS
GET /d?status=200|503&cc=max-age=1,must-revalidate,stale-if-error=60    200 MISS
wait 1.1
GET /a?status=200|503&cc=max-age=1,must-revalidate              503 EXPIRED
    = /a #2
GET /b?status=200|503&cc=max-age=1,proxy-revalidate             503 EXPIRED
    = /b #2
GET /c?status=200|503&cc=no-cache&etag=c|x                      503 EXPIRED
GET /d?status=200|503&cc=max-age=1,must-revalidate,stale-if-error=60    503 EXPIRED



=== TEST 10: off
--- store
$TIER
--- config eval
"location / { $::TooStale cacheback_stale_if_error off; $::Origin }"
--- steps
GET /o?status=200|503           200 MISS
wait 0.3
GET /o?status=200|503           503 EXPIRED
    = /o #2



=== TEST 11: a time: so long past freshness
--- store
$TIER
--- config eval
"location / { $::TooStale cacheback_stale_if_error 1s; $::Origin }"
--- steps
GET /a?status=200|503           200 MISS
GET /b?status=200|503           200 MISS
wait 0.6
GET /a?status=200|503           200 STALE
wait 0.8
GET /b?status=200|503           503
    = /b #2



=== TEST 12: the response's own stale-if-error replaces it
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_stale_if_error 60s; $::Origin }
location /off/ { cacheback pages; cacheback_stale_if_error off; $::Origin }"
--- steps
GET /a?status=200|503&cc=max-age=1,stale-while-revalidate=0,stale-if-error=1        200 MISS
GET /off/b?status=200|503&cc=max-age=1,stale-while-revalidate=0,stale-if-error=60   200 MISS
wait 1.2
GET /off/b?status=200|503&cc=max-age=1,stale-while-revalidate=0,stale-if-error=60   200 STALE
    = /off/b #1
wait 1
GET /a?status=200|503&cc=max-age=1,stale-while-revalidate=0,stale-if-error=1        503
    = /a #2



=== TEST 13: past its stale window, without a threshold
--- store
memory 1m;
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?status=200|503|200&cc=max-age=0,stale-while-revalidate=1     200 MISS
wait 1.2
GET /o?status=200|503|200&cc=max-age=0,stale-while-revalidate=1     200 STALE
    = /o #1
GET /o?status=200|503|200&cc=max-age=0,stale-while-revalidate=1     200 UPDATING
origin /o 2



=== TEST 14: error_page between origin and client
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"proxy_intercept_errors on;
location / {
    $::TooStale
    error_page 503 /sorry;
    $::Origin
}
location /200/ {
    $::TooStale
    error_page 503 =200 /sorry;
    $::Origin
}
location /its-own/ {
    $::TooStale
    error_page 503 = /sorry;
    $::Origin
}
location /named/ {
    $::TooStale
    error_page 503 = \@sorry;
    $::Origin
}
location /elsewhere/ {
    $::TooStale
    error_page 503 http://127.0.0.1/sorry;
    $::Origin
}
location /recursive/ {
    $::TooStale
    recursive_error_pages on;
    error_page 503 = /sorry;
    $::Origin
}
location = /sorry { proxy_pass http://127.0.0.1:\$TEST_NGINX_ORIGIN_PORT/sorry?body=sorry; }
location \@sorry {
    echo sorry;
}"
--- steps
GET /o?status=200|503           200 MISS
GET /200/o?status=200|503       200 MISS
GET /its-own/o?status=200|503   200 MISS
GET /named/o?status=200|503     200 MISS
GET /elsewhere/o?status=200|503 200 MISS
GET /recursive/o?status=200|503 200 MISS
wait 0.3
GET /o?status=200|503           200 STALE
    = /o #1
    < X-Reason: error
GET /200/o?status=200|503       200 STALE
    = /200/o #1
GET /its-own/o?status=200|503   200 STALE
    = /its-own/o #1
GET /named/o?status=200|503     200 STALE
    = /named/o #1
GET /elsewhere/o?status=200|503 200 STALE
    = /elsewhere/o #1
    <! Location
GET /recursive/o?status=200|503 200 STALE
    = /recursive/o #1



=== TEST 15: error_page for what is no failure
--- store
memory 1m;
--- config eval
"proxy_intercept_errors on;
location / { $::TooStale error_page 404 =200 \@other; $::Origin }
location \@other {
    echo other;
}"
--- steps
GET /o?status=200|404           200 MISS
wait 0.3
GET /o?status=200|404           200 EXPIRED
    = other



=== TEST 16: HEAD, Range and conditional clients
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { $::TooStale cacheback_refresh_timeout 1s; $::Origin }"
--- steps
GET /head?status=200|503&etag=a|b         200 MISS
GET /range?status=200|503&etag=a|b        200 MISS
GET /match?status=200|503&etag=a|b      200 MISS
GET /other?status=200|503&etag=a|b      200 MISS
GET /if-range?status=200|503&etag=a|b   200 MISS
wait 0.3
HEAD /head?status=200|503&etag=a|b        200 STALE
    < X-Reason: error
    < Content-Length: 9
    < ETag: "a"
    ==
HEAD /head?status=200|503&etag=a|b        200 UPDATING
GET /range?status=200|503&etag=a|b        206 STALE
    > Range: bytes=1-5
    == range
    < Content-Range: bytes 1-5/10
GET /range?status=200|503&etag=a|b        200 UPDATING
    = /range #1
GET /match?status=200|503&etag=a|b      304 STALE
    > If-None-Match: "a"
    ==
GET /match?status=200|503&etag=a|b      200 UPDATING
GET /other?status=200|503&etag=a|b      200 STALE
    > If-None-Match: "z"
    = /other #1
GET /if-range?status=200|503&etag=a|b   206 STALE
    > Range: bytes=0-8
    > If-Range: "a"
    == /if-range
origin /head 2
origin /range 2
origin /match 2
origin /other 2
origin /if-range 2



=== TEST 17: conditions and ranges that the item does not meet
--- store
memory 1m;
--- config eval
"location / { $::TooStale $::Origin }
location /gone/ {
    $::TooStale
    cacheback_key \$host\$uri;
    set \$port \$TEST_NGINX_ORIGIN_PORT;
    if (\$arg_gone) { set \$port \$TEST_NGINX_CLOSED_PORT; }
    proxy_pass http://127.0.0.1:\$port;
}"
--- steps
GET /match?status=200|503&etag=a|b      200 MISS
GET /range?status=200|503&etag=a|b      200 MISS
GET /gone/match?etag=a                  200 MISS
GET /gone/range?etag=a                  200 MISS
wait 0.3
GET /match?status=200|503&etag=a|b      412 STALE
    > If-Match: "z"
    ~ 412 Precondition Failed
GET /range?status=200|503&etag=a|b      416 STALE
    > Range: bytes=1000-
    ~ 416 Requested Range Not Satisfiable
GET /gone/match?gone=1                  412 STALE
    > If-Match: "z"
    ~ 412 Precondition Failed
GET /gone/range?gone=1                  416 STALE
    > Range: bytes=1000-
    ~ 416 Requested Range Not Satisfiable
--- errors



=== TEST 18: the failure keeps the lease: the item at once, the origin is left alone
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { $::TooStale cacheback_refresh_timeout 1200ms; $::Origin }"
--- steps
GET /o?status=200|503|503|200&delay=0|0|1|0     200 MISS
wait 0.3
GET /o?status=200|503|503|200&delay=0|0|1|0     200 STALE
GET /o?status=200|503|503|200&delay=0|0|1|0     200 UPDATING
    <! X-Reason
    = /o #1
    within 0.5
GET /o?status=200|503|503|200&delay=0|0|1|0     200 UPDATING
origin /o 2
wait 1.3
GET /o?status=200|503|503|200&delay=0|0|1|0     200 STALE
    = /o #1
wait 0.3
GET /o?status=200|503|503|200&delay=0|0|1|0     200 EXPIRED
    = /o #4
GET /o?status=200|503|503|200&delay=0|0|1|0     200 HIT
origin /o 4



=== TEST 19: a client with a cookie
--- store
memory 1m;
--- config eval
"location / { $::TooStale $::Origin }"
--- steps
GET /o?status=200|503           200 MISS
wait 0.3
GET /o?status=200|503           200 STALE
    > Cookie: a=b
    = /o #1
GET /o?status=200|503           200 UPDATING
origin /o 2



=== TEST 20: other items than pages: redirects, and errors that are stored
--- store
memory 1m;
--- config eval
"location / { cacheback pages; cacheback_fetch_on_stale_threshold 0;
    cacheback_lifetime 200ms; cacheback_lifetime 404 200ms; $::Origin }"
--- steps
GET /a?status=301|503&h=Location:/there  301 MISS
GET /b?status=404|503                    404 MISS
wait 0.3
GET /a?status=301|503&h=Location:/there  301 STALE
    <~ Location: .*/there
    = /a #1
GET /b?status=404|503                    404 STALE
    = /b #1



=== TEST 21: filters of nginx act on it as on any item
--- store
memory 1m;
--- config eval
"location / {
    $::TooStale
    gzip on; gzip_types text/plain; gzip_min_length 1;
    sub_filter '#1' 'number one'; sub_filter_types text/plain;
    add_header X-Added yes;
    add_header X-Cache \$cacheback_status;
    $::Origin
}"
--- steps
GET /o?status=200|503           200 MISS
wait 0.3
GET /o?status=200|503           200 STALE
    = /o number one
    < X-Added: yes
GET /o?status=200|503           200 UPDATING
    > Accept-Encoding: gzip
    < Content-Encoding: gzip



=== TEST 22: a content handler without an upstream
--- store
memory 1m;
--- config eval
"location / {
    $::TooStale
    content_by_lua_block {
        if ngx.shared.count:incr('n', 1, 0) > 1 then return ngx.exit(503) end
        ngx.print('page')
    }
}"
--- http_config
lua_shared_dict count 64k;
--- steps
GET /o                          200 MISS
    == page
wait 0.3
GET /o                          200 STALE
    == page
GET /o                          200 UPDATING



=== TEST 23: inherited, and replaced
--- store
memory 1m;
--- http_config
cacheback_stale_if_error off;
--- config eval
"location / { $::TooStale $::Origin }
location /on/ { $::TooStale cacheback_stale_if_error 1h; $::Origin }"
--- steps
GET /o?status=200|503           200 MISS
GET /on/o?status=200|503        200 MISS
wait 0.3
GET /o?status=200|503           503 EXPIRED
GET /on/o?status=200|503        200 STALE



=== TEST 24: a variable; a value that is none is logged, the outer level's counts
--- store
memory 1m;
--- config eval
"location / { $::TooStale cacheback_stale_if_error \$arg_t; $::Origin }
location /inner/ {
    cacheback_stale_if_error off;
    location /inner/o { $::TooStale cacheback_stale_if_error \$arg_t; $::Origin }
}"
--- steps
GET /a?status=200|503&t=1h          200 MISS
GET /b?status=200|503&t=off         200 MISS
GET /c?status=200|503&t=ever        200 MISS
GET /inner/o?status=200|503&t=ever  200 MISS
wait 0.3
GET /a?status=200|503&t=1h          200 STALE
GET /b?status=200|503&t=off         503 EXPIRED
GET /c?status=200|503&t=ever        200 STALE
GET /inner/o?status=200|503&t=ever  503 EXPIRED
log invalid value "ever" of "cacheback_stale_if_error", expected "off" or a time such as "30s" or "1h", the outer level's value is used



=== TEST 25: not a time
--- config
location / { cacheback_stale_if_error ever; }
--- refused
invalid value "ever" in "cacheback_stale_if_error", expected "off" or a time such
as "30s" or "1h"



=== TEST 26: on is not a time
--- config
location / { cacheback_stale_if_error on; }
--- refused
invalid value "on" in "cacheback_stale_if_error", expected "off" or a time such as
"30s" or "1h"



=== TEST 27: twice
--- config
location / { cacheback_stale_if_error 1s; cacheback_stale_if_error 1s; }
--- refused
"cacheback_stale_if_error" directive is duplicate



=== TEST 28: two arguments
--- config
location / { cacheback_stale_if_error 1s 2s; }
--- refused
invalid number of arguments in "cacheback_stale_if_error" directive
