# cacheback_min_uses: what is asked for once in a while is not worth a place.
# Two workers: the box counts, not each of them.
use lib 't/lib';
use CachebackTest;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-Reason $cacheback_reason always;';

master_on();
workers(2);
run_tests();

__DATA__

=== TEST 1: stored at the third request
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_min_uses 3; $::Origin }"
--- steps
GET /o      200 MISS
    < X-Reason: min-uses
GET /o      200 MISS
    < X-Reason: min-uses
    = /o #2
GET /p      200 MISS
    < X-Reason: min-uses
GET /o      200 MISS
    <! X-Reason
GET /o      200 HIT
    = /o #3



=== TEST 2: the default: stored at the first
--- store
memory 1m;
--- config eval
"location / { cacheback pages; $::Origin }
location /one/ { cacheback pages; cacheback_min_uses 1; $::Origin }"
--- steps
GET /o      200 MISS
GET /o      200 HIT
GET /one/o  200 MISS
GET /one/o  200 HIT



=== TEST 3: a stored item is refreshed, and a gone one is stored at once
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_ttl 2s; cacheback_min_uses 2; $::Origin }"
--- steps
GET /o?max_age=1    200 MISS
GET /o?max_age=1    200 MISS
wait 1.1
GET /o?max_age=1    200 STALE
origin /o 3
wait 2.1
GET /o?max_age=1    200 MISS
    <! X-Reason
GET /o?max_age=1    200 HIT
    = /o #4



=== TEST 4: HEAD, Range and conditional requests count, and fill nothing before
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_min_uses 3; $::Origin }"
--- steps
HEAD /o     200 MISS
    < X-Reason: min-uses
GET /o      200 MISS
    > Range: bytes=0-1
    < X-Reason: min-uses
wait 0.2
origin /o 2
HEAD /o     200 MISS
    < X-Reason: conditional
origin /o 4
GET /o      200 HIT
    = /o #4



=== TEST 5: an empty answer comes without a fetch before
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback               pages;
    cacheback_min_uses      2;
    cacheback_fetch_on_miss off;
    $::Origin
}"
--- steps
GET /o      503 EMPTY
    < X-Reason: min-uses
wait 0.2
origin /o 0
GET /o      503 EMPTY
origin /o 1
GET /o      200 HIT



=== TEST 6: what cacheback_bypass renews is stored
--- store
memory 1m;
--- config eval
'location / {
    cacheback          pages;
    cacheback_key      $uri;
    cacheback_bypass   $arg_new;
    cacheback_min_uses 5;
    ' . $::Origin . '
}'
--- steps
GET /o          200 MISS
GET /o?new=1    200 BYPASS
GET /o          200 HIT
    = /o #2



=== TEST 7: whichever worker is asked
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_min_uses 4; $::Origin }"
--- steps
GET /o      200 MISS
GET /o      200 MISS
GET /o      200 MISS
    < X-Reason: min-uses
GET /o      200 MISS
    <! X-Reason
GET /o      200 HIT
GET /o      200 HIT



=== TEST 8: what is in Redis is served at the first request
--- store
memory off;
redis  redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- http_config eval: $::Shown
--- config eval
'location / { cacheback pages; cacheback_key o; ' . $::Origin . ' }
location /rare/ {
    cacheback pages; cacheback_key o; cacheback_min_uses 9; ' . $::Origin . '
}'
--- steps
GET /o          200 MISS
wait 0.1
GET /rare/o     200 HIT
    = /o #1



=== TEST 9: inherited and replaced
--- store
memory 1m;
--- http_config eval
"$::Shown
cacheback_min_uses 2;"
--- config eval
"cacheback pages;
location / { $::Origin }
location /one/ { cacheback_min_uses 1; $::Origin }"
--- steps
GET /o      200 MISS
    < X-Reason: min-uses
GET /one/o  200 MISS
    <! X-Reason



=== TEST 10: bad: 0
--- config
cacheback_min_uses 0;
--- refused
invalid value "0" in "cacheback_min_uses", expected a number from 1 to 65535



=== TEST 11: bad: no number
--- config
cacheback_min_uses often;
--- refused
invalid value "often" in "cacheback_min_uses", expected a number from 1 to 65535



=== TEST 12: bad: more than is counted
--- config
cacheback_min_uses 65536;
--- refused
invalid value "65536" in "cacheback_min_uses", expected a number from 1 to 65535



=== TEST 13: bad: twice
--- config
cacheback_min_uses 2;
cacheback_min_uses 2;
--- refused
"cacheback_min_uses" directive is duplicate
