# cacheback_revalidate on|off: whether fetches of a stored item are
# conditional. A 304 renews the item.
use lib 't/lib';
use CachebackTest;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';

run_tests();

__DATA__

=== TEST 1: the default: a refresh sends the validators, a 304 renews the item
--- store
memory 1m;
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?max_age=1&etag=a&modified=1000000000     200 MISS
fields /o
    !~ ^If-
wait 1.1
GET /o?max_age=1&etag=a&modified=1000000000     200 STALE
origin /o 2
fields /o
    ~ ^If-None-Match: "a"$
    ~ ^If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT$
GET /o?max_age=1&etag=a&modified=1000000000     200 HIT
    = /o #1
    < ETag: "a"
    < Age: 0



=== TEST 2: only what the item has is sent
--- store
memory 1m;
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /e?max_age=1&etag=a                 200 MISS
GET /m?max_age=1&modified=1000000000    200 MISS
GET /n?max_age=1                        200 MISS
wait 1.1
GET /e?max_age=1&etag=a                 200 STALE
GET /m?max_age=1&modified=1000000000    200 STALE
GET /n?max_age=1                        200 STALE
origin /e 2
fields /e
    ~ ^If-None-Match: "a"$
    !~ ^If-Modified-Since:
origin /m 2
fields /m
    ~ ^If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT$
    !~ ^If-None-Match:
origin /n 2
fields /n
    !~ ^If-
GET /n?max_age=1                        200 HIT
    = /n #2



=== TEST 3: a changed item answers 200, and is replaced
--- store
memory 1m;
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?max_age=1&etag=a|b       200 MISS
wait 1.1
GET /o?max_age=1&etag=a|b       200 STALE
origin /o 2
fields /o
    ~ ^If-None-Match: "a"$
GET /o?max_age=1&etag=a|b       200 HIT
    = /o #2
    < ETag: "b"



=== TEST 4: while the client waits: REVALIDATED
--- store
memory 1m;
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?cc=max-age=1,must-revalidate&etag=a      200 MISS
wait 1.1
GET /o?cc=max-age=1,must-revalidate&etag=a      200 REVALIDATED
    = /o #1
fields /o
    ~ ^If-None-Match: "a"$
GET /o?cc=max-age=1,must-revalidate&etag=a      200 HIT
    = /o #1



=== TEST 5: off: refreshes ask for the whole item
--- store
memory 1m;
--- config eval
"location / { cacheback pages; cacheback_revalidate off; $::Origin }"
--- steps
GET /o?max_age=1&etag=a&modified=1000000000     200 MISS
wait 1.1
GET /o?max_age=1&etag=a&modified=1000000000     200 STALE
origin /o 2
fields /o
    !~ ^If-
GET /o?max_age=1&etag=a&modified=1000000000     200 HIT
    = /o #2



=== TEST 6: off, while the client waits: EXPIRED
--- store
memory 1m;
--- config eval
"location / { cacheback pages; cacheback_revalidate off; $::Origin }"
--- steps
GET /o?cc=max-age=1,must-revalidate&etag=a      200 MISS
wait 1.1
GET /o?cc=max-age=1,must-revalidate&etag=a      200 EXPIRED
    = /o #2
fields /o
    !~ ^If-



=== TEST 7: inherited, and replaced
--- store
memory 1m;
--- http_config
cacheback_revalidate off;
--- config eval
"location / { cacheback pages; $::Origin }
location /on/ { cacheback pages; cacheback_revalidate on; $::Origin }"
--- steps
GET /o?max_age=1&etag=a         200 MISS
GET /on/o?max_age=1&etag=a      200 MISS
wait 1.1
GET /o?max_age=1&etag=a         200 STALE
GET /on/o?max_age=1&etag=a      200 STALE
origin /o 2
fields /o
    !~ ^If-
origin /on/o 2
fields /on/o
    ~ ^If-None-Match: "a"$



=== TEST 8: neither on nor off
--- config
location / { cacheback_revalidate maybe; }
--- refused
invalid value "maybe" in "cacheback_revalidate" directive, it must be "on" or
"off"



=== TEST 9: twice
--- config
location / { cacheback_revalidate on; cacheback_revalidate on; }
--- refused
"cacheback_revalidate" directive is duplicate



=== TEST 10: no argument
--- config
location / { cacheback_revalidate; }
--- refused
invalid number of arguments in "cacheback_revalidate" directive
