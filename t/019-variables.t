# The variables, in every status. What a variable does not know is empty, so
# add_header does not send it.
use lib 't/lib';
use CachebackTest;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-Key $cacheback_key always;
    add_header X-Tier $cacheback_tier always;
    add_header X-Age $cacheback_age always;
    add_header X-Ttl $cacheback_ttl always;
    add_header X-Reason $cacheback_reason always;
    add_header X-Refresh $cacheback_refresh always;
    cacheback_key $host:$uri;';

run_tests();

__DATA__

=== TEST 1: outside of cacheback they are empty
--- store
memory 1m;
--- http_config eval: $::Shown
--- config
location / {
    return 200 "[$cacheback_status$cacheback_key$cacheback_tier$cacheback_age$cacheback_ttl$cacheback_reason$cacheback_refresh]";
}
--- steps
GET /o              200
    == []
    <! X-Cache
    <! X-Key



=== TEST 2: a configuration without any store has them, too
--- config
location / {
    return 200 "[$cacheback_status$cacheback_key$cacheback_tier$cacheback_age$cacheback_ttl$cacheback_reason$cacheback_refresh]";
}
--- steps
GET /o              200
    == []



=== TEST 3: before the look-up they are empty
--- store
memory 1m;
--- config eval
'location / {
    set $early "[$cacheback_status$cacheback_key$cacheback_tier$cacheback_reason]";
    add_header X-Early $early always;
    add_header X-Late $cacheback_status always;
    cacheback pages;
    ' . $::Origin . '
}'
--- steps
GET /o              200
    < X-Early: []
    < X-Late: MISS



=== TEST 4: MISS
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o              200 MISS
    <~ X-Key: \S+:/o
    <! X-Tier
    <! X-Age
    <! X-Ttl
    <! X-Reason
    <! X-Refresh



=== TEST 5: MISS, and why it is not stored
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?cc=private   200 MISS
    <~ X-Key: \S+:/o
    < X-Reason: private
    <! X-Tier
    <! X-Age
    <! X-Ttl
GET /o?cc=private   200 MISS
    < X-Reason: uncacheable



=== TEST 6: HIT from memory
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?max_age=60&h=Age:10      200 MISS
GET /o?max_age=60&h=Age:10      200 HIT
    <~ X-Key: \S+:/o
    < X-Tier: memory
    <~ X-Age: 1[01]
    <~ X-Ttl: (50|4\d)
    <! X-Reason
    <! X-Refresh



=== TEST 7: HIT from Redis
--- store
memory off;
redis  redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?max_age=60   200 MISS
    <! X-Tier
GET /o?max_age=60   200 HIT
    <~ X-Key: \S+:/o
    < X-Tier: redis
    <~ X-Age: [01]
    <~ X-Ttl: (60|5\d)
    <! X-Reason



=== TEST 8: STALE and UPDATING: a negative ttl
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?max_age=1&delay=0|1      200 MISS
wait 1.1
GET /o?max_age=1&delay=0|1      200 STALE
    <~ X-Key: \S+:/o
    < X-Tier: memory
    <~ X-Age: [12]
    <~ X-Ttl: -[12]
    <! X-Reason
    <! X-Refresh
GET /o?max_age=1&delay=0|1      200 UPDATING
    <~ X-Key: \S+:/o
    < X-Tier: memory
    <~ X-Age: [12]
    <~ X-Ttl: -[12]
    <! X-Refresh
origin /o 2



=== TEST 9: EXPIRED: age and ttl are those of the item that was there
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?cc=max-age=1,must-revalidate     200 MISS
wait 1.1
GET /o?cc=max-age=1,must-revalidate     200 EXPIRED
    = /o #2
    <~ X-Key: \S+:/o
    <! X-Tier
    <~ X-Age: [12]
    <~ X-Ttl: -[12]



=== TEST 10: REVALIDATED: age and ttl are those of the renewed item
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?cc=max-age=100,no-cache&etag=a   200 MISS
GET /o?cc=max-age=100,no-cache&etag=a   200 REVALIDATED
    <~ X-Key: \S+:/o
    < X-Tier: memory
    < X-Age: 0
    <! X-Reason



=== TEST 11: BYPASS: a reason, and no key where nothing was looked up
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / { cacheback pages; cacheback_skip $arg_skip; ' . $::Origin . ' }'
--- steps
POST /o             200 BYPASS
    >> a body
    < X-Reason: method
    <! X-Key
    <! X-Tier
    <! X-Age
    <! X-Ttl
GET /o              200 BYPASS
    >> a body
    < X-Reason: body
GET /o              200 BYPASS
    > Authorization: Basic bWU6bWU=
    < X-Reason: authorization
GET /o?skip=1       200 BYPASS
    < X-Reason: skip



=== TEST 12: HEAD, ranges and conditions that miss: conditional
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
HEAD /o             200 MISS
    <~ X-Key: \S+:/o
    < X-Reason: conditional
origin /o 2
GET /o              200 HIT
    <! X-Reason



=== TEST 13: Redis that cannot be reached: redis
--- store
memory off;
redis  redis://127.0.0.1:$TEST_NGINX_CLOSED_PORT;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- errors
--- steps
GET /o              200 MISS
    < X-Reason: redis
    <! X-Tier



=== TEST 14: $cacheback_refresh is 1 in a background fetch only
--- store
memory 1m;
--- config eval
'location / {
    cacheback        pages;
    proxy_set_header X-In-Background "[$cacheback_refresh]";
    ' . $::Origin . '
}'
--- steps
GET /o?max_age=1    200 MISS
fields /o
    ~ ^X-In-Background: \[\]$
wait 1.1
GET /o?max_age=1    200 STALE
origin /o 2
fields /o
    ~ ^X-In-Background: \[1\]$



=== TEST 15: in the access log, after the answer
--- store
memory 1m;
--- http_config
log_format cacheback "said $cacheback_status $cacheback_tier $cacheback_key";
--- config eval
'location / {
    cacheback     pages;
    cacheback_key $host:$uri;
    access_log    logs/error.log cacheback;
    ' . $::Origin . '
}'
--- steps
GET /o              200 MISS
GET /o              200 HIT
log ^said MISS - \S+:/o$ 1
log ^said HIT memory \S+:/o$ 1



=== TEST 16: what nobody knows is no variable
--- config
location / { return 200 $cacheback_stauts; }
--- must_die
--- error_log eval
qr{\[emerg\] .*unknown "cacheback_stauts" variable}
