# A client's conditions, answered from what is stored (RFC 9110 13, RFC 9111
# 4.3.2): the same in both policies. More of it: t/022-replay.t.
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Both = "location / { cacheback pages; $Origin }
location /rfc/ { cacheback pages; cacheback_policy rfc9111; $Origin }";

run_tests_on_each_tier();

__DATA__

=== TEST 1: If-None-Match silences If-Modified-Since (RFC 9110 13.2.2)
--- store
$TIER
--- config eval: $::Both
--- steps
GET /o?max_age=60&etag=a&modified=1000000000        200 MISS
GET /o?max_age=60&etag=a&modified=1000000000        304 HIT
    > If-None-Match: "a"
    > If-Modified-Since: Sat, 08 Sep 2001 01:46:40 GMT
    < ETag: "a"
    <! Content-Length
    <! Content-Type
    ==
GET /o?max_age=60&etag=a&modified=1000000000        200 HIT
    > If-None-Match: "b"
    > If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT
    = /o #1
GET /rfc/o?max_age=60&etag=a&modified=1000000000    200 MISS
GET /rfc/o?max_age=60&etag=a&modified=1000000000    304 HIT
    > If-None-Match: "a"
    > If-Modified-Since: Sat, 08 Sep 2001 01:46:40 GMT
GET /rfc/o?max_age=60&etag=a&modified=1000000000    200 HIT
    > If-None-Match: "b"
    > If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT
origin /o 1
origin /rfc/o 1



=== TEST 2: weak comparison, lists, *, and commas in tags (13.1.2)
--- store
$TIER
--- config eval: $::Both
--- steps
GET /o?max_age=60&h=ETag:W/"a,b"        200 MISS
GET /o?max_age=60&h=ETag:W/"a,b"        304 HIT
    > If-None-Match: "a,b"
GET /o?max_age=60&h=ETag:W/"a,b"        304 HIT
    > If-None-Match: "x", W/"a,b", "y"
GET /o?max_age=60&h=ETag:W/"a,b"        304 HIT
    > If-None-Match: *
GET /o?max_age=60&h=ETag:W/"a,b"        200 HIT
    > If-None-Match: "a", "b"
GET /n?max_age=60                       200 MISS
GET /n?max_age=60                       304 HIT
    > If-None-Match: *
GET /n?max_age=60                       200 HIT
    > If-None-Match: "a"



=== TEST 3: If-Modified-Since: not later is not modified (13.1.3)
--- store
$TIER
--- config eval: $::Both
--- steps
GET /o?modified=1000000000&max_age=60       200 MISS
GET /o?modified=1000000000&max_age=60       304 HIT
    > If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT
GET /o?modified=1000000000&max_age=60       304 HIT
    > If-Modified-Since: Sun, 09 Sep 2001 01:46:41 GMT
GET /o?modified=1000000000&max_age=60       304 HIT
    > If-Modified-Since: Sunday, 09-Sep-01 01:46:40 GMT
GET /o?modified=1000000000&max_age=60       304 HIT
    > If-Modified-Since: Sun Sep  9 01:46:40 2001
GET /o?modified=1000000000&max_age=60       200 HIT
    > If-Modified-Since: Sun, 09 Sep 2001 01:46:39 GMT
GET /o?modified=1000000000&max_age=60       200 HIT
    > If-Modified-Since: yesterday
HEAD /o?modified=1000000000&max_age=60      304 HIT
    > If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT



=== TEST 4: without Last-Modified the Date decides (RFC 9111 4.3.2)
--- store
$TIER
--- config eval: $::Both
--- steps
GET /o?cc=max-age=315360000&h=Date:Sun,%2006%20Nov%202022%2008:49:37%20GMT      200 MISS
GET /o?cc=max-age=315360000&h=Date:Sun,%2006%20Nov%202022%2008:49:37%20GMT      304 HIT
    > If-Modified-Since: Sun, 06 Nov 2022 08:49:37 GMT
    < Date: Sun, 06 Nov 2022 08:49:37 GMT
GET /o?cc=max-age=315360000&h=Date:Sun,%2006%20Nov%202022%2008:49:37%20GMT      200 HIT
    > If-Modified-Since: Sun, 06 Nov 2022 08:49:36 GMT
GET /rfc/o?cc=max-age=315360000&h=Date:Sun,%2006%20Nov%202022%2008:49:37%20GMT  200 MISS
GET /rfc/o?cc=max-age=315360000&h=Date:Sun,%2006%20Nov%202022%2008:49:37%20GMT  304 HIT
    > If-Modified-Since: Sun, 06 Nov 2022 08:49:37 GMT



=== TEST 5: if_modified_since off is obeyed
--- store
$TIER
--- config eval
"location / { cacheback pages; if_modified_since off; $::Origin }"
--- steps
GET /o?modified=1000000000&etag=a       200 MISS
GET /o?modified=1000000000&etag=a       200 HIT
    > If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT
GET /o?modified=1000000000&etag=a       304 HIT
    > If-None-Match: "a"



=== TEST 6: If-Match compares strongly, and silences If-Unmodified-Since (13.1.1)
--- store
$TIER
--- config eval: $::Both
--- steps
GET /o?etag=a&modified=1000000000       200 MISS
GET /o?etag=a&modified=1000000000       200 HIT
    > If-Match: "x", "a"
    > If-Unmodified-Since: Sat, 08 Sep 2001 01:46:40 GMT
    = /o #1
GET /o?etag=a&modified=1000000000       412 HIT
    > If-Match: W/"a"
    !~ /o #1
GET /o?etag=a&modified=1000000000       412 HIT
    > If-Match: "x"
GET /o?etag=a&modified=1000000000       200 HIT
    > If-Match: *
GET /w?h=ETag:W/"a"                     200 MISS
GET /w?h=ETag:W/"a"                     412 HIT
    > If-Match: W/"a"
GET /o?etag=a&modified=1000000000       200 HIT
    = /o #1



=== TEST 7: If-Unmodified-Since (13.1.4)
--- store
$TIER
--- config eval: $::Both
--- steps
GET /o?modified=1000000000      200 MISS
GET /o?modified=1000000000      412 HIT
    > If-Unmodified-Since: Sat, 08 Sep 2001 01:46:40 GMT
GET /o?modified=1000000000      200 HIT
    > If-Unmodified-Since: Sun, 09 Sep 2001 01:46:40 GMT
GET /o?modified=1000000000      200 HIT
    > If-Unmodified-Since: yesterday
GET /n                          200 MISS
GET /n                          200 HIT
    > If-Unmodified-Since: Sat, 08 Sep 2001 01:46:40 GMT
    = /n #1



=== TEST 8: a failed condition comes before a 304 (13.2.2)
--- store
$TIER
--- config eval: $::Both
--- steps
GET /o?etag=a       200 MISS
GET /o?etag=a       412 HIT
    > If-Match: "b"
    > If-None-Match: "a"
GET /o?etag=a       304 HIT
    > If-Match: "a"
    > If-None-Match: "a"



=== TEST 9: only a 2xx can be conditional (13.2.1)
--- store
$TIER
--- config eval: $::Both
--- steps
GET /o?status=404&max_age=60&h=ETag:"a"     404 MISS
GET /o?status=404&max_age=60&h=ETag:"a"     404 HIT
    > If-None-Match: "a"
    = /o #1
GET /o?status=404&max_age=60&h=ETag:"a"     404 HIT
    > If-Match: "b"



=== TEST 10: a 304 has what a cache needs (RFC 9110 15.4.5)
--- store
$TIER
--- config eval: $::Both
--- steps
GET /o?max_age=60&etag=a&h=Content-Location:/c&h=Vary:X-A&h=Expires:Thu,%2018%20Aug%202050%2002:01:18%20GMT&h=Date:Sun,%2006%20Nov%202050%2008:49:37%20GMT   200 MISS
GET /o?max_age=60&etag=a&h=Content-Location:/c&h=Vary:X-A&h=Expires:Thu,%2018%20Aug%202050%2002:01:18%20GMT&h=Date:Sun,%2006%20Nov%202050%2008:49:37%20GMT   304 HIT
    > If-None-Match: "a"
    < ETag: "a"
    < Content-Location: /c
    < Vary: X-A
    < Cache-Control: max-age=60
    < Expires: Thu, 18 Aug 2050 02:01:18 GMT
    < Date: Sun, 06 Nov 2050 08:49:37 GMT
    <~ Age: ^[01]$
    <! Content-Encoding



=== TEST 11: on a stale item that is served, too
--- store
$TIER
--- config eval: $::Both
--- steps
GET /o?max_age=1&etag=a                                     200 MISS
GET /rfc/o?cc=max-age=1,stale-while-revalidate=60&etag=a    200 MISS
wait 1.1
GET /o?max_age=1&etag=a                                     304 STALE
    > If-None-Match: "a"
GET /rfc/o?cc=max-age=1,stale-while-revalidate=60&etag=a    304 STALE
    > If-None-Match: "a"
origin /o 2
origin /rfc/o 2
fields /o
    ~ ^If-None-Match: "a"$



=== TEST 12: in place of an error of the origin
--- store
$TIER
--- config eval: $::Both
--- steps
GET /rfc/o?max_age=1&etag=a&reset=0|1           200 MISS
wait 1.1
GET /rfc/o?max_age=1&etag=a&reset=0|1           304 STALE
    > If-None-Match: "a"
GET /rfc/p?max_age=1&etag=a&reset=0|1           200 MISS
wait 1.1
GET /rfc/p?max_age=1&etag=a&reset=0|1           412 STALE
    > If-Match: "b"
--- errors
