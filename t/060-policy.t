# cacheback_policy cacheback|rfc9111: the directive, and what the policies store
# (RFC 9111 section 3).
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Rfc = "location / { cacheback pages; cacheback_policy rfc9111; $Origin }";
our $Shown = 'add_header X-Reason $cacheback_reason always;';

run_tests_on_each_tier();

__DATA__

=== TEST 1: the default is policy cacheback, which has lifetimes of its own
--- store
$TIER
--- config eval
"location / { cacheback pages; $::Origin }
location /named/ { cacheback pages; cacheback_policy cacheback; $::Origin }"
--- steps
GET /o          200 MISS
GET /o          200 HIT
GET /named/o    200 MISS
GET /named/o    200 HIT



=== TEST 2: policy rfc9111 has those of the responses alone
--- store
$TIER
--- config eval
"location / { cacheback pages 10m; cacheback_policy rfc9111;
    cacheback_lifetime any 10m; $::Origin }"
--- http_config eval: $::Shown
--- steps
GET /o                  200 MISS
    < X-Reason: no-lifetime
GET /o                  200 MISS
    < X-Reason: uncacheable
GET /p?max_age=60       200 MISS
GET /p?max_age=60       200 HIT
    <! X-Reason



=== TEST 3: it is inherited, and set anew
--- store
memory 1m;
--- http_config
cacheback_policy rfc9111;
cacheback pages;
--- config eval
"location / { $::Origin }
location /ours/ { cacheback_policy cacheback; $::Origin
    location /ours/rfc/ { cacheback_policy rfc9111; $::Origin } }"
--- steps
GET /o              200 MISS
GET /o              200 MISS
GET /ours/o         200 MISS
GET /ours/o         200 HIT
GET /ours/rfc/o     200 MISS
GET /ours/rfc/o     200 MISS



=== TEST 4: another word is refused
--- store
memory 1m;
--- config
location / { cacheback pages; cacheback_policy rfc7234; }
--- refused
invalid value "rfc7234" in "cacheback_policy", expected "cacheback" or "rfc9111"



=== TEST 5: twice on one level is refused
--- store
memory 1m;
--- config
cacheback_policy rfc9111;
cacheback_policy rfc9111;
--- refused
"cacheback_policy" directive is duplicate



=== TEST 6: what one policy has stored is nothing to the other
--- store
$TIER
--- config eval
"cacheback_key \$arg_k;
location /rfc/ { cacheback pages; cacheback_policy rfc9111; $::Origin }
location / { cacheback pages; $::Origin }"
--- steps
GET /rfc/o?k=1&max_age=60&h=Set-Cookie:a=b  200 MISS
GET /rfc/o?k=1&max_age=60&h=Set-Cookie:a=b  200 HIT
    < Set-Cookie: a=b
GET /o?k=1&max_age=60                       200 MISS
    <! Set-Cookie
GET /o?k=1&max_age=60                       200 HIT
    = /o #1
GET /rfc/o?k=1&max_age=60                   200 MISS



=== TEST 7: any final status with a named lifetime (3)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /200?max_age=60&status=200      200 MISS
GET /200?max_age=60&status=200      200 HIT
GET /204?max_age=60&status=204      204 MISS
GET /204?max_age=60&status=204      204 HIT
GET /301?max_age=60&status=301&h=Location:/x    301 MISS
GET /301?max_age=60&status=301&h=Location:/x    301 HIT
    <~ Location: .*/x
GET /302?max_age=60&status=302&h=Location:/x    302 MISS
GET /302?max_age=60&status=302&h=Location:/x    302 HIT
GET /307?max_age=60&status=307&h=Location:/x    307 MISS
GET /307?max_age=60&status=307&h=Location:/x    307 HIT
GET /404?max_age=60&status=404      404 MISS
GET /404?max_age=60&status=404      404 HIT
GET /500?max_age=60&status=500      500 MISS
GET /500?max_age=60&status=500      500 HIT
GET /599?max_age=60&status=599      599 MISS
GET /599?max_age=60&status=599      599 HIT



=== TEST 8: a guess for what is heuristically cacheable (4.2.2)
--- store
$TIER
--- config eval: $::Rfc
--- http_config eval: $::Shown
--- steps
GET /200?changed=-3600                      200 MISS
GET /200?changed=-3600                      200 HIT
GET /404?changed=-3600&status=404           404 MISS
GET /404?changed=-3600&status=404           404 HIT
GET /405?changed=-3600&status=405           405 MISS
GET /405?changed=-3600&status=405           405 HIT
GET /501?changed=-3600&status=501           501 MISS
GET /501?changed=-3600&status=501           501 HIT
GET /302?changed=-3600&status=302           302 MISS
    < X-Reason: status
GET /302?changed=-3600&status=302           302 MISS
GET /503?changed=-3600&status=503           503 MISS
    < X-Reason: status
GET /503?changed=-3600&status=503           503 MISS
GET /599?changed=-3600&status=599           599 MISS
GET /599?changed=-3600&status=599           599 MISS
GET /public?changed=-3600&status=599&cc=public   599 MISS
GET /public?changed=-3600&status=599&cc=public   599 HIT



=== TEST 9: no-store and private, in any letters (5.2.2.5, 5.2.2.7)
--- store
$TIER
--- config eval: $::Rfc
--- http_config eval: $::Shown
--- steps
GET /s?cc=max-age=60,No-StOrE       200 MISS
    < X-Reason: no-store
GET /s?cc=max-age=60,No-StOrE       200 MISS
GET /p?cc=PRIVATE,max-age=60        200 MISS
    < X-Reason: private
GET /p?cc=PRIVATE,max-age=60        200 MISS



=== TEST 10: must-understand (5.2.2.3)
--- store
$TIER
--- config eval: $::Rfc
--- http_config eval: $::Shown
--- steps
GET /known?cc=max-age=60,no-store,must-understand               200 MISS
GET /known?cc=max-age=60,no-store,must-understand               200 HIT
GET /new?cc=max-age=60,no-store,must-understand&status=599      599 MISS
    < X-Reason: no-store
GET /new?cc=max-age=60,no-store,must-understand&status=599      599 MISS
GET /alone?cc=max-age=60,must-understand&status=599             599 MISS
    < X-Reason: status



=== TEST 11: fields that private and no-cache name are left out (5.2.2.4, 5.2.2.7)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=private="x-a",no-cache="x-b,%20x-c",max-age=60&h=X-A:1&h=X-B:2&h=X-C:3&h=X-D:4  200 MISS
    < X-A: 1
    < X-B: 2
GET /o?cc=private="x-a",no-cache="x-b,%20x-c",max-age=60&h=X-A:1&h=X-B:2&h=X-C:3&h=X-D:4  200 HIT
    <! X-A
    <! X-B
    <! X-C
    < X-D: 4
    = /o #1
GET /p?cc=max-age=60,private="x-a&h=X-A:1           200 MISS
GET /p?cc=max-age=60,private="x-a&h=X-A:1           200 MISS
GET /n?cc=max-age=60,no-cache="x%20a"&etag=a        200 MISS
GET /n?cc=max-age=60,no-cache="x%20a"&etag=a        200 REVALIDATED



=== TEST 12: answers to Authorization are for others when the origin says so (3.5)
--- store
$TIER
--- config eval: $::Rfc
--- http_config eval: $::Shown
--- steps
GET /silent?max_age=60                          200 MISS
    > Authorization: Basic YTpi
    < X-Reason: authorization
GET /silent?max_age=60                          200 MISS
GET /silent?max_age=60                          200 HIT
    = /silent #2
GET /public?cc=public,max-age=60                200 MISS
    > Authorization: Basic YTpi
GET /public?cc=public,max-age=60                200 HIT
GET /must?cc=must-revalidate,max-age=60         200 MISS
    > Authorization: Basic YTpi
GET /must?cc=must-revalidate,max-age=60         200 HIT
GET /shared?cc=s-maxage=60                      200 MISS
    > Authorization: Basic YTpi
GET /shared?cc=s-maxage=60                      200 HIT
GET /shared?cc=s-maxage=60                      200 HIT
    > Authorization: Basic YTpi



=== TEST 13: in policy cacheback they pass, whatever the origin says
--- store
$TIER
--- config eval
"location / { cacheback pages; $::Origin }"
--- http_config eval: $::Shown
--- steps
GET /o?cc=public,max-age=60         200 BYPASS
    > Authorization: Basic YTpi
    < X-Reason: authorization
GET /o?cc=public,max-age=60         200 MISS
GET /o?cc=public,max-age=60         200 BYPASS
    > Authorization: Basic YTpi



=== TEST 14: the answer to Authorization lets those wait no longer who came for it
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60                   200 MISS
    > Authorization: Basic YTpi
GET /o?max_age=60                   200 MISS
    within 1
GET /o?max_age=60                   200 HIT



=== TEST 15: Set-Cookie is stored as any field where a lifetime is named (7.3)
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_policy rfc9111; $::Origin }
location /ignored/ { cacheback pages; cacheback_policy rfc9111;
    cacheback_ignore_headers Set-Cookie; $::Origin }"
--- http_config eval: $::Shown
--- steps
GET /named?max_age=60&h=Set-Cookie:a=b                  200 MISS
GET /named?max_age=60&h=Set-Cookie:a=b                  200 HIT
    < Set-Cookie: a=b
GET /guessed?changed=-3600&h=Set-Cookie:a=b             200 MISS
    < X-Reason: set-cookie
GET /guessed?changed=-3600&h=Set-Cookie:a=b             200 MISS
GET /apart?cc=max-age=60,no-cache="Set-Cookie"&h=Set-Cookie:a=b     200 MISS
    < Set-Cookie: a=b
GET /apart?cc=max-age=60,no-cache="Set-Cookie"&h=Set-Cookie:a=b     200 HIT
    <! Set-Cookie
GET /ignored/o?changed=-3600&h=Set-Cookie:a=b           200 MISS
GET /ignored/o?changed=-3600&h=Set-Cookie:a=b           200 HIT
    <! Set-Cookie



=== TEST 16: Vary: * is never used again, in whatever place (4.1)
--- store
$TIER
--- config eval: $::Rfc
--- http_config eval: $::Shown
--- steps
GET /o?max_age=60&h=Vary:accept,%20*            200 MISS
    < X-Reason: vary
GET /o?max_age=60&h=Vary:accept,%20*            200 MISS
GET /two?max_age=60&h=Vary:&h=Vary:*            200 MISS
GET /two?max_age=60&h=Vary:&h=Vary:*            200 MISS



=== TEST 17: a cookie of the request does not matter where a lifetime is named
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60       200 MISS
    > Cookie: a=b
GET /o?max_age=60       200 HIT
    > Cookie: c=d



=== TEST 18: a POST is neither stored nor served
--- store
$TIER
--- config eval: $::Rfc
--- steps
POST /o?max_age=60      200 BYPASS
    >> text
GET /o?max_age=60       200 MISS
    = /o #2



=== TEST 19: an arguments' order makes another item, the same one the same
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60&a=1       200 MISS
GET /o?max_age=60&a=2       200 MISS
GET /o?max_age=60&a=1       200 HIT
    = /o #1



=== TEST 20: hidden fields count too (no difference to the client)
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_policy rfc9111; $::Origin
    proxy_hide_header Cache-Control; proxy_hide_header ETag; }"
--- steps
GET /o?max_age=60       200 MISS
    <! Cache-Control
GET /o?max_age=60       200 HIT
    <! Cache-Control
GET /s?cc=no-store      200 MISS
GET /s?cc=no-store      200 MISS
