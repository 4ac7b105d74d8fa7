# cacheback_fetch_on_miss off: a miss gets the empty answer at once, and the
# item is fetched in the background. cacheback_empty: what that answer is.
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-Reason $cacheback_reason always;';
our $Empty = 'cacheback pages; cacheback_fetch_on_miss off;';

run_tests_on_each_tier();

__DATA__

=== TEST 1: the empty answer at once, one fetch in the background
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { $::Empty $::Origin }"
--- steps
GET /o?delay=0.6                503 EMPTY
    < Retry-After: 1
    < Cache-Control: no-store
    < Content-Type: text/html
    <! X-Reason
    ~ 503 Service Temporarily Unavailable
    within 0.4
GET /o?delay=0.6                503 EMPTY
    within 0.4
HEAD /o?delay=0.6               503 EMPTY
    < Retry-After: 1
    < Cache-Control: no-store
    ==
GET /o?delay=0.6                503 EMPTY
    > Range: bytes=0-1
GET /o?delay=0.6                503 EMPTY
    > If-None-Match: *
origin /o 1
GET /o?delay=0.6                200 HIT
    = /o #1
    <! Retry-After
    <! Cache-Control
origin /o 1



=== TEST 2: HEAD, Range and conditional misses start the fetch, too
--- store
$TIER
--- config eval
"location / { $::Empty $::Origin }"
--- steps
HEAD /a                         503 EMPTY
    ==
GET /b                          503 EMPTY
    > Range: bytes=0-1
GET /c?etag=c                   503 EMPTY
    > If-None-Match: "c"
origin /a 1
origin /b 1
origin /c 1
GET /a                          200 HIT
    = /a #1
GET /b                          200 HIT
    = /b #1
GET /c?etag=c                   200 HIT
    = /c #1



=== TEST 3: a fetch that fails keeps its lease: no second one before it ends
--- store
$TIER
--- config eval
"location / { $::Empty cacheback_refresh_timeout 1s; $::Origin }"
--- steps
GET /o?status=500|200           503 EMPTY
origin /o 1
GET /o?status=500|200           503 EMPTY
GET /o?status=500|200           503 EMPTY
origin /o 1
wait 1
GET /o?status=500|200           503 EMPTY
origin /o 2
GET /o?status=500|200           200 HIT
    = /o #2



=== TEST 4: an item that turns out not to be storable passes from then on
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"location / { $::Empty $::Origin }"
--- steps
GET /o?cc=no-store              503 EMPTY
origin /o 1
GET /o?cc=no-store              200 MISS
    < X-Reason: uncacheable
    = /o #2



=== TEST 5: a stale item is served as ever; one that is gone is missing
--- store
$TIER
--- config eval
"location / { $::Empty cacheback_lifetime 300ms; cacheback_ttl 1500ms; $::Origin }"
--- steps
GET /o?status=200|500           503 EMPTY
origin /o 1
GET /o?status=200|500           200 HIT
wait 0.4
GET /o?status=200|500           200 STALE
    = /o #1
origin /o 2
GET /o?status=200|500           200 UPDATING
wait 1.2
GET /o?status=200|500           503 EMPTY



=== TEST 6: an item that may not be served stale is fetched while the client waits
--- store
memory 1m;
--- config eval
"location / { $::Empty $::Origin }"
--- steps
GET /o?cc=max-age=1,must-revalidate     503 EMPTY
origin /o 1
wait 1.1
GET /o?cc=max-age=1,must-revalidate     200 EXPIRED
    = /o #2



=== TEST 7: who waits for misses gets what such a fetch brings
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"cacheback_key \$host\$arg_key;
location / { cacheback pages; cacheback_fetch_on_miss \$arg_fetch; $::Origin }"
--- steps
GET /o?delay=0.4&key=k&fetch=off        503 EMPTY
GET /o?delay=0.4&key=k                  200 HIT
    < X-Reason: collapsed
    = /o #1
origin /o 1



=== TEST 8: what is not looked up passes
--- store
memory 1m;
--- config eval
"location / { $::Empty cacheback_skip \$arg_skip; $::Origin }"
--- steps
POST /o                         200 BYPASS
    >> text
GET /o?skip=1                   200 BYPASS
GET /o                          200 BYPASS
    > Authorization: Basic YTpi



=== TEST 9: cacheback_empty: a code, a text
--- store
$TIER
--- config eval
"location /code/ { $::Empty cacheback_empty 504; $::Origin }
location /text/ {
    $::Empty
    cacheback_empty 503 'soon: \$uri';
    default_type text/plain;
    $::Origin
}
location /ok/ {
    $::Empty
    cacheback_empty 200 '{}';
    default_type application/json;
    $::Origin
}
location /nothing/ { $::Empty cacheback_empty 204; $::Origin }
location /ok-nothing/ { $::Empty cacheback_empty 200; $::Origin }
location /404/ { $::Empty cacheback_empty 404; $::Origin }
location /elsewhere/ { $::Empty cacheback_empty 302 /waiting; $::Origin }"
--- steps
GET /code/o                     504 EMPTY
    < Retry-After: 1
    < Cache-Control: no-store
    ~ 504 Gateway Time-out
GET /text/o                     503 EMPTY
    == soon: /text/o
    < Content-Type: text/plain
    < Content-Length: 13
    < Retry-After: 1
    < Cache-Control: no-store
HEAD /text/p                    503 EMPTY
    < Content-Length: 13
    ==
GET /ok/o                       200 EMPTY
    == {}
    < Content-Type: application/json
    < Cache-Control: no-store
GET /nothing/o                  204 EMPTY
    ==
    < Cache-Control: no-store
    <! Content-Length
GET /ok-nothing/o               200 EMPTY
    ==
    < Content-Length: 0
GET /404/o                      404 EMPTY
    ~ 404 Not Found
GET /elsewhere/o                302 EMPTY
    <~ Location: .*/waiting
    < Cache-Control: no-store
origin /ok/o 1
GET /ok/o                       200 HIT
    = /ok/o #1



=== TEST 10: retry=
--- store
memory 1m;
--- config eval
"location /long/ { $::Empty cacheback_empty 503 retry=2m; $::Origin }
location /none/ { $::Empty cacheback_empty 503 retry=0; $::Origin }
location /text/ { $::Empty cacheback_empty 429 'soon' retry=5s; $::Origin }
location /first/ { $::Empty cacheback_empty 429 retry=7 'soon'; $::Origin }"
--- steps
GET /long/o                     503 EMPTY
    < Retry-After: 120
GET /none/o                     503 EMPTY
    <! Retry-After
    < Cache-Control: no-store
GET /text/o                     429 EMPTY
    < Retry-After: 5
    == soon
GET /first/o                    429 EMPTY
    < Retry-After: 7
    == soon



=== TEST 11: it goes through error_page
--- store
$TIER
--- http_config eval: $::Shown
--- config eval
"error_page 503 /soon.html;
location / { $::Empty $::Origin }
location /text/ { $::Empty cacheback_empty 503 'a text'; $::Origin }
location /other/ { $::Empty cacheback_empty 504 'a text'; $::Origin }
location /200/ { $::Empty error_page 503 =200 /soon.html; $::Origin }
location /named/ { $::Empty error_page 503 = \@soon; $::Origin }
location /asked/ { $::Empty error_page 503 /origin; $::Origin }
location = /soon.html { internal; }
location = /origin { cacheback pages; $::Origin }
location \@soon {
    echo named;
}"
--- user_files
>>> soon.html
in a moment
--- steps
GET /o                          503 EMPTY
    = in a moment
    < Retry-After: 1
    < Cache-Control: no-store
GET /text/o                     503 EMPTY
    = in a moment
GET /other/o                    504 EMPTY
    == a text
GET /200/o                      200 EMPTY
    = in a moment
    < Cache-Control: no-store
GET /named/o                    200 EMPTY
    = named
    < Cache-Control: no-store
GET /asked/o                    503 EMPTY
    ~ ^/origin #1
origin /o 1
origin /named/o 1
origin /asked/o 1
GET /o                          200 HIT
    = /o #1
GET /asked/o                    200 HIT
    = /asked/o #1



=== TEST 12: error_page's own request does not become the item
--- store
memory 1m;
--- config eval
"location / { $::Empty error_page 503 /fallback; $::Origin }
location = /fallback { cacheback pages; $::Origin }"
--- steps
GET /o?delay=0.3                503 EMPTY
    = /fallback #1
origin /o 1
GET /o?delay=0.3                200 HIT
    = /o #1



=== TEST 13: inherited, and replaced
--- store
memory 1m;
--- http_config
cacheback_fetch_on_miss off;
cacheback_empty 504 outer retry=3;
--- config eval
"location / { cacheback pages; $::Origin }
location /on/ { cacheback pages; cacheback_fetch_on_miss on; $::Origin }
location /own/ { cacheback pages; cacheback_empty 503 own; $::Origin }"
--- steps
GET /o                          504 EMPTY
    == outer
    < Retry-After: 3
GET /on/o                       200 MISS
GET /own/o                      503 EMPTY
    == own
    < Retry-After: 1



=== TEST 14: a variable; a value that is none is logged, the outer level's counts
--- store
memory 1m;
--- http_config
cacheback_fetch_on_miss off;
--- config eval
"location / { cacheback pages; cacheback_fetch_on_miss \$arg_f; $::Origin }"
--- steps
GET /a?f=on                     200 MISS
GET /b?f=off                    503 EMPTY
GET /c?f=maybe                  503 EMPTY
log invalid value "maybe" of "cacheback_fetch_on_miss", expected "on" or "off", the outer level's value is used
GET /d                          503 EMPTY
log invalid value "" of "cacheback_fetch_on_miss", expected "on" or "off", the outer level's value is used



=== TEST 15: without an outer level the default counts
--- store
memory 1m;
--- config eval
"location / { cacheback pages; cacheback_fetch_on_miss \$arg_f; $::Origin }"
--- steps
GET /o?f=maybe                  200 MISS
log invalid value "maybe" of "cacheback_fetch_on_miss"



=== TEST 16: cacheback_fetch_on_miss: neither on nor off
--- config
location / { cacheback_fetch_on_miss maybe; }
--- refused
invalid value "maybe" in "cacheback_fetch_on_miss", expected "on" or "off"



=== TEST 17: cacheback_fetch_on_miss: twice
--- config
location / { cacheback_fetch_on_miss on; cacheback_fetch_on_miss off; }
--- refused
"cacheback_fetch_on_miss" directive is duplicate



=== TEST 18: cacheback_fetch_on_miss: no argument
--- config
location / { cacheback_fetch_on_miss; }
--- refused
invalid number of arguments in "cacheback_fetch_on_miss" directive



=== TEST 19: cacheback_empty: not a status
--- config
location / { cacheback_empty soon; }
--- refused
invalid status "soon" in "cacheback_empty", expected a number from 200 to 599
other than 206 and 304



=== TEST 20: cacheback_empty: 206
--- config
location / { cacheback_empty 206; }
--- refused
invalid status "206" in "cacheback_empty", expected a number from 200 to 599
other than 206 and 304



=== TEST 21: cacheback_empty: 304
--- config
location / { cacheback_empty 304; }
--- refused
invalid status "304" in "cacheback_empty", expected a number from 200 to 599
other than 206 and 304



=== TEST 22: cacheback_empty: 199
--- config
location / { cacheback_empty 199; }
--- refused
invalid status "199" in "cacheback_empty", expected a number from 200 to 599
other than 206 and 304



=== TEST 23: cacheback_empty: 600
--- config
location / { cacheback_empty 600; }
--- refused
invalid status "600" in "cacheback_empty", expected a number from 200 to 599
other than 206 and 304



=== TEST 24: cacheback_empty: two texts
--- config
location / { cacheback_empty 503 one two; }
--- refused
invalid parameter "two" in "cacheback_empty", expected one text and "retry=" at
most



=== TEST 25: cacheback_empty: retry= without a time
--- config
location / { cacheback_empty 503 retry=; }
--- refused
invalid parameter "retry=" in "cacheback_empty", expected "retry=" and a time such
as "1s"



=== TEST 26: cacheback_empty: retry= and no time
--- config
location / { cacheback_empty 503 retry=soon; }
--- refused
invalid parameter "retry=soon" in "cacheback_empty", expected "retry=" and a time
such as "1s"



=== TEST 27: cacheback_empty: retry= twice
--- config
location / { cacheback_empty 503 retry=1 retry=2; }
--- refused
duplicate parameter "retry=2" in "cacheback_empty"



=== TEST 28: cacheback_empty: an unknown variable
--- config
location / { cacheback_empty 503 $no_such_variable; }
--- must_die
--- error_log eval
qr{\[emerg\] .*unknown "no_such_variable" variable}



=== TEST 29: cacheback_empty: twice
--- config
location / { cacheback_empty 503; cacheback_empty 504; }
--- refused
"cacheback_empty" directive is duplicate



=== TEST 30: cacheback_empty: no argument
--- config
location / { cacheback_empty; }
--- refused
invalid number of arguments in "cacheback_empty" directive



=== TEST 31: cacheback_empty: four arguments
--- config
location / { cacheback_empty 503 text retry=1 more; }
--- refused
invalid number of arguments in "cacheback_empty" directive
