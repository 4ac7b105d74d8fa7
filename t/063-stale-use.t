# Stale use in policy rfc9111: where RFC 9111 4.2.4 and RFC 5861 allow it, and
# nowhere else; and who waits for whom.
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Rfc = "location / { cacheback pages; cacheback_policy rfc9111; $Origin }";

run_tests_on_each_tier();

__DATA__

=== TEST 1: without a word of the origin nothing is served stale (4.2.4)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=1                200 MISS
wait 1.1
GET /o?max_age=1                200 EXPIRED
    = /o #2
GET /o?max_age=1                200 HIT
    = /o #2



=== TEST 2: stale-while-revalidate is a window (RFC 5861 3)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=max-age=1,stale-while-revalidate=60       200 MISS
GET /w?cc=max-age=1,stale-while-revalidate=1        200 MISS
wait 1.1
GET /o?cc=max-age=1,stale-while-revalidate=60       200 STALE
    = /o #1
origin /o 2
GET /o?cc=max-age=1,stale-while-revalidate=60       200 HIT
    = /o #2
wait 1
GET /w?cc=max-age=1,stale-while-revalidate=1        200 EXPIRED
    = /w #2



=== TEST 3: these words forbid it, also beside a window (4.2.4)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /a?cc=max-age=1,stale-while-revalidate=60,must-revalidate       200 MISS
GET /b?cc=max-age=1,stale-while-revalidate=60,proxy-revalidate      200 MISS
GET /c?cc=s-maxage=1,stale-while-revalidate=60                      200 MISS
GET /d?cc=max-age=60,stale-while-revalidate=60,no-cache&etag=a      200 MISS
wait 1.1
GET /a?cc=max-age=1,stale-while-revalidate=60,must-revalidate       200 EXPIRED
GET /b?cc=max-age=1,stale-while-revalidate=60,proxy-revalidate      200 EXPIRED
GET /c?cc=s-maxage=1,stale-while-revalidate=60                      200 EXPIRED
GET /d?cc=max-age=60,stale-while-revalidate=60,no-cache&etag=a      200 REVALIDATED



=== TEST 4: the origin away is reason enough, unless forbidden (4.2.4, 4.3.3)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=1&reset=0|1                          200 MISS
GET /e?max_age=1&status=200|503                     200 MISS
GET /m?cc=max-age=1,must-revalidate&reset=0|1       200 MISS
GET /p?cc=max-age=1,proxy-revalidate&reset=0|1      200 MISS
GET /s?cc=s-maxage=1&reset=0|1                      200 MISS
GET /n?cc=no-cache&etag=a&reset=0|1                 200 MISS
wait 1.1
GET /o?max_age=1&reset=0|1                          200 STALE
    = /o #1
GET /e?max_age=1&status=200|503                     200 STALE
    = /e #1
GET /m?cc=max-age=1,must-revalidate&reset=0|1       502 EXPIRED
GET /p?cc=max-age=1,proxy-revalidate&reset=0|1      502 EXPIRED
GET /s?cc=s-maxage=1&reset=0|1                      502 EXPIRED
GET /n?cc=no-cache&etag=a&reset=0|1                 502 EXPIRED
--- errors



=== TEST 5: stale-if-error is a window of its own (RFC 5861 4)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /in?cc=max-age=1,stale-if-error=60&status=200|503       200 MISS
GET /out?cc=max-age=1,stale-if-error=0&status=200|503       200 MISS
GET /both?cc=max-age=1,stale-while-revalidate=1,stale-if-error=60&status=200|503    200 MISS
wait 2.2
GET /in?cc=max-age=1,stale-if-error=60&status=200|503       200 STALE
GET /out?cc=max-age=1,stale-if-error=0&status=200|503       503 EXPIRED
GET /both?cc=max-age=1,stale-while-revalidate=1,stale-if-error=60&status=200|503    200 STALE



=== TEST 6: cacheback_stale_if_error bounds it where the origin does not
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_policy rfc9111;
    cacheback_stale_if_error off; $::Origin }"
--- steps
GET /o?cc=max-age=1|no-store&status=200|503     200 MISS
wait 1.1
GET /o?cc=max-age=1|no-store&status=200|503     503 EXPIRED



=== TEST 7: past all windows an item is still there to be validated (4.3)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=max-age=1,stale-if-error=0&etag=a     200 MISS
wait 1.1
GET /o?cc=max-age=1,stale-if-error=0&etag=a     200 REVALIDATED
    = /o #1



=== TEST 8: waiters of a fresh answer share it
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_policy rfc9111; $::Origin }
location /many { content_by_lua_block {
    local a, b, c = ngx.location.capture_multi {
        { '/out?' .. ngx.var.args }, { '/out?' .. ngx.var.args },
        { '/out?' .. ngx.var.args } }
    ngx.print(a.body, b.body, c.body) } }
location /out { proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/o?\$args;
    proxy_set_header Host \$host; }"
--- steps
GET /many?max_age=60&delay=0.3          200
    = /o #1
    = /o #1
    = /o #1



=== TEST 9: waiters of what is for one only ask for themselves, and not in a row (4)
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_policy rfc9111; $::Origin }
location /many { content_by_lua_block {
    local all = {}
    for i = 1, 6 do all[i] = { '/out?' .. ngx.var.args } end
    local answers = { ngx.location.capture_multi(all) }
    for i = 1, 6 do all[i] = answers[i].body end
    table.sort(all)
    ngx.print(table.concat(all)) } }
location /out { proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/o?\$args;
    proxy_set_header Host \$host; }"
--- steps
GET /many?cc=no-cache&etag=a|b|c|d|e|f&delay=0.4     200
    = /o #1
    = /o #2
    = /o #3
    = /o #4
    = /o #5
    = /o #6
    within 1.1



=== TEST 10: nor do those wait who find that it always is for one only
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_policy rfc9111; $::Origin }
location /many { content_by_lua_block {
    local a, b = ngx.location.capture_multi {
        { '/out?' .. ngx.var.args }, { '/out?' .. ngx.var.args } }
    ngx.print(a.body, b.body) } }
location /out { proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/o?\$args;
    proxy_set_header Host \$host; }"
--- steps
GET /o?cc=no-cache&etag=a&delay=0|0.8           200 MISS
GET /many?cc=no-cache&etag=a&delay=0|0.8        200
    ~ /o #1
    ~ /o #[23]
    within 1.4



=== TEST 11: who comes with Authorization does not wait
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_policy rfc9111; $::Origin }
location /many { content_by_lua_block {
    local a, b, c = ngx.location.capture_multi {
        { '/out?' .. ngx.var.args }, { '/out?' .. ngx.var.args },
        { '/out?' .. ngx.var.args } }
    local all = { a.body, b.body, c.body }
    table.sort(all)
    ngx.print(table.concat(all)) } }
location /out { proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/o?\$args;
    proxy_set_header Host \$host; proxy_set_header Authorization x; }"
--- steps
GET /many?max_age=60&delay=0.5      200
    = /o #1
    = /o #2
    = /o #3
    within 0.9



=== TEST 12: policy cacheback: those who waited have it, be it stale at once
--- store
$TIER
--- config eval
"location / { cacheback pages; $::Origin }
location /many { content_by_lua_block {
    local a, b = ngx.location.capture_multi {
        { '/out?' .. ngx.var.args }, { '/out?' .. ngx.var.args } }
    ngx.print(a.body, b.body) } }
location /out { proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/o?\$args;
    proxy_set_header Host \$host; }"
--- steps
GET /many?cc=no-cache&etag=a&delay=0.4      200
    = /o #1
    = /o #1



=== TEST 13: a background refresh that finds it unstorable takes it away
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=max-age=1,stale-while-revalidate=60|no-store      200 MISS
wait 1.1
GET /o?cc=max-age=1,stale-while-revalidate=60|no-store      200 STALE
origin /o 2
GET /o?cc=max-age=1,stale-while-revalidate=60|no-store      200 MISS
    = /o #3



=== TEST 14: the operator's threshold holds over a window
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_policy rfc9111;
    cacheback_fetch_on_stale_threshold 2s; $::Origin }"
--- steps
GET /o?cc=max-age=1,stale-while-revalidate=60       200 MISS
wait 1.1
GET /o?cc=max-age=1,stale-while-revalidate=60       200 STALE
origin /o 2
wait 2.2
GET /o?cc=max-age=1,stale-while-revalidate=60       200 EXPIRED
    = /o #3
GET /o?cc=max-age=1,stale-while-revalidate=60       200 HIT
