# cacheback_ttl: when an item is gone. cacheback_refresh_timeout: how long a
# refresh may take, and how long a failed one keeps the next away.
use lib 't/lib';
use CachebackTest;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-Reason $cacheback_reason always;
    add_header X-Tier $cacheback_tier always;';

run_tests();

__DATA__

=== TEST 1: cacheback_ttl: then the item is gone, however stale it might be served
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages 1s; cacheback_ttl 2s; $::Origin }"
--- steps
GET /o              200 MISS
GET /p              200 MISS
wait 1.1
GET /o              200 STALE
    = /o #1
origin /o 2
wait 1
GET /p              200 MISS
    = /p #2
GET /o              200
    = /o #2



=== TEST 2: cacheback_ttl ends a longer freshness, too
--- store
memory 1m;
--- config eval
"location / { cacheback pages 1h; cacheback_ttl 1s; $::Origin }"
--- steps
GET /o?max_age=1000     200 MISS
GET /o?max_age=1000     200 HIT
wait 1.1
GET /o?max_age=1000     200 MISS
    = /o #2



=== TEST 3: the default is 30 days
--- store
memory off;
redis redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- config eval
"location / { cacheback pages 1s; cacheback_key same; $::Origin }"
--- steps
GET /o              200 MISS
GET /o              200 HIT
redis TTL %{51037a4a37730f52c8732586d3aaa316} => 2592000



=== TEST 4: Redis forgets the item at the same time
--- store
memory off;
redis  redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- config eval
"location / { cacheback pages 1m; cacheback_ttl 1s; cacheback_key same; $::Origin }"
--- steps
GET /o              200 MISS
GET /o              200 HIT
wait 1.1
redis EXISTS %{51037a4a37730f52c8732586d3aaa316} => 0
GET /o              200 MISS



=== TEST 5: cacheback_ttl 0: everything is gone at once
--- store
memory 1m;
redis  redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- config eval
"location / { cacheback pages 1m; cacheback_ttl 0; $::Origin }"
--- steps
GET /o              200 MISS
GET /o              200 MISS
    = /o #2



=== TEST 6: a smaller cacheback_ttl holds for what is stored already
--- store
memory 1m;
--- config eval
"cacheback_key \$host;
location / { cacheback pages 1m; $::Origin }
location /short/ { cacheback pages 1m; cacheback_ttl 1s; $::Origin }"
--- steps
GET /o              200 MISS
wait 1.1
GET /o              200 HIT
    = /o #1
GET /short/o        200 MISS
    = /short/o #1



=== TEST 7: cacheback_ttl is inherited, and replaced
--- store
memory 1m;
--- http_config
cacheback_ttl 1s;
--- config eval
"location / { cacheback pages 1m; $::Origin }
location /long/ { cacheback pages 1m; cacheback_ttl 1h; $::Origin }"
--- steps
GET /o              200 MISS
GET /long/o         200 MISS
wait 1.1
GET /o              200 MISS
GET /long/o         200 HIT



=== TEST 8: cacheback_ttl with variables
--- store
memory 1m;
--- config eval
'location / { cacheback pages 1m; cacheback_ttl $arg_ttl; ' . $::Origin . ' }'
--- steps
GET /o?ttl=1s       200 MISS
GET /p?ttl=1h       200 MISS
wait 1.1
GET /o?ttl=1s       200 MISS
GET /p?ttl=1h       200 HIT



=== TEST 9: a bad value of cacheback_ttl: the outer level's is used, and the log says it
--- store
memory 1m;
--- http_config
cacheback_ttl 1s;
--- config eval
'location / { cacheback pages 1m; cacheback_ttl $arg_ttl; ' . $::Origin . ' }'
--- steps
GET /o?ttl=never    200 MISS
GET /o?ttl=never    200 HIT
wait 1.1
GET /o?ttl=never    200 MISS
log \[warn\] .*cacheback: invalid value "never" of "cacheback_ttl", expected a time such as "30s" or "1h", the outer level's value is used



=== TEST 10: cacheback_ttl: no time
--- config
location / { cacheback_ttl long; }
--- refused
invalid value "long" in "cacheback_ttl", expected a time such as "30s" or "1h"



=== TEST 11: cacheback_ttl: empty
--- config
location / { cacheback_ttl ""; }
--- refused
invalid value "" in "cacheback_ttl", expected a time such as "30s" or "1h"



=== TEST 12: cacheback_ttl: twice
--- config
location / { cacheback_ttl 1s; cacheback_ttl 2s; }
--- refused
"cacheback_ttl" directive is duplicate



=== TEST 13: cacheback_ttl: two arguments
--- config
location / { cacheback_ttl 1d 2h; }
--- refused
invalid number of arguments in "cacheback_ttl" directive



=== TEST 14: cacheback_refresh_timeout: a refresh that takes longer is ended
--- store
memory 1m;
--- config eval
"location / {
    cacheback                 pages 1s;
    cacheback_refresh_timeout 300ms;
    $::Origin
}"
--- errors
--- steps
GET /o?delay=0|1.2|0    200 MISS
wait 1.1
GET /o?delay=0|1.2|0    200 STALE
GET /o?delay=0|1.2|0    200 UPDATING
    = /o #1
wait 0.6
GET /o?delay=0|1.2|0    200 STALE
    = /o #1
origin /o 3
GET /o?delay=0|1.2|0    200 HIT
    = /o #3



=== TEST 15: cacheback_refresh_timeout: a failure keeps the lease, then the next one tries
--- store
memory 1m;
--- config eval
"location / {
    cacheback                 pages 1s;
    cacheback_refresh_timeout 1s;
    $::Origin
}"
--- steps
GET /o?status=200|500|200   200 MISS
wait 1.1
GET /o?status=200|500|200   200 STALE
origin /o 2
GET /o?status=200|500|200   200 UPDATING
GET /o?status=200|500|200   200 UPDATING
    = /o #1
origin /o 2
wait 1
GET /o?status=200|500|200   200 STALE
origin /o 3
GET /o?status=200|500|200   200 HIT
    = /o #3



=== TEST 16: a stored result gives the lease back at once
--- store
memory 1m;
--- config eval
"location / { cacheback pages 1s; cacheback_refresh_timeout 1h; $::Origin }"
--- steps
GET /o              200 MISS
wait 1.1
GET /o              200 STALE
origin /o 2
wait 1.1
GET /o              200 STALE
    = /o #2
origin /o 3



=== TEST 17: cacheback_refresh_timeout: the default keeps a failed refresh away for long
--- store
memory 1m;
--- config eval
"location / { cacheback pages 1s; $::Origin }"
--- steps
GET /o?status=200|500   200 MISS
wait 1.1
GET /o?status=200|500   200 STALE
origin /o 2
wait 1
GET /o?status=200|500   200 UPDATING
origin /o 2



=== TEST 18: cacheback_refresh_timeout is inherited, and replaced
--- store
memory 1m;
--- http_config
cacheback_refresh_timeout 1s;
--- config eval
"location / { cacheback pages 1s; $::Origin }
location /long/ { cacheback pages 1s; cacheback_refresh_timeout 1h; $::Origin }"
--- steps
GET /o?status=200|500       200 MISS
GET /long/o?status=200|500  200 MISS
wait 1.1
GET /o?status=200|500       200 STALE
GET /long/o?status=200|500  200 STALE
origin /o 2
origin /long/o 2
wait 1.1
GET /o?status=200|500       200 STALE
GET /long/o?status=200|500  200 UPDATING



=== TEST 19: cacheback_refresh_timeout with variables
--- store
memory 1m;
--- config eval
'location / {
    cacheback                 pages 1s;
    cacheback_refresh_timeout $arg_lease;
    ' . $::Origin . '
}'
--- steps
GET /o?lease=1s&status=200|500  200 MISS
GET /p?lease=1h&status=200|500  200 MISS
wait 1.1
GET /o?lease=1s&status=200|500  200 STALE
GET /p?lease=1h&status=200|500  200 STALE
origin /o 2
origin /p 2
wait 1.1
GET /o?lease=1s&status=200|500  200 STALE
GET /p?lease=1h&status=200|500  200 UPDATING



=== TEST 20: bad values of cacheback_refresh_timeout: the outer level's is used
--- store
memory 1m;
--- http_config
cacheback_refresh_timeout 1h;
--- config eval
'location / {
    cacheback                 pages 1s;
    cacheback_refresh_timeout $arg_lease;
    ' . $::Origin . '
}'
--- steps
GET /o?lease=x&status=200|500   200 MISS
GET /p?lease=0&status=200|500   200 MISS
wait 1.1
GET /o?lease=x&status=200|500   200 STALE
GET /p?lease=0&status=200|500   200 STALE
origin /o 2
origin /p 2
GET /o?lease=x&status=200|500   200 UPDATING
GET /p?lease=0&status=200|500   200 UPDATING
log \[warn\] .*cacheback: invalid value "x" of "cacheback_refresh_timeout", expected a time such as "30s" or "1h", the outer level's value is used
log \[warn\] .*cacheback: invalid value "0" of "cacheback_refresh_timeout", expected a time such as "30s" or "1h", the outer level's value is used



=== TEST 21: cacheback_refresh_timeout: no time
--- config
location / { cacheback_refresh_timeout 5 minutes; }
--- refused
invalid number of arguments in "cacheback_refresh_timeout" directive



=== TEST 22: cacheback_refresh_timeout: what is no time
--- config
location / { cacheback_refresh_timeout 5minutes; }
--- refused
invalid value "5minutes" in "cacheback_refresh_timeout", expected a time such as
"30s" or "1h"



=== TEST 23: cacheback_refresh_timeout 0 would let every request refresh
--- config
location / { cacheback_refresh_timeout 0; }
--- refused
invalid value "0" in "cacheback_refresh_timeout", expected a time such as "30s"
or "1h"



=== TEST 24: cacheback_refresh_timeout: twice
--- config
location / { cacheback_refresh_timeout 1s; cacheback_refresh_timeout 2s; }
--- refused
"cacheback_refresh_timeout" directive is duplicate
