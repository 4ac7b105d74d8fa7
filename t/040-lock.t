# cacheback_lock: one fetch for those who miss the same item at the same time.
# Here the fetch is the background fill of a HEAD request; crowds of clients on
# several workers are in t/scenario/007-misses.t.
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-Reason $cacheback_reason always;
    add_header X-Tier $cacheback_tier always;';

run_tests_on_each_tier();

__DATA__

=== TEST 1: the default: who misses what is being fetched gets the same answer
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
HEAD /o?delay=0|0.4             200 MISS
    < X-Reason: conditional
GET /o?delay=0|0.4              200 HIT
    < X-Reason: collapsed
    < X-Tier
    = /o #2
    within 2
GET /o?delay=0|0.4              200 HIT
    <! X-Reason
    = /o #2
origin /o 2



=== TEST 2: on is the default
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_lock on; $::Origin }"
--- steps
HEAD /o?delay=0|0.4             200 MISS
GET /o?delay=0|0.4              200 HIT
    < X-Reason: collapsed
    = /o #2
origin /o 2



=== TEST 3: what it waited for is served, be its lifetime as short as it may
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
HEAD /o?delay=0|0.3&cc=max-age=0,stale-while-revalidate=60      200 MISS
GET /o?delay=0|0.3&cc=max-age=0,stale-while-revalidate=60       200 HIT
    < X-Reason: collapsed
    = /o #2
origin /o 2



=== TEST 4: off: nobody waits, and the fetch of who went alone is not stored
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_lock off; $::Origin }"
--- steps
HEAD /o?delay=0|0.4|0           200 MISS
wait 0.05
GET /o?delay=0|0.4|0            200 MISS
    = /o #3
    within 0.3
origin /o 3
wait 0.3
GET /o?delay=0|0.4|0            200 HIT
    <! X-Reason
    = /o #2



=== TEST 5: a time: then a waiter goes alone, its answer unstored
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_lock 200ms; $::Origin }"
--- steps
HEAD /o?delay=0|1|0             200 MISS
GET /o?delay=0|1|0              200 MISS
    = /o #3
    within 0.8
origin /o 3
wait 0.3
GET /o?delay=0|1|0              200 HIT
    = /o #2



=== TEST 6: released by the header of an answer that is not stored
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
HEAD /o?delay=0|0.3|0&cc=max-age=60|no-store&drip=0|2|0     200 MISS
GET /o?delay=0|0.3|0&cc=max-age=60|no-store&drip=0|2|0      200 MISS
    = /o #3
    within 1.5
GET /o?delay=0|0.3|0&cc=max-age=60|no-store&drip=0|2|0      200 MISS
    < X-Reason: uncacheable
    = /o #4



=== TEST 7: when the fetch fails, a waiter takes over, and stores
--- store
$TIER
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
HEAD /o?delay=0|0.3|0&status=200|500|200    200 MISS
GET /o?delay=0|0.3|0&status=200|500|200     200 MISS
    = /o #3
    within 1.5
GET /o?delay=0|0.3|0&status=200|500|200     200 HIT
    = /o #3
origin /o 3



=== TEST 8: the same when the origin closes without an answer
--- store
$TIER
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
HEAD /o?delay=0|0.3|0&reset=0|1|0           200 MISS
GET /o?delay=0|0.3|0&reset=0|1|0            200 MISS
    = /o #3
    within 1.5
GET /o?delay=0|0.3|0&reset=0|1|0            200 HIT
origin /o 3
--- errors



=== TEST 9: HEAD, Range and conditional misses wait for nobody, and start no second fill
--- store
$TIER
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
HEAD /o?delay=0|0.8|0           200 MISS
wait 0.05
HEAD /o?delay=0|0.8|0           200 MISS
    within 0.5
GET /o?delay=0|0.8|0            200 MISS
    > Range: bytes=0-1
    within 0.5
GET /o?delay=0|0.8|0            200 MISS
    > If-None-Match: "x"
    within 0.5
origin /o 5
GET /o?delay=0|0.8|0            200 HIT
    = /o #2



=== TEST 10: who finds a forbidden item being fetched gets the new answer
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?delay=0|0|0.4&cc=max-age=1,must-revalidate       200 MISS
wait 1.1
HEAD /o?delay=0|0|0.4&cc=max-age=1,must-revalidate      200 EXPIRED
GET /o?delay=0|0|0.4&cc=max-age=1,must-revalidate       200 HIT
    < X-Reason: collapsed
    = /o #3
origin /o 3



=== TEST 11: items do not wait for each other
--- store
memory 1m;
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
HEAD /o?delay=0|1               200 MISS
GET /p                          200 MISS
    within 0.5
GET /o?delay=0                  200 MISS
    within 0.5



=== TEST 12: inherited, and replaced
--- store
memory 1m;
--- http_config
cacheback_lock off;
--- config eval
"location / { cacheback pages; $::Origin }
location /on/ { cacheback pages; cacheback_lock 5s; $::Origin }"
--- steps
HEAD /o?delay=0|0.4|0           200 MISS
GET /o?delay=0|0.4|0            200 MISS
HEAD /on/o?delay=0|0.4|0        200 MISS
GET /on/o?delay=0|0.4|0         200 HIT
    = /on/o #2



=== TEST 13: neither on nor off nor a time
--- config
location / { cacheback_lock maybe; }
--- refused
invalid value "maybe" in "cacheback_lock", expected "on", "off" or a time such as
"5s"



=== TEST 14: no time is not a time
--- config
location / { cacheback_lock 0; }
--- refused
invalid value "0" in "cacheback_lock", expected "on", "off" or a time such as "5s"



=== TEST 15: an empty value
--- config
location / { cacheback_lock ""; }
--- refused
invalid value "" in "cacheback_lock", expected "on", "off" or a time such as "5s"



=== TEST 16: variables are not taken
--- config
location / { cacheback_lock $arg_lock; }
--- refused
invalid value "$arg_lock" in "cacheback_lock", expected "on", "off" or a time such
as "5s"



=== TEST 17: twice
--- config
location / { cacheback_lock on; cacheback_lock 1s; }
--- refused
"cacheback_lock" directive is duplicate



=== TEST 18: no argument
--- config
location / { cacheback_lock; }
--- refused
invalid number of arguments in "cacheback_lock" directive



=== TEST 19: two arguments
--- config
location / { cacheback_lock on 5s; }
--- refused
invalid number of arguments in "cacheback_lock" directive
