# cacheback STORE [LIFETIME]|off: where it may stand, what is inherited.
use lib 't/lib';
use CachebackTest;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';

run_tests();

__DATA__

=== TEST 1: without cacheback nothing is looked up, and nothing is said
--- store
memory 1m;
--- config eval
"location / { $::Origin }"
--- steps
GET /o              200
    <! X-Cache
GET /o              200
    <! X-Cache
origin /o 2



=== TEST 2: in a location
--- store
memory 1m;
--- config eval
"location / { $::Origin }
location /c/ { cacheback pages; $::Origin }"
--- steps
GET /c/o            200 MISS
GET /c/o            200 HIT
    < Age: 0
    = /c/o #1
GET /o              200
    <! X-Cache
origin /c/o 1



=== TEST 3: in a server, inherited by its locations
--- store
memory 1m;
--- config eval
"cacheback pages;
location / { $::Origin }
location /c/ { $::Origin }"
--- steps
GET /c/o            200 MISS
GET /c/o            200 HIT
GET /o              200 MISS
GET /o              200 HIT



=== TEST 4: in http, inherited by servers and locations
--- store
memory 1m;
--- http_config
cacheback pages;
--- config eval
"location / { $::Origin }"
--- steps
GET /o              200 MISS
GET /o              200 HIT



=== TEST 5: a location inside a location inherits
--- store
memory 1m;
--- config eval
"location /c/ {
    cacheback pages;
    location /c/d/ { $::Origin }
}"
--- steps
GET /c/d/o          200 MISS
GET /c/d/o          200 HIT



=== TEST 6: off in a location, and in what is inside it
--- store
memory 1m;
--- http_config
cacheback pages;
--- config eval
"location / { $::Origin }
location /off/ {
    cacheback off;
    $::Origin
    location /off/in/ { $::Origin }
    location /off/on/ { cacheback pages; $::Origin }
}"
--- steps
GET /off/o          200
    <! X-Cache
GET /off/o          200
    <! X-Cache
origin /off/o 2
GET /off/in/o       200
    <! X-Cache
GET /off/on/o       200 MISS
GET /off/on/o       200 HIT
GET /o              200 MISS
GET /o              200 HIT



=== TEST 7: another store in a location
--- store
memory 1m;
--- http_config
cacheback_store images { memory 1m; }
cacheback     pages;
cacheback_key $host;
--- config eval
"location / { $::Origin }
location /i/ { cacheback images; $::Origin }"
--- steps
GET /o              200 MISS
GET /i/o            200 MISS
GET /i/o            200 HIT
    = /i/o #1
GET /o              200 HIT
    = /o #1



=== TEST 8: with a lifetime
--- store
memory 1m;
--- http_config
add_header X-Left $cacheback_ttl always;
--- config eval
"location / { cacheback pages 1000h; $::Origin }"
--- steps
GET /o              200 MISS
GET /o              200 HIT
    <~ X-Left: (3600000|359999\d)



=== TEST 9: the lifetime is that of cacheback_lifetime without codes
--- store
memory 1m;
--- http_config
add_header X-Left $cacheback_ttl always;
--- config eval
"location / { cacheback pages 30m; cacheback_lifetime 404 20m; $::Origin }"
--- steps
GET /o?status=203   203 MISS
GET /o?status=203   203 HIT
    <~ X-Left: (1800|179\d)
GET /n?status=404   404 MISS
GET /n?status=404   404 HIT
    <~ X-Left: (1200|119\d)
GET /s?status=410   410 MISS
GET /s?status=410   410 HIT
    <~ X-Left: (60|5\d)



=== TEST 10: without a lifetime: ten minutes, or what the outer level says
--- store
memory 1m;
--- http_config
add_header X-Left $cacheback_ttl always;
--- config eval
"location / { cacheback pages; $::Origin }
location /in/ {
    cacheback_lifetime 20m;
    location /in/in/ { cacheback pages; $::Origin }
}"
--- steps
GET /o              200 MISS
GET /o              200 HIT
    <~ X-Left: (600|59\d)
GET /in/in/o        200 MISS
GET /in/in/o        200 HIT
    <~ X-Left: (1200|119\d)



=== TEST 11: the lifetime is inherited with the store, and by another store
--- store
memory 1m;
--- http_config
cacheback_store images { memory 1m; }
add_header X-Left $cacheback_ttl always;
cacheback  pages 30m;
--- config eval
"location / { $::Origin }
location /i/ { cacheback images; $::Origin }"
--- steps
GET /o              200 MISS
GET /o              200 HIT
    <~ X-Left: (1800|179\d)
GET /i/o            200 MISS
GET /i/o            200 HIT
    <~ X-Left: (1800|179\d)



=== TEST 12: a lifetime of its own replaces that of the outer level
--- store
memory 1m;
--- http_config
add_header X-Left $cacheback_ttl always;
cacheback  pages 30m;
--- config eval
"location / { cacheback pages 5m; $::Origin }"
--- steps
GET /o              200 MISS
GET /o              200 HIT
    <~ X-Left: (300|29\d)



=== TEST 13: the lifetime may hold variables
--- store
memory 1m;
--- http_config
add_header X-Left $cacheback_ttl always;
--- config eval
'location / { cacheback pages $arg_life; ' . $::Origin . ' }'
--- steps
GET /o?life=30m     200 MISS
GET /o?life=30m     200 HIT
    <~ X-Left: (1800|179\d)
GET /o?life=2h      200 MISS
GET /o?life=2h      200 HIT
    <~ X-Left: (7200|719\d)



=== TEST 14: twice on a level
--- store
memory 1m;
--- config
location / { cacheback pages; cacheback off; }
--- refused
"cacheback" directive is duplicate



=== TEST 15: an unknown store
--- store
memory 1m;
--- config
location / { cacheback page 1m; }
--- refused
unknown store "page" in "cacheback", expected "off" or the name of a
"cacheback_store" defined above



=== TEST 16: no store at all
--- config
location / { cacheback on; }
--- refused
unknown store "on" in "cacheback", expected "off" or the name of a
"cacheback_store" defined above



=== TEST 17: a lifetime that is no time
--- store
memory 1m;
--- config
location / { cacheback pages ten; }
--- refused
invalid value "ten" in "cacheback", expected a time such as "30s" or "1h"



=== TEST 18: an empty lifetime
--- store
memory 1m;
--- config
location / { cacheback pages ""; }
--- refused
invalid value "" in "cacheback", expected a time such as "30s" or "1h"



=== TEST 19: off with a lifetime
--- store
memory 1m;
--- config
location / { cacheback off 1m; }
--- refused
"cacheback" directive takes no lifetime with "off"



=== TEST 20: no argument
--- store
memory 1m;
--- config
location / { cacheback; }
--- refused
invalid number of arguments in "cacheback" directive



=== TEST 21: too many arguments
--- store
memory 1m;
--- config
location / { cacheback pages 1m 2m; }
--- refused
invalid number of arguments in "cacheback" directive



=== TEST 22: not in an if
--- store
memory 1m;
--- config
location / { if ($arg_a) { cacheback pages; } }
--- refused
"cacheback" directive is not allowed here



=== TEST 23: the line of the mistake is named
--- store
memory 1m;
--- user_files
>>> location.conf
location / {

    cacheback page;
}
--- config
include ../html/location.conf;
--- must_die
--- error_log eval
qr{\[emerg\] .*unknown store "page" in "cacheback", .* in \S+/html/location\.conf:3$}m



=== TEST 24: directives of later versions are unknown: cacheback_api
--- store
memory 1m;
--- config
location / { cacheback_api pages; }
--- refused
unknown directive "cacheback_api"



=== TEST 25: directives of later versions are unknown: cacheback_tags
--- store
memory 1m;
--- config
location / { cacheback pages; cacheback_tags 1; }
--- refused
unknown directive "cacheback_tags"
