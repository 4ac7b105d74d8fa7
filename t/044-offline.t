# cacheback_offline: serve whatever there is, ask nobody.
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-Reason $cacheback_reason always;';
our $Here = 'cacheback pages 300ms; cacheback_key $host$uri;
    cacheback_offline $arg_off;';

run_tests_on_each_tier();

__DATA__

=== TEST 1: fresh, stale and missing items
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { $::Here $::Origin }"
--- steps
GET /o                          200 MISS
GET /o?off=1                    200 HIT
    <! X-Reason
wait 0.4
GET /o?off=1                    200 UPDATING
    < X-Reason: offline
    = /o #1
GET /o?off=1                    200 UPDATING
origin /o 1
GET /p?off=1                    503 EMPTY
    < X-Reason: offline
    < Retry-After: 1
    < Cache-Control: no-store
origin /p 0
GET /o?off=0                    200 STALE
origin /o 2
GET /p                          200 MISS



=== TEST 2: an item that is too stale, or may not be served stale otherwise
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { $::Here cacheback_fetch_on_stale_threshold 0; $::Origin }"
--- steps
GET /o                                  200 MISS
GET /m?cc=max-age=1,must-revalidate     200 MISS
wait 1.1
GET /o?off=1                            200 UPDATING
    < X-Reason: offline
    = /o #1
GET /m?off=1                            200 UPDATING
    < X-Reason: offline
    = /m #1
origin /o 1
origin /m 1
GET /o                                  200 EXPIRED



=== TEST 3: an item that is gone is missing
--- store
$TIER
--- config eval
"location / { $::Here cacheback_ttl 600ms; $::Origin }"
--- steps
GET /o                          200 MISS
wait 0.7
GET /o?off=1                    503 EMPTY
origin /o 1



=== TEST 4: HEAD, Range and conditional clients
--- store
$TIER
--- config eval
"location / { $::Here $::Origin }"
--- steps
GET /o?etag=a                   200 MISS
wait 0.4
HEAD /o?off=1                   200 UPDATING
    < ETag: "a"
    ==
GET /o?off=1                    206 UPDATING
    > Range: bytes=0-1
    == /o
GET /o?off=1                    304 UPDATING
    > If-None-Match: "a"
HEAD /p?off=1                   503 EMPTY
GET /p?off=1                    503 EMPTY
    > Range: bytes=0-1
origin /o 1
origin /p 0



=== TEST 5: the empty answer is that of cacheback_empty
--- store
memory 1m;
--- config eval
"location / { $::Here cacheback_empty 200 'offline now'; $::Origin }"
--- steps
GET /p?off=1                    200 EMPTY
    == offline now



=== TEST 6: an item known to be uncacheable is not asked for either
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { $::Here $::Origin }"
--- steps
GET /o?cc=no-store              200 MISS
GET /o?cc=no-store&off=1        503 EMPTY
    < X-Reason: offline
origin /o 1



=== TEST 7: what somebody else fetches is not waited for
--- store
$TIER
--- config eval
"location / { $::Here $::Origin }"
--- steps
HEAD /o?delay=0|0.5             200 MISS
GET /o?delay=0|0.5&off=1        503 EMPTY
    within 0.3
origin /o 2
GET /o?off=1                    200
    = /o #2



=== TEST 8: the lease is not touched: the next one online refreshes
--- store
memory 1m;
--- config eval
"location / { $::Here $::Origin }"
--- steps
GET /o                          200 MISS
wait 0.4
GET /o?off=1                    200 UPDATING
GET /o                          200 STALE
origin /o 2



=== TEST 9: what is not looked up passes
--- store
memory 1m;
--- config eval
"location / { cacheback pages; cacheback_offline 1; cacheback_skip \$arg_skip; $::Origin }"
--- steps
POST /o                         200 BYPASS
    >> text
GET /o?skip=1                   200 BYPASS



=== TEST 10: several values: one is enough; empty and 0 are none
--- store
memory 1m;
--- config eval
"location / { cacheback pages; cacheback_key \$host\$uri;
    cacheback_offline \$arg_a \$arg_b; $::Origin }"
--- steps
GET /o?a=0                      200 MISS
GET /p?b=yes                    503 EMPTY
GET /p?a=0&b=1                  503 EMPTY
GET /p?a=00                     503 EMPTY
GET /p?a=&b=0                   200 MISS



=== TEST 11: inherited, and replaced
--- store
memory 1m;
--- http_config
cacheback_offline 1;
--- config eval
"location / { cacheback pages; $::Origin }
location /on/ { cacheback pages; cacheback_offline 0; $::Origin }"
--- steps
GET /o                          503 EMPTY
GET /on/o                       200 MISS



=== TEST 12: no argument
--- config
location / { cacheback_offline; }
--- refused
invalid number of arguments in "cacheback_offline" directive



=== TEST 13: an unknown variable
--- config
location / { cacheback_offline $no_such_variable; }
--- must_die
--- error_log eval
qr{\[emerg\] .*unknown "no_such_variable" variable}



=== TEST 14: Redis away: what memory holds
--- store
memory 1m;
redis redis://127.0.0.1:$TEST_NGINX_CLOSED_PORT/0;
--- http_config eval: $::Shown
--- config eval
"location / { $::Here $::Origin }"
--- steps
GET /o                          200 MISS
wait 0.4
GET /o?off=1                    200 UPDATING
    < X-Reason: offline
GET /p?off=1                    503 EMPTY
    < X-Reason: offline
--- errors
