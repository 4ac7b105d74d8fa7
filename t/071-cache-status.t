# cacheback_cache_status: what was done with a request, in the words of RFC 9211.
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';

run_tests_on_each_tier();

__DATA__

=== TEST 1: a miss that is stored, a hit, a stale hit, one that is refreshed
--- store
$TIER
--- config eval
"location / {
    cacheback              pages 2s;
    cacheback_cache_status Example;
    $::Origin
}"
--- steps
GET /o?delay=0|0.5      200 MISS
    <~ Cache-Status: Example; fwd=uri-miss; fwd-status=200; ttl=2; stored; key="http://[^/]+/o\?delay=0\|0.5"
GET /o?delay=0|0.5      200 HIT
    <~ Cache-Status: Example; hit; ttl=[12]; key="http://[^"]+"
wait 2.1
GET /o?delay=0|0.5      200 STALE
    <~ Cache-Status: Example; hit; ttl=-1; key="http://[^"]+"
GET /o?delay=0|0.5      200 UPDATING
    <~ Cache-Status: Example; hit; ttl=-1; key="http://[^"]+"
origin /o 2



=== TEST 2: asked while the client waits: fwd=stale and what the origin said
--- store
$TIER
--- config eval
"location / {
    cacheback              pages 200ms;
    cacheback_fetch_on_stale_threshold 0;
    cacheback_cache_status Example;
    $::Origin
}"
--- steps
GET /o                  200 MISS
GET /e?etag=x           200 MISS
GET /f?status=200|503   200 MISS
wait 0.3
GET /o                  200 EXPIRED
    <~ Cache-Status: Example; fwd=stale; fwd-status=200; ttl=0; stored; key=.*
GET /e?etag=x           200 REVALIDATED
    <~ Cache-Status: Example; fwd=stale; fwd-status=304; ttl=0; stored; key=.*
GET /f?status=200|503   200 STALE
    <~ Cache-Status: Example; fwd=stale; fwd-status=503; ttl=-1; key="[^"]+"; detail=error



=== TEST 3: what is not looked up, and what is not stored
--- store
memory 1m;
--- config eval
"location / {
    cacheback              pages;
    cacheback_bypass       \$arg_bypass;
    cacheback_skip         \$arg_skip;
    cacheback_cache_status Example;
    $::Origin
}"
--- steps
POST /o                 200 BYPASS
    < Cache-Status: Example; fwd=method; fwd-status=200
GET /o?skip=1           200 BYPASS
    < Cache-Status: Example; fwd=bypass; fwd-status=200; detail=skip
GET /o?bypass=1         200 BYPASS
    <~ Cache-Status: Example; fwd=bypass; fwd-status=200; ttl=600; stored; key="[^"]+"
GET /p?cc=no-store      200 MISS
    <~ Cache-Status: Example; fwd=uri-miss; fwd-status=200; key="[^"]+"; detail=no-store
GET /p?cc=no-store      200 MISS
    <~ Cache-Status: Example; fwd=miss; fwd-status=200; key="[^"]+"; detail=uncacheable
HEAD /h                 200 MISS
    <~ Cache-Status: Example; fwd=uri-miss; fwd-status=200; key="[^"]+"; detail=conditional



=== TEST 4: another variant is stored
--- store
$TIER
--- config eval
"location / {
    cacheback              pages;
    cacheback_cache_status Example;
    $::Origin
}"
--- steps
GET /o?h=Vary:Accept-Language       200 MISS
    > Accept-Language: en
    <~ Cache-Status: .*fwd=uri-miss.*
GET /o?h=Vary:Accept-Language       200 MISS
    > Accept-Language: de
    <~ Cache-Status: Example; fwd=vary-miss; fwd-status=200; ttl=600; stored; key="[^"]+"



=== TEST 5: behind those of the caches before us, and in no entry
--- store
$TIER
--- config eval
"location / {
    cacheback              pages;
    cacheback_cache_status 'CDN Company Here';
    $::Origin
}"
--- steps
GET /o?h=Cache-Status:OriginCache%3B%20hit%3B%20ttl%3D1100  200 MISS
    <~ Cache-Status: OriginCache; hit; ttl=1100, "CDN Company Here"; fwd=uri-miss.*
GET /o?h=Cache-Status:OriginCache%3B%20hit%3B%20ttl%3D1100  200 HIT
    <~ Cache-Status: OriginCache; hit; ttl=1100, "CDN Company Here"; hit; ttl=\d+; key="[^"]+"
GET /e?etag=x&h=Cache-Status:OriginCache&max_age=1          200 MISS
wait 1.1
GET /e?etag=x&h=Cache-Status:OriginCache&max_age=1          200 STALE
origin /e 2
GET /e?etag=x&h=Cache-Status:OriginCache&max_age=1          200 HIT
    <~ Cache-Status: OriginCache, "CDN Company Here"; hit; ttl=\d+; key="[^"]+"



=== TEST 6: once, also where nginx's filters answer 304, 206, 412 or 416
--- store
memory 1m;
--- config eval
"location / {
    cacheback              pages;
    cacheback_cache_status Example;
    $::Origin
}"
--- steps
GET /o?etag=x           200 MISS
GET /o?etag=x           304 HIT
    > If-None-Match: "x"
    <~ Cache-Status: Example; hit; ttl=\d+; key="[^"]+"
GET /o?etag=x           206 HIT
    > Range: bytes=0-1
    <~ Cache-Status: Example; hit; ttl=\d+; key="[^"]+"
GET /o?etag=x           412 HIT
    > If-Match: "y"
    <~ Cache-Status: Example; hit; ttl=\d+; key="[^"]+"
GET /o?etag=x           416
    > Range: bytes=999-
    <~ Cache-Status: Example; hit; ttl=\d+; key="[^"]+"



=== TEST 7: who waited for somebody else's fetch, or would have
--- store
$TIER
--- config eval
"location / {
    cacheback              pages;
    cacheback_cache_status Example;
    $::Origin
}
location /impatient/ {
    cacheback              pages;
    cacheback_lock         200ms;
    cacheback_cache_status Example;
    $::Origin
}"
--- steps
HEAD /o?delay=0|0.4             200 MISS
GET /o?delay=0|0.4              200 HIT
    <~ Cache-Status: Example; fwd=uri-miss; ttl=(600|599); stored; collapsed; key="[^"]+"
HEAD /impatient/o?delay=0|1|0   200 MISS
GET /impatient/o?delay=0|1|0    200 MISS
    <~ Cache-Status: Example; fwd=uri-miss; fwd-status=200; collapsed=\?0; key="[^"]+"
origin /impatient/o 3



=== TEST 8: neither hit nor forwarded: the empty answer; PURGE is no use of it
--- store
memory 1m;
--- config eval
"location / {
    cacheback               pages;
    cacheback_fetch_on_miss off;
    cacheback_purge         1;
    cacheback_cache_status  Example;
    $::Origin
}"
--- steps
GET /o                  503 EMPTY
    <~ Cache-Status: Example; key="[^"]+"; detail=empty
origin /o 1
PURGE /o                204
    <! Cache-Status



=== TEST 9: a key cannot end the field
--- store
memory 1m;
--- config eval
"location / {
    cacheback              pages;
    cacheback_key          '\$uri';
    cacheback_cache_status Example;
    $::Origin
}"
--- steps
GET /o%22,%20b%5C%C3%A9%0D%0A       200 MISS
    < Cache-Status: Example; fwd=uri-miss; fwd-status=200; ttl=600; stored; key="/o\", b\\%C3%A9%0D%0A"



=== TEST 10: off by default, inherited, and off again; no look-up, no word
--- store
memory 1m;
--- config eval
"location / { cacheback pages; $::Origin }
location /on/ {
    cacheback              pages;
    cacheback_cache_status '\"in quotes\"';
    $::Origin
    location /on/off/ { cacheback_cache_status off; $::Origin }
    location /on/none/ { cacheback off; $::Origin }
    location /on/return/ { return 200; }
}"
--- steps
GET /o                  200 MISS
    <! Cache-Status
GET /on/o               200 MISS
    <~ Cache-Status: "in quotes"; fwd=.*
GET /on/off/o           200 MISS
    <! Cache-Status
GET /on/none/o          200
    <! Cache-Status
GET /on/return/         200
    <! Cache-Status



=== TEST 11: bad: neither a token nor a string
--- config
cacheback_cache_status "café";
--- refused
invalid name "café" in "cacheback_cache_status", expected "off", a token such as "ExampleCache" or a text of printable ASCII



=== TEST 12: bad: a quote that does not close
--- config
cacheback_cache_status '"open';
--- refused
invalid name ""open" in "cacheback_cache_status", expected "off", a token such as "ExampleCache" or a text of printable ASCII



=== TEST 13: bad: twice
--- config
cacheback_cache_status a;
cacheback_cache_status off;
--- refused
"cacheback_cache_status" directive is duplicate



=== TEST 14: a fresh item that the request does not take, in policy rfc9111
--- store
$TIER
--- config eval
"location / {
    cacheback              pages;
    cacheback_policy       rfc9111;
    cacheback_cache_status Example;
    $::Origin
}"
--- steps
GET /o?max_age=60                       200 MISS
GET /o?max_age=60                       200 EXPIRED
    > Cache-Control: no-cache
    <~ Cache-Status: Example; fwd=request; fwd-status=200; ttl=60; stored; key="[^"]+"
GET /e?max_age=60&etag=a                200 MISS
GET /e?max_age=60&etag=a                200 REVALIDATED
    > Cache-Control: min-fresh=100
    <~ Cache-Status: Example; fwd=request; fwd-status=304; ttl=\d+; stored; key="[^"]+"
GET /s?cc=no-cache,max-age=60&etag=a    200 MISS
GET /s?cc=no-cache,max-age=60&etag=a    200 REVALIDATED
    > Cache-Control: no-cache
    <~ Cache-Status: Example; fwd=stale; fwd-status=304; ttl=0; stored; key="[^"]+"



=== TEST 15: who waited for a stale item to be fetched would have gone on for that
--- store
$TIER
--- config eval
"location / {
    cacheback              pages 200ms;
    cacheback_fetch_on_stale_threshold 0;
    cacheback_cache_status Example;
    $::Origin
}"
--- steps
GET /o?delay=0|0.4              200 MISS
wait 0.3
HEAD /o?delay=0|0.4             200 EXPIRED
GET /o?delay=0|0.4              200 HIT
    <~ Cache-Status: Example; fwd=stale; ttl=(-1|0); stored; collapsed; key="[^"]+"
