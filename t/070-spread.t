# cacheback_jitter: lifetimes that differ from item to item.
# cacheback_early_refresh: refreshed before it is stale, now and then.
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-TTL $cacheback_ttl always;';

run_tests_on_each_tier();

__DATA__

=== TEST 1: each key loses its own part of the lifetime, the same on all boxes
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback        pages 1000s;
    cacheback_jitter 50;
    cacheback_key    'jitter \$uri';
    $::Origin
}
location /all/ {
    cacheback        pages 1000s;
    cacheback_jitter 100%;
    cacheback_key    'jitter \$arg_k';
    $::Origin
}"
--- steps
GET /a                      200 MISS
GET /a                      200 HIT
    <~ X-TTL: ^57[78]$
GET /b?max_age=2000         200 MISS
GET /b?max_age=2000         200 HIT
    <~ X-TTL: ^149[78]$
GET /all/o?k=/c             200 MISS
GET /all/o?k=/c             200 HIT
    <~ X-TTL: ^48[23]$



=== TEST 2: what follows freshness ends when it would have
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback        pages;
    cacheback_jitter 100;
    cacheback_key    '/2b \$uri';
    $::Origin
}"
--- steps
GET /o?cc=max-age%3D2,stale-while-revalidate%3D0    200 MISS
wait 1.8
GET /o?cc=max-age%3D2,stale-while-revalidate%3D0    200 STALE
    <~ X-TTL: ^-[12]$
origin /o 2
wait 2.1
GET /o?cc=max-age%3D2,stale-while-revalidate%3D0    200 EXPIRED



=== TEST 3: a 304 does not shorten it again
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback        pages 4s;
    cacheback_jitter 50;
    cacheback_key    'jitter /a';
    $::Origin
}"
--- steps
GET /o?etag=x               200 MISS
wait 2.5
GET /o?etag=x               200 STALE
origin /o 2
GET /o?etag=x               200 HIT
    <~ X-TTL: ^[12]$
    = /o #1
wait 2.5
GET /o?etag=x               200 STALE
    <~ X-TTL: ^-[12]$



=== TEST 4: inherited, and 0 switches it off again
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"cacheback_jitter 90;
cacheback         pages 1000s;
cacheback_key     'jitter \$arg_k \$uri';
location / { $::Origin }
location /off/ { cacheback_jitter 0; $::Origin }"
--- steps
GET /o?k=1                  200 MISS
GET /o?k=1                  200 HIT
    <~ X-TTL: ^[1-8]\d\d$
GET /off/o?k=1              200 MISS
GET /off/o?k=1              200 HIT
    <~ X-TTL: ^(1000|999)$



=== TEST 5: a fresh item is refreshed early, once, and served as it is
--- store
$TIER
--- config eval
"location / {
    cacheback               pages 10s;
    cacheback_early_refresh 100;
    $::Origin
}"
--- steps
GET /o?delay=0.3|1|0        200 MISS
GET /o?delay=0.3|1|0        200 HIT
GET /o?delay=0.3|1|0        200 HIT
GET /o?delay=0.3|1|0        200 HIT
GET /o?delay=0.3|1|0        200 HIT
GET /o?delay=0.3|1|0        200 HIT
GET /o?delay=0.3|1|0        200 HIT
GET /o?delay=0.3|1|0        200 HIT
GET /o?delay=0.3|1|0        200 HIT
GET /o?delay=0.3|1|0        200 HIT
GET /o?delay=0.3|1|0        200 HIT
GET /o?delay=0.3|1|0        200 HIT
    = /o #1
    within 0.5
origin /o 2



=== TEST 6: without the directive never; nor where the origin takes no time
--- store
memory 1m;
--- config eval
"cacheback pages 10s;
location / { $::Origin }
location /off/ { cacheback_early_refresh off; $::Origin }
location /quick/ { cacheback_early_refresh 0.001; $::Origin }"
--- steps
GET /o?delay=0.3            200 MISS
GET /o?delay=0.3            200 HIT
GET /o?delay=0.3            200 HIT
GET /o?delay=0.3            200 HIT
GET /off/o?delay=0.3        200 MISS
GET /off/o?delay=0.3        200 HIT
GET /off/o?delay=0.3        200 HIT
GET /quick/o                200 MISS
GET /quick/o                200 HIT
GET /quick/o                200 HIT
wait 0.5
origin /o 1
origin /off/o 1
origin /quick/o 1



=== TEST 7: an early refresh that fails keeps the item, and the others off
--- store
memory 1m;
--- config eval
"location / {
    cacheback               pages 10s;
    cacheback_early_refresh 100;
    $::Origin
}"
--- steps
GET /o?delay=0.3|0&status=200|500   200 MISS
GET /o?delay=0.3|0&status=200|500   200 HIT
GET /o?delay=0.3|0&status=200|500   200 HIT
GET /o?delay=0.3|0&status=200|500   200 HIT
GET /o?delay=0.3|0&status=200|500   200 HIT
GET /o?delay=0.3|0&status=200|500   200 HIT
GET /o?delay=0.3|0&status=200|500   200 HIT
GET /o?delay=0.3|0&status=200|500   200 HIT
GET /o?delay=0.3|0&status=200|500   200 HIT
GET /o?delay=0.3|0&status=200|500   200 HIT
GET /o?delay=0.3|0&status=200|500   200 HIT
GET /o?delay=0.3|0&status=200|500   200 HIT
    = /o #1
origin /o 2



=== TEST 8: bad: above all of it
--- config
cacheback_jitter 101;
--- refused
invalid value "101" in "cacheback_jitter", expected per cent from 0 to 100



=== TEST 9: bad: no number
--- config
cacheback_jitter much;
--- refused
invalid value "much" in "cacheback_jitter", expected per cent from 0 to 100



=== TEST 10: bad: twice
--- config
cacheback_jitter 1;
cacheback_jitter 2;
--- refused
"cacheback_jitter" directive is duplicate



=== TEST 11: bad: nothing
--- config
cacheback_early_refresh 0;
--- refused
invalid value "0" in "cacheback_early_refresh", expected "off" or a number from 0.001 to 100 such as "1.5"



=== TEST 12: bad: less than nothing
--- config
cacheback_early_refresh -1;
--- refused
invalid value "-1" in "cacheback_early_refresh", expected "off" or a number from 0.001 to 100 such as "1.5"



=== TEST 13: bad: twice
--- config
cacheback_early_refresh 1;
cacheback_early_refresh off;
--- refused
"cacheback_early_refresh" directive is duplicate
