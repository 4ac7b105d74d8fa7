# cacheback_ignore_headers: fields of responses and of requests that are taken
# as if they were not there. They are delivered all the same.
use lib 't/lib';
use CachebackTest;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-Left $cacheback_ttl always;
    add_header X-Reason $cacheback_reason always;';

our $Expected = 'expected some of "Cache-Control", "CDN-Cache-Control", '
    . '"Expires", "Set-Cookie", "Vary", "X-Accel-Expires", "Authorization" '
    . 'and "Cookie"';

run_tests();

__DATA__

=== TEST 1: without it every field counts
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /a?cc=no-store                      200 MISS
    < X-Reason: no-store
GET /b?cc=private                       200 MISS
    < X-Reason: private
GET /c?h=CDN-Cache-Control:no-store     200 MISS
    < X-Reason: no-store
GET /d?h=Expires:0                      200 MISS
    < X-Reason: zero-lifetime
GET /e?h=Set-Cookie:a                   200 MISS
    < X-Reason: set-cookie
GET /f?h=Vary:*                         200 MISS
    < X-Reason: vary
GET /g?h=X-Accel-Expires:0              200 MISS
    < X-Reason: zero-lifetime
GET /h                                  200 BYPASS
    > Authorization: Basic bWU6bWU=
    < X-Reason: authorization
GET /i                                  200 MISS
    > Cookie: a=1
    < X-Reason: cookie



=== TEST 2: Cache-Control
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback                pages;
    cacheback_ignore_headers Cache-Control;
    $::Origin
}"
--- steps
GET /a?cc=no-store      200 MISS
    < Cache-Control: no-store
    <! X-Reason
GET /a?cc=no-store      200 HIT
    <~ X-Left: (600|59\d)
    < Cache-Control: no-store
GET /b?max_age=5        200 MISS
GET /b?max_age=5        200 HIT
    <~ X-Left: (600|59\d)
GET /d?h=Expires:0      200 MISS
    < X-Reason: zero-lifetime



=== TEST 3: CDN-Cache-Control
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback                pages;
    cacheback_ignore_headers CDN-Cache-Control;
    $::Origin
}"
--- steps
GET /a?h=CDN-Cache-Control:no-store             200 MISS
GET /a?h=CDN-Cache-Control:no-store             200 HIT
    <~ X-Left: (600|59\d)
GET /b?h=CDN-Cache-Control:max-age=50&max_age=300   200 MISS
GET /b?h=CDN-Cache-Control:max-age=50&max_age=300   200 HIT
    <~ X-Left: (300|29\d)
GET /c?cc=no-store                              200 MISS
    < X-Reason: no-store



=== TEST 4: Expires
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback                pages;
    cacheback_ignore_headers Expires;
    $::Origin
}"
--- steps
GET /a?h=Expires:0      200 MISS
GET /a?h=Expires:0      200 HIT
    <~ X-Left: (600|59\d)
    < Expires: 0
GET /b?max_age=50       200 MISS
GET /b?max_age=50       200 HIT
    <~ X-Left: (50|4\d)



=== TEST 5: X-Accel-Expires
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback                pages;
    cacheback_ignore_headers X-Accel-Expires;
    $::Origin
}"
--- steps
GET /a?h=X-Accel-Expires:0              200 MISS
GET /a?h=X-Accel-Expires:0              200 HIT
    <~ X-Left: (600|59\d)
GET /b?h=X-Accel-Expires:50&max_age=300 200 MISS
GET /b?h=X-Accel-Expires:50&max_age=300 200 HIT
    <~ X-Left: (300|29\d)



=== TEST 6: Set-Cookie: the page is stored, the cookie is not
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback                pages;
    cacheback_ignore_headers Set-Cookie;
    $::Origin
}"
--- steps
GET /a?h=Set-Cookie:a%3dmine    200 MISS
    < Set-Cookie: a=mine
GET /a?h=Set-Cookie:a%3dmine    200 HIT
    <! Set-Cookie



=== TEST 7: Vary
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback                pages;
    cacheback_ignore_headers Vary;
    $::Origin
}"
--- steps
GET /a?h=Vary:*         200 MISS
GET /a?h=Vary:*         200 HIT
GET /b?h=Vary:X-Lang    200 MISS
    > X-Lang: de
GET /b?h=Vary:X-Lang    200 HIT
    > X-Lang: fr



=== TEST 8: Vary counts where it is not ignored
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /b?h=Vary:X-Lang    200 MISS
    > X-Lang: de
GET /b?h=Vary:X-Lang    200 HIT
    > X-Lang: de
GET /b?h=Vary:X-Lang    200 MISS
    > X-Lang: fr



=== TEST 9: Authorization of requests
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback                pages;
    cacheback_ignore_headers Authorization;
    $::Origin
}"
--- steps
GET /a                  200 MISS
    > Authorization: Basic bWU6bWU=
GET /a                  200 HIT
    > Authorization: Basic eW91OnlvdQ==
GET /a                  200 HIT



=== TEST 10: Cookie of requests
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback                pages;
    cacheback_ignore_headers Cookie;
    $::Origin
}"
--- steps
GET /a                  200 MISS
    > Cookie: a=1
    <! X-Reason
GET /a                  200 HIT
    > Cookie: a=2
    = /a #1
origin /a 1



=== TEST 11: several names, of any case, on several lines
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback                pages;
    cacheback_ignore_headers cache-control EXPIRES;
    cacheback_ignore_headers set-Cookie;
    $::Origin
}"
--- steps
GET /a?cc=no-store&h=Expires:0&h=Set-Cookie:a   200 MISS
GET /a?cc=no-store&h=Expires:0&h=Set-Cookie:a   200 HIT
GET /f?h=Vary:*         200 MISS
    < X-Reason: vary



=== TEST 12: inherited
--- store
memory 1m;
--- http_config eval
"$::Shown
cacheback_ignore_headers Set-Cookie;"
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /e?h=Set-Cookie:a   200 MISS
GET /e?h=Set-Cookie:a   200 HIT



=== TEST 13: an inner level replaces the outer one's names
--- store
memory 1m;
--- http_config eval
"$::Shown
cacheback_ignore_headers Set-Cookie;"
--- config eval
"location / { cacheback pages; cacheback_ignore_headers Vary; $::Origin }"
--- steps
GET /e?h=Set-Cookie:a   200 MISS
    < X-Reason: set-cookie
GET /f?h=Vary:*         200 MISS
GET /f?h=Vary:*         200 HIT



=== TEST 14: what a background fetch brings is read the same way
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback                pages;
    cacheback_ignore_headers Set-Cookie;
    $::Origin
}"
--- steps
GET /e?max_age=1&h=Set-Cookie:a     200 MISS
wait 1.1
GET /e?max_age=1&h=Set-Cookie:a     200 STALE
origin /e 2
GET /e?max_age=1&h=Set-Cookie:a     200 HIT
    = /e #2



=== TEST 15: an unknown name
--- config
location / { cacheback_ignore_headers Cache-Control Pragma; }
--- refused eval
'invalid value "Pragma" in "cacheback_ignore_headers", ' . $::Expected



=== TEST 16: no name is the same as another with something behind it
--- config
location / { cacheback_ignore_headers Vary,Expires; }
--- refused eval
'invalid value "Vary,Expires" in "cacheback_ignore_headers", ' . $::Expected



=== TEST 17: no name at all
--- config
location / { cacheback_ignore_headers; }
--- refused
invalid number of arguments in "cacheback_ignore_headers" directive
