# cacheback_invalidate_on_unsafe: who changes a page makes its item stale.
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Location = "location / { cacheback pages; $Origin }";

run_tests_on_each_tier();

__DATA__

=== TEST 1: a POST makes the item stale, and refreshes it
--- store
$TIER
--- config eval: $::Location
--- steps
GET /o?delay=0|0|0.4        200 MISS
wait 0.1
POST /o?delay=0|0|0.4       200 BYPASS
    >> a=1
    within 0.3
GET /o?delay=0|0|0.4        200 UPDATING
    = /o #1
    within 0.3
origin /o 3
GET /o?delay=0|0|0.4        200 HIT
    = /o #3
fields /o
    ~ ^GET
    ~ ^Cacheback-Refresh: 1$
    !~ ^Content-Length



=== TEST 2: so does any method that is not known as safe
--- store
memory 1m;
--- config eval: $::Location
--- steps
GET /o                      200 MISS
PUT /o                      200 BYPASS
origin /o 3
DELETE /o                   200 BYPASS
origin /o 5
FROB /o                     200 BYPASS
origin /o 7
GET /o                      200 HIT
    = /o #7
OPTIONS /o                  200 BYPASS
PROPFIND /o                 200 BYPASS
GET /o                      200 HIT
    = /o #7
origin /o 9



=== TEST 3: redirects count, errors do not
--- store
$TIER
--- config eval: $::Location
--- steps
GET /see?status=200|303|200         200 MISS
wait 0.1
POST /see?status=200|303|200        303 BYPASS
origin /see 3
GET /not?status=200|404             200 MISS
POST /not?status=200|404            404 BYPASS
GET /fail?status=200|500            200 MISS
POST /fail?status=200|500           500 BYPASS
wait 0.3
GET /not?status=200|404             200 HIT
    = /not #1
GET /fail?status=200|500            200 HIT
    = /fail #1
origin /not 2
origin /fail 2



=== TEST 4: an error that error_page turns into a 200 is one
--- store
memory 1m;
--- config eval
"location / {
    cacheback              pages;
    proxy_intercept_errors on;
    error_page             500 =200 /page;
    $::Origin
}
location = /page { return 200 page; }"
--- steps
GET /o?status=200|500       200 MISS
POST /o?status=200|500      200
wait 0.2
GET /o?status=200|500       200 HIT
    = /o #1
origin /o 2



=== TEST 5: where nothing is stored, nothing is fetched
--- store
$TIER
--- config eval: $::Location
--- steps
POST /o                     200 BYPASS
POST /o                     200 BYPASS
wait 0.3
origin /o 2
GET /o                      200 MISS
    = /o #3



=== TEST 6: once per lease: while a refresh is under way, no second one
--- store
$TIER
--- config eval: $::Location
--- steps
GET /o?delay=0|0|0.5|0      200 MISS
wait 0.1
POST /o?delay=0|0|0.5|0     200 BYPASS
wait 0.1
POST /o?delay=0|0|0.5|0     200 BYPASS
POST /o?delay=0|0|0.5|0     200 BYPASS
GET /o?delay=0|0|0.5|0      200 UPDATING
wait 0.6
origin /o 5



=== TEST 7: what a fetch under way brings is stale, and refreshed by its reader
--- store
$TIER
--- config eval: $::Location
--- steps
HEAD /o?delay=0|0.4|0       200 MISS
wait 0.1
POST /o?delay=0|0.4|0       200 BYPASS
wait 0.5
GET /o?delay=0|0.4|0        200 STALE
    = /o #2
origin /o 4
GET /o?delay=0|0.4|0        200 HIT
    = /o #4



=== TEST 8: a refresh that fails leaves the old item, stale
--- store
$TIER
--- config eval: $::Location
--- steps
GET /o?status=200|200|500   200 MISS
wait 0.1
POST /o?status=200|200|500  200 BYPASS
origin /o 3
GET /o?status=200|200|500   200 UPDATING
    = /o #1
POST /o?status=200|200|200|200  200 BYPASS
wait 0.2
origin /o 4



=== TEST 9: a 304 renews the item, where the memory tier knows its validator
--- store
memory 1m;
--- config eval: $::Location
--- steps
GET /o?etag=x               200 MISS
wait 0.1
POST /o?etag=x              200 BYPASS
origin /o 3
GET /o?etag=x               200 HIT
    = /o #1



=== TEST 10: an item that may not be served stale is fetched by who comes next
--- store
$TIER
--- config eval: $::Location
--- steps
GET /o?cc=max-age%3D60,must-revalidate&status=200|200|500|200     200 MISS
wait 0.1
POST /o?cc=max-age%3D60,must-revalidate&status=200|200|500|200    200 BYPASS
origin /o 3
GET /o?cc=max-age%3D60,must-revalidate&status=200|200|500|200     200 EXPIRED
    = /o #4



=== TEST 11: both tiers; a key of one's own; off; skip
--- store
memory 1m;
redis redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- config eval
"cacheback pages;
cacheback_key \$host\$uri;
cacheback_skip \$arg_skip;
location / { $::Origin }
location /off/ { cacheback_invalidate_on_unsafe off; $::Origin }"
--- steps
GET /o?a=1                  200 MISS
wait 0.1
POST /o?a=2                 200 BYPASS
origin /o 3
GET /o?a=1                  200 HIT
    = /o #3
POST /o?skip=1              200 BYPASS
GET /off/o                  200 MISS
POST /off/o                 200 BYPASS
wait 0.3
origin /o 4
origin /off/o 2
GET /o?a=1                  200 HIT
GET /off/o                  200 HIT



=== TEST 12: bad: neither on nor off
--- config
cacheback_invalidate_on_unsafe yes;
--- refused
invalid value "yes" in "cacheback_invalidate_on_unsafe" directive, it must be "on" or "off"
