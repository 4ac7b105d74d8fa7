# cacheback_purge: PURGE deletes an item, softly it marks it stale.
use lib 't/lib';
use CachebackTest;
use EachTier;

run_tests_on_each_tier();

__DATA__

=== TEST 1: PURGE deletes the item, and says whether there was one
--- store
$TIER
--- config
location / {
    cacheback       pages;
    cacheback_purge 1;
    proxy_pass      http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
PURGE /o                        404
GET /o                          200 MISS
GET /o                          200 HIT
PURGE /o                        204
GET /o                          200 MISS
    = /o #2
PURGE /o                        204
PURGE /o                        404
origin /o 2



=== TEST 2: a soft PURGE keeps the item, stale, and refreshes it
--- store
$TIER
--- config
location / {
    cacheback       pages;
    cacheback_purge 1;
    proxy_pass      http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?delay=0|0.4              200 MISS
PURGE /o?delay=0|0.4            202
    > Cacheback-Purge: soft
    within 0.3
GET /o?delay=0|0.4              200 UPDATING
    = /o #1
origin /o 2
GET /o?delay=0|0.4              200 HIT
    = /o #2
origin /o 2



=== TEST 3: a soft PURGE of nothing fetches nothing
--- store
$TIER
--- config
location / {
    cacheback       pages;
    cacheback_purge 1;
    proxy_pass      http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
PURGE /o                        404
    > Cacheback-Purge: soft
origin /o 0



=== TEST 4: a refresh that fails leaves what a soft PURGE has marked
--- store
$TIER
--- config
location / {
    cacheback       pages;
    cacheback_purge 1;
    proxy_pass      http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?status=200|500           200 MISS
PURGE /o?status=200|500         202
    > Cacheback-Purge: soft
origin /o 2
GET /o?status=200|500           200 UPDATING
    = /o #1



=== TEST 5: who may not purge is refused, and nothing is deleted
--- store
$TIER
--- http_config
map $arg_may $may_purge { yes 1; default ""; }
--- config
location / {
    cacheback       pages;
    cacheback_key   $host$uri;
    cacheback_purge $may_purge;
    proxy_pass      http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /zero {
    cacheback       pages;
    cacheback_purge 0;
    proxy_pass      http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o                          200 MISS
PURGE /o                        405
PURGE /zero                     405
GET /o                          200 HIT
PURGE /o?may=yes                204
GET /o                          200 MISS



=== TEST 6: without the directive PURGE passes like any method
--- store
$TIER
--- config
location / {
    cacheback       pages;
    cacheback_invalidate_on_unsafe off;
    proxy_pass      http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o                          200 MISS
PURGE /o                        200 BYPASS
GET /o                          200 HIT
    = /o #1



=== TEST 7: it is inherited, and a location may have its own
--- store
$TIER
--- http_config
cacheback_purge 1;
--- config
location / {
    cacheback       pages;
    proxy_pass      http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /closed {
    cacheback       pages;
    cacheback_purge "";
    proxy_pass      http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o                          200 MISS
PURGE /o                        204
PURGE /closed                   405



=== TEST 8: a fetch under way does not bring a deleted item back
--- store
$TIER
--- config
location / {
    cacheback          pages;
    cacheback_lifetime 200ms;
    cacheback_purge    1;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?delay=0|0.5|0            200 MISS
wait 0.25
GET /o?delay=0|0.5|0            200 STALE
wait 0.1
PURGE /o?delay=0|0.5|0          204
origin /o 2
wait 0.2
GET /o?delay=0|0.5|0            200 MISS
    = /o #3



=== TEST 9: a soft PURGE of what must not be served stale leaves nothing to serve
--- store
$TIER
--- config
location / {
    cacheback       pages;
    cacheback_purge 1;
    proxy_pass      http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?delay=0|0.4&cc=max-age=60,stale-while-revalidate=0,stale-if-error=0     200 MISS
GET /o?delay=0|0.4&cc=max-age=60,stale-while-revalidate=0,stale-if-error=0     200 HIT
PURGE /o?delay=0|0.4&cc=max-age=60,stale-while-revalidate=0,stale-if-error=0   202
    > Cacheback-Purge: soft
GET /o?delay=0|0.4&cc=max-age=60,stale-while-revalidate=0,stale-if-error=0     200 HIT
    = /o #2
origin /o 2
