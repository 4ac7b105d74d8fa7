# cacheback_max_size: a larger response streams through, whole and unstored.
use lib 't/lib';
use CachebackTest;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-Reason $cacheback_reason always;
    add_header X-Tier $cacheback_tier always;';

run_tests();

__DATA__

=== TEST 1: with a known length: refused before the first byte
--- store
memory 8m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_max_size 10k; $::Origin }"
--- steps
GET /small?size=10240   200 MISS
    <! X-Reason
GET /small?size=10240   200 HIT
    same
GET /large?size=10241   200 MISS
    < Content-Length: 10241
    < X-Reason: too-large
    ~ \A(/large #1 )+
GET /large?size=10241   200 MISS
    < X-Reason: uncacheable
    ~ \A(/large #2 )+



=== TEST 2: chunked: given up on the way, the client gets it all
--- store
memory 8m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_max_size 10k; $::Origin }"
--- steps
GET /small?size=10000&chunked=1     200 MISS
GET /small?size=10000&chunked=1     200 HIT
    < Content-Length: 10000
    same
GET /large?size=300005&chunked=1    200 MISS
    < Transfer-Encoding: chunked
    ~ \A(/large #1 ){30000}/larg\z
GET /large?size=300005&chunked=1    200 MISS
    ~ \A(/large #2 ){30000}/larg\z
origin /large 2



=== TEST 3: until the connection closes: the same
--- store
memory 8m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_max_size 10k; $::Origin }"
--- steps
GET /small?size=10000&close=1       200 MISS
GET /small?size=10000&close=1       200 HIT
    < Content-Length: 10000
    same
GET /large?size=300005&close=1      200 MISS
    ~ \A(/large #1 ){30000}/larg\z
GET /large?size=300005&close=1      200 MISS
    ~ \A(/large #2 ){30000}/larg\z



=== TEST 4: the store's max_entry is the bound where there is none, and always
--- store
memory    8m;
max_entry 10k;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }
location /more/ { cacheback pages; cacheback_max_size 1m; $::Origin }"
--- steps
GET /large?size=11000           200 MISS
    < X-Reason: too-large
GET /more/large?size=11000      200 MISS
    < X-Reason: too-large



=== TEST 5: inherited, and replaced
--- store
memory 8m;
--- http_config eval
"$::Shown
cacheback_max_size 1k;"
--- config eval
"location / { cacheback pages; $::Origin }
location /more/ { cacheback pages; cacheback_max_size 20k; $::Origin }"
--- steps
GET /large?size=11000           200 MISS
    < X-Reason: too-large
GET /more/large?size=11000      200 MISS
GET /more/large?size=11000      200 HIT



=== TEST 6: an item that has grown too large is removed by its refresh
--- store
memory 8m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_max_size 10k; $::Origin }"
--- steps
GET /o?max_age=1&size=100|11000     200 MISS
wait 1.1
GET /o?max_age=1&size=100|11000     200 STALE
origin /o 2
log the item was removed, its new response may not be stored \(too-large\)
GET /o?max_age=1&size=100|11000     200 MISS
    < X-Reason: uncacheable
    < Content-Length: 11000



=== TEST 7: what is no size
--- config
location / { cacheback_max_size big; }
--- refused
invalid value "big" in "cacheback_max_size", expected a size such as "1m" or
"256k"



=== TEST 8: 0 would store nothing
--- config
location / { cacheback_max_size 0; }
--- refused
invalid value "0" in "cacheback_max_size", expected a size such as "1m" or
"256k"



=== TEST 9: twice
--- config
location / { cacheback_max_size 1m; cacheback_max_size 2m; }
--- refused
"cacheback_max_size" directive is duplicate



=== TEST 10: two arguments
--- config
location / { cacheback_max_size 1 m; }
--- refused
invalid number of arguments in "cacheback_max_size" directive
