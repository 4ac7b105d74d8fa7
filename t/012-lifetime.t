# cacheback_lifetime [CODE …|any] TIME: how long a response is fresh that does
# not say so itself. $cacheback_ttl tells on a hit.
use lib 't/lib';
use CachebackTest;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-Left $cacheback_ttl always;
    add_header X-Reason $cacheback_reason always;';

run_tests();

__DATA__

=== TEST 1: the default: ten minutes for 200, 203, 301, 308, one for 404 and 410
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /200            200 MISS
GET /200            200 HIT
    <~ X-Left: (600|59\d)
GET /203?status=203     203 MISS
GET /203?status=203     203 HIT
    <~ X-Left: (600|59\d)
GET /301?status=301     301 MISS
GET /301?status=301     301 HIT
    <~ X-Left: (600|59\d)
GET /308?status=308     308 MISS
GET /308?status=308     308 HIT
    <~ X-Left: (600|59\d)
GET /404?status=404     404 MISS
GET /404?status=404     404 HIT
    <~ X-Left: (60|5\d)
GET /410?status=410     410 MISS
GET /410?status=410     410 HIT
    <~ X-Left: (60|5\d)



=== TEST 2: codes that no line names are not stored without a lifetime of their own
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /302?status=302     302 MISS
    < X-Reason: status
GET /302?status=302     302 MISS
GET /500?status=500     500 MISS
    < X-Reason: status
GET /500?status=500     500 MISS
GET /302a?status=302&max_age=50     302 MISS
    <! X-Reason
GET /302a?status=302&max_age=50     302 HIT
    <~ X-Left: (50|4\d)



=== TEST 3: without codes: the four that may be kept without being told
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_lifetime 2h; $::Origin }"
--- steps
GET /200            200 MISS
GET /200            200 HIT
    <~ X-Left: (7200|719\d)
GET /203?status=203     203 MISS
GET /203?status=203     203 HIT
    <~ X-Left: (7200|719\d)
GET /301?status=301     301 MISS
GET /301?status=301     301 HIT
    <~ X-Left: (7200|719\d)
GET /308?status=308     308 MISS
GET /308?status=308     308 HIT
    <~ X-Left: (7200|719\d)
GET /404?status=404     404 MISS
GET /404?status=404     404 HIT
    <~ X-Left: (60|5\d)
GET /302?status=302     302 MISS
GET /302?status=302     302 MISS



=== TEST 4: with codes: these, and the defaults for others
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback pages;
    cacheback_lifetime 302 404 2h;
    cacheback_lifetime 500 3h;
    $::Origin
}"
--- steps
GET /302?status=302     302 MISS
GET /302?status=302     302 HIT
    <~ X-Left: (7200|719\d)
GET /404?status=404     404 MISS
GET /404?status=404     404 HIT
    <~ X-Left: (7200|719\d)
GET /500?status=500     500 MISS
GET /500?status=500     500 HIT
    <~ X-Left: (10800|1079\d)
GET /200            200 MISS
GET /200            200 HIT
    <~ X-Left: (600|59\d)



=== TEST 5: any: all codes, but those named beside it
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback pages;
    cacheback_lifetime any 2h;
    cacheback_lifetime 404 3h;
    $::Origin
}"
--- steps
GET /200            200 MISS
GET /200            200 HIT
    <~ X-Left: (7200|719\d)
GET /302?status=302     302 MISS
GET /302?status=302     302 HIT
    <~ X-Left: (7200|719\d)
GET /410?status=410     410 MISS
GET /410?status=410     410 HIT
    <~ X-Left: (7200|719\d)
GET /404?status=404     404 MISS
GET /404?status=404     404 HIT
    <~ X-Left: (10800|1079\d)



=== TEST 6: 0: not stored
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_lifetime 200 0; $::Origin }"
--- steps
GET /200            200 MISS
    < X-Reason: no-lifetime
GET /200            200 MISS
    = /200 #2
GET /404?status=404     404 MISS
GET /404?status=404     404 HIT



=== TEST 7: any 0: only what names a lifetime of its own is stored
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_lifetime any 0; $::Origin }"
--- steps
GET /404?status=404     404 MISS
    < X-Reason: no-lifetime
GET /404?status=404     404 MISS
GET /200            200 MISS
GET /200            200 MISS
GET /own?max_age=50     200 MISS
GET /own?max_age=50     200 HIT
    <~ X-Left: (50|4\d)



=== TEST 8: what the response names wins
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_lifetime any 2h; $::Origin }"
--- steps
GET /a?max_age=50       200 MISS
GET /a?max_age=50       200 HIT
    <~ X-Left: (50|4\d)
GET /b?max_age=50&h=X-Accel-Expires:300     200 MISS
GET /b?max_age=50&h=X-Accel-Expires:300     200 HIT
    <~ X-Left: (300|29\d)
GET /c?cc=no-store      200 MISS
    < X-Reason: no-store
GET /c?cc=no-store      200 MISS
GET /d?max_age=0        200 MISS
    < X-Reason: zero-lifetime
GET /d?max_age=0        200 MISS



=== TEST 9: fresh for so long, then stale
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_lifetime 1500ms; $::Origin }"
--- steps
GET /o              200 MISS
GET /o              200 HIT
    = /o #1
wait 1.6
GET /o              200 STALE
    = /o #1
    < X-Left: -1
origin /o 2
GET /o              200 HIT
    = /o #2



=== TEST 10: inherited from http and server
--- store
memory 1m;
--- http_config eval
"$::Shown
cacheback_lifetime 404 2h;"
--- config eval
"cacheback_lifetime 3h;
location / { cacheback pages; $::Origin }"
--- steps
GET /200            200 MISS
GET /200            200 HIT
    <~ X-Left: (10800|1079\d)
GET /404?status=404     404 MISS
GET /404?status=404     404 HIT
    <~ X-Left: (7200|719\d)



=== TEST 11: code by code: a line sets its own, others keep the outer level's value
--- store
memory 1m;
--- http_config eval
"$::Shown
cacheback_lifetime 200 302 404 2h;"
--- config eval
"location / { cacheback pages; cacheback_lifetime 404 3h; $::Origin }
location /in/ {
    cacheback pages;
    cacheback_lifetime 302 4h;
    location /in/in/ { cacheback_lifetime 404 0; $::Origin }
}"
--- steps
GET /200            200 MISS
GET /200            200 HIT
    <~ X-Left: (7200|719\d)
GET /302?status=302     302 MISS
GET /302?status=302     302 HIT
    <~ X-Left: (7200|719\d)
GET /404?status=404     404 MISS
GET /404?status=404     404 HIT
    <~ X-Left: (10800|1079\d)
GET /in/in/302?status=302   302 MISS
GET /in/in/302?status=302   302 HIT
    <~ X-Left: (14400|1439\d)
GET /in/in/404?status=404   404 MISS
GET /in/in/404?status=404   404 MISS
GET /in/in/200      200 MISS
GET /in/in/200      200 HIT
    <~ X-Left: (7200|719\d)



=== TEST 12: any of an inner level stands before the codes of an outer one
--- store
memory 1m;
--- http_config eval
"$::Shown
cacheback_lifetime 404 2h;"
--- config eval
"location / { cacheback pages; cacheback_lifetime any 3h; $::Origin }"
--- steps
GET /404?status=404     404 MISS
GET /404?status=404     404 HIT
    <~ X-Left: (10800|1079\d)



=== TEST 13: a code of an inner level, any of an outer one
--- store
memory 1m;
--- http_config eval
"$::Shown
cacheback_lifetime any 2h;"
--- config eval
"location / { cacheback pages; cacheback_lifetime 404 3h; $::Origin }"
--- steps
GET /404?status=404     404 MISS
GET /404?status=404     404 HIT
    <~ X-Left: (10800|1079\d)
GET /500?status=500     500 MISS
GET /500?status=500     500 HIT
    <~ X-Left: (7200|719\d)



=== TEST 14: variables
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / {
    cacheback          pages;
    cacheback_lifetime $arg_life;
    cacheback_lifetime 404 ${arg_n}m;
    ' . $::Origin . '
}'
--- steps
GET /o?life=2h      200 MISS
GET /o?life=2h      200 HIT
    <~ X-Left: (7200|719\d)
GET /o?life=3h      200 MISS
GET /o?life=3h      200 HIT
    <~ X-Left: (10800|1079\d)
GET /z?life=0       200 MISS
    < X-Reason: no-lifetime
GET /z?life=0       200 MISS
GET /n?n=5&life=1&status=404    404 MISS
GET /n?n=5&life=1&status=404    404 HIT
    <~ X-Left: (300|29\d)



=== TEST 15: variables of the answer: an application says the time in a field of its own
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / {
    cacheback          pages;
    cacheback_lifetime $upstream_http_x_keep;
    ' . $::Origin . '
}'
--- steps
GET /o?h=X-Keep:2h  200 MISS
GET /o?h=X-Keep:2h  200 HIT
    <~ X-Left: (7200|719\d)



=== TEST 16: a bad value of a variable: the outer level's is used, and the log says it
--- store
memory 1m;
--- http_config eval
"$::Shown
cacheback_lifetime 2h;"
--- config eval
'location / {
    cacheback          pages;
    cacheback_lifetime $arg_life;
    ' . $::Origin . '
}'
--- steps
GET /o?life=long    200 MISS
GET /o?life=long    200 HIT
    <~ X-Left: (7200|719\d)
log \[warn\] .*cacheback: invalid value "long" of "cacheback_lifetime", expected a time such as "30s" or "1h", the outer level's value is used 1
GET /e              200 MISS
GET /e              200 HIT
    <~ X-Left: (7200|719\d)
log cacheback: invalid value "" of "cacheback_lifetime" 1



=== TEST 17: a bad value with no outer level: the default
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / {
    cacheback          pages;
    cacheback_lifetime 200 404 302 $arg_life;
    ' . $::Origin . '
}'
--- steps
GET /o?life=-1      200 MISS
GET /o?life=-1      200 HIT
    <~ X-Left: (600|59\d)
GET /n?status=404   404 MISS
GET /n?status=404   404 HIT
    <~ X-Left: (60|5\d)
GET /r?status=302   302 MISS
    < X-Reason: status



=== TEST 18: a bad value of a named code: any of the same level
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / {
    cacheback          pages;
    cacheback_lifetime any 2h;
    cacheback_lifetime 404 $arg_life;
    ' . $::Origin . '
}'
--- steps
GET /n?status=404   404 MISS
GET /n?status=404   404 HIT
    <~ X-Left: (7200|719\d)



=== TEST 19: all forms of nginx's times
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_lifetime '1d 2h 3m'; $::Origin }"
--- steps
GET /o              200 MISS
GET /o              200 HIT
    <~ X-Left: (93780|9377\d)



=== TEST 20: no time
--- config
location / { cacheback_lifetime soon; }
--- refused
invalid value "soon" in "cacheback_lifetime", expected a time such as "30s" or
"1h"



=== TEST 21: a code, and no time
--- config
location / { cacheback_lifetime any; }
--- refused
invalid value "any" in "cacheback_lifetime", expected a time such as "30s" or
"1h"



=== TEST 22: a negative time
--- config
location / { cacheback_lifetime 200 -5s; }
--- refused
invalid value "-5s" in "cacheback_lifetime", expected a time such as "30s" or
"1h"



=== TEST 23: no argument
--- config
location / { cacheback_lifetime; }
--- refused
invalid number of arguments in "cacheback_lifetime" directive



=== TEST 24: what is no code
--- config
location / { cacheback_lifetime all 5m; }
--- refused
invalid status "all" in "cacheback_lifetime", expected "any" or a number from
200 to 599 other than 206 and 304



=== TEST 25: codes beyond what HTTP has
--- config
location / { cacheback_lifetime 200 600 5m; }
--- refused
invalid status "600" in "cacheback_lifetime", expected "any" or a number from
200 to 599 other than 206 and 304



=== TEST 26: 206 is never stored
--- config
location / { cacheback_lifetime 206 5m; }
--- refused
invalid status "206" in "cacheback_lifetime", expected "any" or a number from
200 to 599 other than 206 and 304



=== TEST 27: 304 is about something stored before
--- config
location / { cacheback_lifetime 304 5m; }
--- refused
invalid status "304" in "cacheback_lifetime", expected "any" or a number from
200 to 599 other than 206 and 304



=== TEST 28: 1xx are no answers
--- config
location / { cacheback_lifetime 103 5m; }
--- refused
invalid status "103" in "cacheback_lifetime", expected "any" or a number from
200 to 599 other than 206 and 304



=== TEST 29: a code twice on a level
--- config
location / {
    cacheback_lifetime 200 404 5m;
    cacheback_lifetime 410 404 6m;
}
--- refused
duplicate lifetime of "404" in "cacheback_lifetime", the same level has one
already ("cacheback STORE TIME" and a line without status name 200, 203, 301
and 308)



=== TEST 30: any twice on a level
--- config
location / {
    cacheback_lifetime any 5m;
    cacheback_lifetime any 6m;
}
--- refused
duplicate lifetime of "any" in "cacheback_lifetime", the same level has one
already ("cacheback STORE TIME" and a line without status name 200, 203, 301
and 308)



=== TEST 31: two lines without codes
--- config
location / {
    cacheback_lifetime 5m;
    cacheback_lifetime 6m;
}
--- refused
duplicate lifetime of "200" in "cacheback_lifetime", the same level has one
already ("cacheback STORE TIME" and a line without status name 200, 203, 301
and 308)



=== TEST 32: beside the lifetime of cacheback
--- store
memory 1m;
--- config
location / {
    cacheback_lifetime 5m;
    cacheback pages 6m;
}
--- refused
duplicate lifetime of "200" in "cacheback", the same level has one already
("cacheback STORE TIME" and a line without status name 200, 203, 301 and 308)
