# cacheback_min_lifetime and cacheback_max_lifetime: bounds of what responses
# name. cacheback_uncacheable_ttl: how long an item stays known as unstorable.
use lib 't/lib';
use CachebackTest;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-TTL $cacheback_ttl always;
    add_header X-Reason $cacheback_reason always;';

run_tests();

__DATA__

=== TEST 1: a longer lifetime is cut, a shorter one lifted, the others stay
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback              pages 1000s;
    cacheback_min_lifetime 100s;
    cacheback_max_lifetime 200s;
    $::Origin
}"
--- steps
GET /long?max_age=5000      200 MISS
GET /long?max_age=5000      200 HIT
    <~ X-TTL: 200|199
GET /short?max_age=5        200 MISS
GET /short?max_age=5        200 HIT
    <~ X-TTL: 100|99
GET /mid?max_age=150        200 MISS
GET /mid?max_age=150        200 HIT
    <~ X-TTL: 150|149
GET /none                   200 MISS
GET /none                   200 HIT
    <~ X-TTL: 1000|999
GET /accel?h=X-Accel-Expires:5000   200 MISS
GET /accel?h=X-Accel-Expires:5000   200 HIT
    <~ X-TTL: 200|199



=== TEST 2: a named 0 is lifted; without the bound it is not stored
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"cacheback pages;
location / { $::Origin }
location /min/ { cacheback_min_lifetime 100s; $::Origin }"
--- steps
GET /o?max_age=0                200 MISS
    < X-Reason: zero-lifetime
GET /min/o?max_age=0            200 MISS
    <! X-Reason
GET /min/o?max_age=0            200 HIT
    <~ X-TTL: 100|99
GET /min/e?h=Expires:0          200 MISS
GET /min/e?h=Expires:0          200 HIT



=== TEST 3: no bound overrides a prohibition
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_min_lifetime 100s; $::Origin }"
--- steps
GET /a?cc=no-store                  200 MISS
    < X-Reason: no-store
GET /b?cc=private,max-age=5         200 MISS
    < X-Reason: private
GET /c?cc=no-cache,max-age=5        200 MISS
    < X-Reason: zero-lifetime
GET /d?h=X-Accel-Expires:0          200 MISS
    < X-Reason: zero-lifetime



=== TEST 4: an Age that came along is within the bounds
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback              pages;
    cacheback_min_lifetime 60s;
    cacheback_max_lifetime 300s;
    $::Origin
}"
--- steps
GET /a?max_age=7200&h=Age:7190      200 MISS
GET /a?max_age=7200&h=Age:7190      200 HIT
    <~ X-TTL: 60|59
GET /b?max_age=7200&h=Age:3600      200 MISS
GET /b?max_age=7200&h=Age:3600      200 HIT
    <~ X-TTL: 300|299



=== TEST 5: the upper bound makes an item stale, as its own lifetime would
--- store
memory 1m;
--- config eval
"location / { cacheback pages; cacheback_max_lifetime 1s; $::Origin }"
--- steps
GET /o?max_age=100      200 MISS
GET /o?max_age=100      200 HIT
wait 1.1
GET /o?max_age=100      200 STALE
origin /o 2
GET /o?max_age=100      200 HIT
    = /o #2



=== TEST 6: a 304 renews within the bounds
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_min_lifetime 1s; $::Origin }"
--- steps
GET /o?cc=max-age=0&etag=a      200 MISS
wait 1.1
GET /o?cc=max-age=0&etag=a      200 STALE
origin /o 2
GET /o?cc=max-age=0&etag=a      200 HIT
    = /o #1



=== TEST 7: where they cross, the upper bound holds
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback              pages;
    cacheback_min_lifetime 300s;
    cacheback_max_lifetime 200s;
    $::Origin
}"
--- steps
GET /o?max_age=5    200 MISS
GET /o?max_age=5    200 HIT
    <~ X-TTL: 200|199



=== TEST 8: inherited, replaced, off, and by variable
--- store
memory 1m;
--- http_config eval
"$::Shown
cacheback_max_lifetime 200s;"
--- config eval
'cacheback pages;
location / { ' . $::Origin . ' }
location /own/ { cacheback_max_lifetime 90s; ' . $::Origin . ' }
location /off/ { cacheback_max_lifetime off; ' . $::Origin . ' }
location /var/ { cacheback_max_lifetime $arg_most; ' . $::Origin . ' }'
--- steps
GET /o?max_age=500                  200 MISS
GET /o?max_age=500                  200 HIT
    <~ X-TTL: 200|199
GET /own/o?max_age=500              200 MISS
GET /own/o?max_age=500              200 HIT
    <~ X-TTL: 90|89
GET /off/o?max_age=500              200 MISS
GET /off/o?max_age=500              200 HIT
    <~ X-TTL: 500|499
GET /var/o?max_age=500&most=50s     200 MISS
GET /var/o?max_age=500&most=50s     200 HIT
    <~ X-TTL: 50|49
GET /var/o?max_age=500&most=much    200 MISS
GET /var/o?max_age=500&most=much    200 HIT
    <~ X-TTL: 200|199
log invalid.value."much".of."cacheback_max_lifetime"



=== TEST 9: bad: no time
--- config
cacheback_min_lifetime soon;
--- refused
invalid value "soon" in "cacheback_min_lifetime", expected "off" or a time
such as "30s" or "1h"



=== TEST 10: bad: twice
--- config
cacheback_max_lifetime 1s;
cacheback_max_lifetime 2s;
--- refused
"cacheback_max_lifetime" directive is duplicate



=== TEST 11: bad: two times
--- config
cacheback_max_lifetime 1s 2s;
--- refused
invalid number of arguments in "cacheback_max_lifetime" directive



=== TEST 12: an item known as unstorable is tried again after its time
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_uncacheable_ttl 500ms; $::Origin }"
--- steps
GET /o?cc=no-store|no-store|max-age=9   200 MISS
    < X-Reason: no-store
GET /o?cc=no-store|no-store|max-age=9   200 MISS
    < X-Reason: uncacheable
wait 0.6
GET /o?cc=no-store|no-store|max-age=9   200 MISS
    <! X-Reason
GET /o?cc=no-store|no-store|max-age=9   200 HIT



=== TEST 13: 0: nothing is remembered; inherited and replaced
--- store
memory 1m;
--- http_config eval
"$::Shown
cacheback_uncacheable_ttl 0;"
--- config eval
"cacheback pages;
location / { $::Origin }
location /long/ { cacheback_uncacheable_ttl 1h; $::Origin }"
--- steps
GET /o?cc=no-store          200 MISS
    < X-Reason: no-store
GET /o?cc=no-store          200 MISS
    < X-Reason: no-store
GET /long/o?cc=no-store     200 MISS
    < X-Reason: no-store
GET /long/o?cc=no-store     200 MISS
    < X-Reason: uncacheable



=== TEST 14: also when a background fetch finds out
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_uncacheable_ttl 500ms; $::Origin }"
--- steps
GET /o?cc=max-age=1|no-store    200 MISS
wait 1.1
GET /o?cc=max-age=1|no-store    200 STALE
origin /o 2
GET /o?cc=max-age=1|no-store    200 MISS
    < X-Reason: uncacheable
wait 0.6
GET /o?cc=max-age=1|no-store    200 MISS
    < X-Reason: no-store



=== TEST 15: bad: no time
--- config
cacheback_uncacheable_ttl off;
--- refused
invalid value "off" in "cacheback_uncacheable_ttl", expected a time such as
"30s" or "1h"



=== TEST 16: bad: twice
--- config
cacheback_uncacheable_ttl 1s;
cacheback_uncacheable_ttl 1s;
--- refused
"cacheback_uncacheable_ttl" directive is duplicate
