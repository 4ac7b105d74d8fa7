# What requests ask of caches: heeded by policy rfc9111 (RFC 9111 5.2.1),
# ignored by policy cacheback.
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Rfc = "location / { cacheback pages; cacheback_policy rfc9111; $Origin }";
our $Shown = 'add_header X-Reason $cacheback_reason always;';

run_tests_on_each_tier();

__DATA__

=== TEST 1: policy cacheback ignores them
--- store
$TIER
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?max_age=60       200 MISS
    > Cache-Control: no-store
GET /o?max_age=60       200 HIT
    > Cache-Control: no-cache, no-store, max-age=0, min-fresh=600
GET /o?max_age=60       200 HIT
    > Pragma: no-cache
GET /p?max_age=60       200 MISS
    > Cache-Control: only-if-cached



=== TEST 2: no-cache has a fresh item validated (5.2.1.4)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60&etag=a        200 MISS
GET /o?max_age=60&etag=a        200 REVALIDATED
    > Cache-Control: no-cache
    = /o #1
    < Age: 0
fields /o
    ~ ^If-None-Match: "a"$
    ~ ^Cache-Control: no-cache$
GET /o?max_age=60&etag=a        200 HIT
    = /o #1
GET /m?max_age=60&modified=1000000000       200 MISS
GET /m?max_age=60&modified=1000000000       200 REVALIDATED
    > Cache-Control: no-cache
fields /m
    ~ ^If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT$
GET /p?max_age=60               200 MISS
GET /p?max_age=60               200 EXPIRED
    > Cache-Control: no-cache
    = /p #2
GET /p?max_age=60               200 HIT
    = /p #2



=== TEST 3: Pragma says the same where there is no Cache-Control (5.4)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60       200 MISS
GET /o?max_age=60       200 EXPIRED
    > Pragma: no-cache
GET /o?max_age=60       200 HIT
    > Pragma: no-cache
    > Cache-Control: max-age=60
GET /o?max_age=60       200 HIT
    > Pragma: unknown
GET /p?max_age=60&h=Pragma:no-cache     200 MISS
GET /p?max_age=60&h=Pragma:no-cache     200 HIT



=== TEST 4: no-store is neither served nor stored (5.2.1.5)
--- store
$TIER
--- config eval: $::Rfc
--- http_config eval: $::Shown
--- steps
GET /o?max_age=60       200 BYPASS
    > Cache-Control: no-store
    < X-Reason: no-store
GET /o?max_age=60       200 MISS
    = /o #2
GET /o?max_age=60       200 BYPASS
    > Cache-Control: no-store
    = /o #3
GET /o?max_age=60       200 HIT
    = /o #2



=== TEST 5: no-store outweighs cacheback_bypass, which would store
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_policy rfc9111;
    cacheback_bypass \$http_x_new; $::Origin }"
--- steps
GET /o?max_age=60       200 BYPASS
    > X-New: 1
    > Cache-Control: no-store
GET /o?max_age=60       200 MISS
GET /o?max_age=60       200 BYPASS
    > X-New: 1
    = /o #3
GET /o?max_age=60       200 HIT
    = /o #3



=== TEST 6: max-age (5.2.1.1)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=600&h=Age:100    200 MISS
GET /o?max_age=600&h=Age:100    200 HIT
    > Cache-Control: max-age=200
GET /o?max_age=600&h=Age:100    200 EXPIRED
    > Cache-Control: max-age=50
    = /o #2
GET /o?max_age=600&h=Age:100    200 EXPIRED
    > Cache-Control: max-age=0
    = /o #3



=== TEST 7: max-age takes nothing stale, be it allowed (5.2.1.1)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=max-age=1,stale-while-revalidate=60       200 MISS
wait 1.1
GET /o?cc=max-age=1,stale-while-revalidate=60       200 EXPIRED
    > Cache-Control: max-age=60
    = /o #2



=== TEST 8: min-fresh (5.2.1.3)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=100              200 MISS
GET /o?max_age=100              200 HIT
    > Cache-Control: min-fresh=50
GET /o?max_age=100              200 EXPIRED
    > Cache-Control: min-fresh=200
GET /a?max_age=1500&h=Age:1000  200 MISS
GET /a?max_age=1500&h=Age:1000  200 EXPIRED
    > Cache-Control: min-fresh=1000



=== TEST 9: max-stale takes a stale item, and the background renews it (5.2.1.2)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=1                200 MISS
wait 1.1
GET /o?max_age=1                200 STALE
    > Cache-Control: max-stale=60
    = /o #1
origin /o 2
GET /o?max_age=1                200 HIT
    = /o #2
GET /aged?max_age=1500&h=Age:2000   200 MISS
GET /aged?max_age=1500&h=Age:2000   200 STALE
    > Cache-Control: max-stale=1000
    = /aged #1
GET /very?max_age=1500&h=Age:2000&etag=a   200 MISS
GET /very?max_age=1500&h=Age:2000&etag=a   200 STALE
    > Cache-Control: max-stale
    = /very #1



=== TEST 10: max-stale does not reach further than it says, nor over a ban (4.2.4)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=1                200 MISS
GET /must?cc=max-age=1,must-revalidate      200 MISS
wait 2.2
GET /o?max_age=1                200 EXPIRED
    > Cache-Control: max-stale=1
GET /must?cc=max-age=1,must-revalidate      200 EXPIRED
    > Cache-Control: max-stale=60



=== TEST 11: only-if-cached: 504 where there is nothing to serve (5.2.1.7)
--- store
$TIER
--- config eval: $::Rfc
--- http_config eval: $::Shown
--- steps
GET /o?max_age=1                504 EMPTY
    > Cache-Control: only-if-cached
    < X-Reason: only-if-cached
GET /o?max_age=1                200 MISS
    = /o #1
GET /o?max_age=1                200 HIT
    > Cache-Control: only-if-cached
wait 1.1
GET /o?max_age=1                504 EMPTY
    > Cache-Control: only-if-cached
GET /o?max_age=1                200 STALE
    > Cache-Control: only-if-cached, max-stale
    = /o #1
GET /s?cc=no-store              200 MISS
GET /s?cc=no-store              504 EMPTY
    > Cache-Control: only-if-cached



=== TEST 12: the 504 goes through error_page
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_policy rfc9111; error_page 504 = /sorry; $::Origin }
location /sorry { return 200 sorry; }"
--- steps
GET /o              200 EMPTY
    > Cache-Control: only-if-cached
    == sorry



=== TEST 13: an immutable item is not reloaded while it is fresh (RFC 8246 2)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=max-age=1,immutable       200 MISS
GET /o?cc=max-age=1,immutable       200 HIT
    > Cache-Control: max-age=0
GET /o?cc=max-age=1,immutable       200 EXPIRED
    > Cache-Control: no-cache
    = /o #2
wait 1.1
GET /o?cc=max-age=1,immutable       200 EXPIRED
    > Cache-Control: max-age=0
    = /o #3



=== TEST 14: directives in any letters, over several lines; unknown ones
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60       200 MISS
GET /o?max_age=60       200 HIT
    > Cache-Control: nothing, x="no-cache"
GET /o?max_age=60       200 EXPIRED
    > Cache-Control: nothing
    > Cache-Control: No-Cache



=== TEST 15: a HEAD asks like a GET
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60               200 MISS
HEAD /o?max_age=60              200 HIT
HEAD /o?max_age=60              200 REVALIDATED
    > Cache-Control: no-cache
fields /o
    ~ ^HEAD



=== TEST 16: who wants it validated gets the error, not the item (5.2.1.4)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60&status=200|503        200 MISS
GET /o?max_age=60&status=200|503        200 HIT
GET /n?max_age=60&status=200|500        200 MISS
GET /n?max_age=60&status=200|500        500 EXPIRED
    > Cache-Control: no-cache



=== TEST 17: stale-if-error of a request (RFC 5861 4)
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_policy rfc9111; cacheback_stale_if_error off;
    $::Origin }"
--- steps
GET /o?cc=max-age=1|no-store&status=200|503     200 MISS
wait 1.1
GET /o?cc=max-age=1|no-store&status=200|503     503 EXPIRED
GET /o?cc=max-age=1|no-store&status=200|503     200 STALE
    > Cache-Control: stale-if-error=60
    = /o #1
