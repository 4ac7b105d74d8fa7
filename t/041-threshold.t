# cacheback_fetch_on_stale_threshold: an item older than this is too stale to
# be served; the client waits for a new one.
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-Reason $cacheback_reason always;';

run_tests_on_each_tier();

__DATA__

=== TEST 1: stale up to the threshold, fetched while the client waits past it
--- store
$TIER
--- config eval
"location / {
    cacheback pages 1s;
    cacheback_fetch_on_stale_threshold 2s;
    $::Origin
}"
--- steps
GET /o                          200 MISS
GET /p                          200 MISS
wait 1.1
GET /o                          200 STALE
    = /o #1
origin /o 2
wait 1
GET /p                          200 EXPIRED
    = /p #2
GET /p                          200 HIT
    = /p #2
origin /p 2



=== TEST 2: a fresh item is served, however old
--- store
memory 1m;
--- config eval
"location / {
    cacheback pages 1h;
    cacheback_fetch_on_stale_threshold 100ms;
    $::Origin
}"
--- steps
GET /o                          200 MISS
wait 0.2
GET /o                          200 HIT



=== TEST 3: 0: no stale item is served
--- store
memory 1m;
--- config eval
"location / {
    cacheback pages 300ms;
    cacheback_fetch_on_stale_threshold 0;
    $::Origin
}"
--- steps
GET /o                          200 MISS
wait 0.4
GET /o                          200 EXPIRED
    = /o #2



=== TEST 4: the fetch is conditional, a 304 renews the item
--- store
$TIER
--- config eval
"location / {
    cacheback pages 300ms;
    cacheback_fetch_on_stale_threshold 300ms;
    $::Origin
}"
--- steps
GET /o?etag=a                   200 MISS
wait 0.4
GET /o?etag=a                   200 REVALIDATED
    = /o #1
GET /o?etag=a                   200 HIT
    = /o #1
origin /o 2



=== TEST 5: it ends a stale window that the response names, and does not prolong it
--- store
memory 1m;
--- config eval
"location / {
    cacheback pages;
    cacheback_fetch_on_stale_threshold 1500ms;
    $::Origin
}"
--- steps
GET /long?cc=max-age=1,stale-while-revalidate=60        200 MISS
GET /short?cc=max-age=1,stale-while-revalidate=0        200 MISS
wait 1.1
GET /short?cc=max-age=1,stale-while-revalidate=0        200 EXPIRED
wait 0.6
GET /long?cc=max-age=1,stale-while-revalidate=60        200 EXPIRED
    = /long #2



=== TEST 6: past it and the origin fails: the item, and it is left alone for a lease
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback pages 300ms;
    cacheback_fetch_on_stale_threshold 300ms;
    cacheback_refresh_timeout 1500ms;
    $::Origin
}"
--- steps
GET /o?status=200|503|200       200 MISS
wait 0.4
GET /o?status=200|503|200       200 STALE
    < X-Reason: error
    = /o #1
GET /o?status=200|503|200       200 UPDATING
    <! X-Reason
    = /o #1
origin /o 2
wait 1.6
GET /o?status=200|503|200       200 EXPIRED
    = /o #3



=== TEST 7: a refresh that failed before the threshold keeps the lease past it
--- store
$TIER
--- config eval
"location / {
    cacheback pages 300ms;
    cacheback_fetch_on_stale_threshold 800ms;
    $::Origin
}"
--- steps
GET /o?status=200|503           200 MISS
wait 0.4
GET /o?status=200|503           200 STALE
origin /o 2
wait 0.6
GET /o?status=200|503           200 UPDATING
    = /o #1
origin /o 2



=== TEST 8: where the item may not stand in for an error, a failed refresh keeps nobody from asking
--- store
$TIER
--- config eval
"location / {
    cacheback pages 300ms;
    cacheback_stale_if_error off;
    cacheback_fetch_on_stale_threshold 800ms;
    $::Origin
}"
--- steps
GET /o?status=200|503|200       200 MISS
wait 0.4
GET /o?status=200|503|200       200 STALE
origin /o 2
wait 0.6
GET /o?status=200|503|200       200 EXPIRED
    = /o #3
GET /o?status=200|503|200       200 HIT
    = /o #3
origin /o 3



=== TEST 9: too stale and being fetched: the new answer, when it is there
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback pages 500ms;
    cacheback_fetch_on_stale_threshold 800ms;
    $::Origin
}"
--- steps
GET /o?delay=0|1                200 MISS
wait 0.6
GET /o?delay=0|1                200 STALE
wait 0.4
GET /o?delay=0|1                200 HIT
    < X-Reason: collapsed
    = /o #2
origin /o 2



=== TEST 10: the default is off
--- store
memory 1m;
--- config eval
"location / { cacheback pages 100ms; $::Origin }
location /off/ {
    cacheback pages 100ms;
    cacheback_fetch_on_stale_threshold off;
    $::Origin
}"
--- steps
GET /o                          200 MISS
GET /off/o                      200 MISS
wait 0.5
GET /o                          200 STALE
GET /off/o                      200 STALE



=== TEST 11: inherited, and replaced
--- store
memory 1m;
--- http_config
cacheback_fetch_on_stale_threshold 0;
--- config eval
"location / { cacheback pages 100ms; $::Origin }
location /off/ {
    cacheback pages 100ms;
    cacheback_fetch_on_stale_threshold off;
    $::Origin
}"
--- steps
GET /o                          200 MISS
GET /off/o                      200 MISS
wait 0.2
GET /o                          200 EXPIRED
GET /off/o                      200 STALE



=== TEST 12: a variable; a value that is none is logged, the outer level's counts
--- store
memory 1m;
--- http_config
cacheback_fetch_on_stale_threshold 0;
--- config eval
"location / {
    cacheback pages 100ms;
    cacheback_key \$host\$uri;
    cacheback_fetch_on_stale_threshold \$arg_t;
    $::Origin
}"
--- steps
GET /a                          200 MISS
GET /b                          200 MISS
GET /c                          200 MISS
GET /d                          200 MISS
wait 0.2
GET /a?t=1h                     200 STALE
GET /b?t=off                    200 STALE
GET /c?t=100ms                  200 EXPIRED
GET /d?t=soon                   200 EXPIRED
log invalid value "soon" of "cacheback_fetch_on_stale_threshold", expected "off" or a time such as "30s" or "1h", the outer level's value is used



=== TEST 13: not a time
--- config
location / { cacheback_fetch_on_stale_threshold soon; }
--- refused
invalid value "soon" in "cacheback_fetch_on_stale_threshold", expected "off" or a
time such as "30s" or "1h"



=== TEST 14: an empty value
--- config
location / { cacheback_fetch_on_stale_threshold ""; }
--- refused
invalid value "" in "cacheback_fetch_on_stale_threshold", expected "off" or a time
such as "30s" or "1h"



=== TEST 15: a negative time
--- config
location / { cacheback_fetch_on_stale_threshold -1; }
--- refused
invalid value "-1" in "cacheback_fetch_on_stale_threshold", expected "off" or a
time such as "30s" or "1h"



=== TEST 16: twice
--- config
location / {
    cacheback_fetch_on_stale_threshold 1s;
    cacheback_fetch_on_stale_threshold off;
}
--- refused
"cacheback_fetch_on_stale_threshold" directive is duplicate



=== TEST 17: no argument
--- config
location / { cacheback_fetch_on_stale_threshold; }
--- refused
invalid number of arguments in "cacheback_fetch_on_stale_threshold" directive
