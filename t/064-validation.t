# Validation: conditional fetches, what a 304 does to the stored entry, and what
# a HEAD does (RFC 9111 4.3).
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Rfc = "location / { cacheback pages; cacheback_policy rfc9111; $Origin }";
our $Ours = "location / { cacheback pages; $Origin }";

run_tests_on_each_tier();

__DATA__

=== TEST 1: a stale item is validated by its tag and its date (4.3.1)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=1&etag=a&modified=1000000000     200 MISS
wait 1.1
GET /o?max_age=1&etag=a&modified=1000000000     200 REVALIDATED
    = /o #1
    < ETag: "a"
    < Age: 0
fields /o
    ~ ^If-None-Match: "a"$
    ~ ^If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT$
GET /o?max_age=1&etag=a&modified=1000000000     200 HIT
    = /o #1
origin /o 2



=== TEST 2: a weak tag validates too (4.3.1)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=1&status=200|304&h=ETag:W/"a"    200 MISS
wait 1.1
GET /o?max_age=1&status=200|304&h=ETag:W/"a"    200 REVALIDATED
    = /o #1
    < ETag: W/"a"
fields /o
    ~ ^If-None-Match: W/"a"$



=== TEST 3: no-cache with a validator is validated on each use (5.2.2.4)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=no-cache,max-age=60&etag=a    200 MISS
GET /o?cc=no-cache,max-age=60&etag=a    200 REVALIDATED
GET /o?cc=no-cache,max-age=60&etag=a    200 REVALIDATED
    = /o #1
origin /o 3



=== TEST 4: a new response takes the place of the old one (4.3.3)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=1&etag=a|b       200 MISS
wait 1.1
GET /o?max_age=1&etag=a|b       200 EXPIRED
    = /o #2
    < ETag: "b"
GET /o?max_age=1&etag=a|b       200 HIT
    = /o #2



=== TEST 5: an error is given, or the item, but it stays (4.3.3)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=max-age=1,stale-if-error=0|max-age=60&status=200|500|200      200 MISS
wait 1.1
GET /o?cc=max-age=1,stale-if-error=0|max-age=60&status=200|500|200      500 EXPIRED
    = /o #2



=== TEST 6: fields of a 304 replace the stored ones; others stay (3.2, 4.3.4)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=max-age=1|max-age=60&etag=a&h=X-A:1|2&h=Content-Foo:old|new&h=Content-Security-Policy:one|two     200 MISS
    < X-A: 1
wait 1.1
GET /o?cc=max-age=1|max-age=60&etag=a&h=X-A:1|2&h=Content-Foo:old|new&h=Content-Security-Policy:one|two     200 REVALIDATED
    = /o #1
    < X-A: 2
    < Content-Foo: new
    < Content-Security-Policy: two
    < Cache-Control: max-age=60
    < Content-Length: 6
wait 1.1
GET /o?cc=max-age=1|max-age=60&etag=a&h=X-A:1|2&h=Content-Foo:old|new&h=Content-Security-Policy:one|two     200 HIT
    = /o #1
    < X-A: 2
    < Content-Foo: new
    < Content-Security-Policy: two
    < Cache-Control: max-age=60



=== TEST 7: also a cookie, by the RFC (3.2)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=1&etag=a&h=Set-Cookie:a=1|a=2        200 MISS
wait 1.1
GET /o?max_age=1&etag=a&h=Set-Cookie:a=1|a=2        200 REVALIDATED
    < Set-Cookie: a=2
GET /o?max_age=1&etag=a&h=Set-Cookie:a=1|a=2        200 HIT
    < Set-Cookie: a=2



=== TEST 8: but not in policy cacheback
--- store
$TIER
--- config eval: $::Ours
--- steps
GET /o?cc=must-revalidate,max-age=1&etag=a&h=Set-Cookie:|a=2        200 MISS
GET /p?cc=must-revalidate,max-age=1&etag=a&h=X-A:1|2                200 MISS
wait 1.1
GET /p?cc=must-revalidate,max-age=1&etag=a&h=X-A:1|2                200 REVALIDATED
    < X-A: 2
GET /p?cc=must-revalidate,max-age=1&etag=a&h=X-A:1|2                200 HIT
    < X-A: 2



=== TEST 9: what describes the body that is held stays (3.2)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=1&etag=a&h=Content-Encoding:x|y&type=image/png|text/html     200 MISS
wait 1.1
GET /o?max_age=1&etag=a&h=Content-Encoding:x|y&type=image/png|text/html     200 REVALIDATED
    = /o #1
    < Content-Encoding: x
    < Content-Type: image/png
    < Content-Length: 6
GET /p?max_age=1&etag=a&type=text/plain|text/plain;charset=utf-8            200 MISS
wait 1.1
GET /p?max_age=1&etag=a&type=text/plain|text/plain;charset=utf-8            200 REVALIDATED
    < Content-Type: text/plain;charset=utf-8



=== TEST 10: a 304 about another representation renews nothing (4.3.4)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=1&status=200|304|200&h=ETag:"a"|"b"&h=X-A:1|2      200 MISS
wait 1.1
GET /o?max_age=1&status=200|304|200&h=ETag:"a"|"b"&h=X-A:1|2      200 REVALIDATED
    = /o #1
    < ETag: "a"
    < X-A: 1
    <~ Age: ^[1-9]
GET /o?max_age=1&status=200|304|200&h=ETag:"a"|"b"&h=X-A:1|2      200 EXPIRED
    = /o #3



=== TEST 11: a 304 may forbid to keep it (4.3.4)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=max-age=1|no-store&etag=a     200 MISS
wait 1.1
GET /o?cc=max-age=1|no-store&etag=a     200 REVALIDATED
    = /o #1
GET /o?cc=max-age=1|no-store&etag=a     200 MISS
    = /o #3



=== TEST 12: a refresh in the background merges likewise
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=max-age=1,stale-while-revalidate=60|max-age=60&etag=a&h=X-A:1|2       200 MISS
wait 1.1
GET /o?cc=max-age=1,stale-while-revalidate=60|max-age=60&etag=a&h=X-A:1|2       200 STALE
    < X-A: 1
origin /o 2
GET /o?cc=max-age=1,stale-while-revalidate=60|max-age=60&etag=a&h=X-A:1|2       200 HIT
    = /o #1
    < X-A: 2
    < Cache-Control: max-age=60



=== TEST 13: the age of the 304 is that of the item from then on
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=max-age=1|max-age=60&etag=a&h=Age:0|30     200 MISS
wait 1.1
GET /o?cc=max-age=1|max-age=60&etag=a&h=Age:0|30     200 REVALIDATED
    < Age: 30
GET /o?cc=max-age=1|max-age=60&etag=a&h=Age:0|30     200 HIT
    <~ Age: ^3[01]$



=== TEST 14: a HEAD of a stale item passes, and updates it (4.3.5)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /p?cc=max-age=1|max-age=60&h=X-A:1|2                200 MISS
wait 1.1
HEAD /p?cc=max-age=1|max-age=60&h=X-A:1|2               200 REVALIDATED
    < X-A: 2
    < Content-Length: 6
fields /p
    ~ ^HEAD
GET /p?cc=max-age=1|max-age=60&h=X-A:1|2                200 HIT
    = /p #1
    < X-A: 2
    < Cache-Control: max-age=60
origin /p 2



=== TEST 15: fields that the HEAD's answer lacks stay (4.3.5)
--- store
$TIER
--- config eval
"location /shown/ { cacheback pages; cacheback_policy rfc9111;
    proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/inner/; proxy_set_header Host \$host; }
location /inner/ { add_header Cache-Control max-age=1; add_header X-Kept \$kept; return 200 text; }"
--- http_config
map $request_method $kept { GET yes; default ''; }
--- steps
GET /shown/o            200 MISS
    < X-Kept: yes
wait 1.1
HEAD /shown/o           200 REVALIDATED
    < X-Kept: yes
GET /shown/o            200 HIT
    < X-Kept: yes
    == text



=== TEST 16: a HEAD about something else has it fetched (4.3.5)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=1&etag=a|b&body=one|other        200 MISS
wait 1.1
HEAD /o?max_age=1&etag=a|b&body=one|other       200 EXPIRED
    < ETag: "b"
    < Content-Length: 5
origin /o 3
GET /o?max_age=1&etag=a|b&body=one|other        200 HIT
    == other



=== TEST 17: a HEAD that says no-store takes it away, one that fails does not
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=max-age=1|no-store            200 MISS
GET /e?max_age=1&status=200|500|200     200 MISS
wait 1.1
HEAD /o?cc=max-age=1|no-store           200 EXPIRED
GET /o?cc=max-age=1|no-store            200 MISS
    = /o #3
HEAD /e?max_age=1&status=200|500|200    200 STALE



=== TEST 18: in policy cacheback a HEAD is answered from the stale item
--- store
$TIER
--- config eval: $::Ours
--- steps
GET /o?max_age=1                200 MISS
wait 1.1
HEAD /o?max_age=1               200 STALE
origin /o 2
fields /o
    ~ ^GET



=== TEST 19: a client's condition on a stale item: the item is validated, and answers it
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=1&etag=a         200 MISS
wait 1.1
GET /o?max_age=1&etag=a         304 REVALIDATED
    > If-None-Match: "a"
    < ETag: "a"
fields /o
    ~ ^If-None-Match: "a"$
GET /o?max_age=1&etag=a         200 HIT
    = /o #1
wait 1.1
GET /o?max_age=1&etag=a         200 REVALIDATED
    > If-None-Match: "x", "y"
    = /o #1
fields /o
    ~ ^If-None-Match: "a"$
    !~ "x"
origin /o 3
GET /n?max_age=1&etag=a|b       200 MISS
wait 1.1
GET /n?max_age=1&etag=a|b       200 EXPIRED
    > If-None-Match: "a"
    = /n #2
GET /n?max_age=1&etag=a|b       304 HIT
    > If-None-Match: "b"
origin /n 2



=== TEST 20: a browser's reload asks the origin once
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60&etag=a        200 MISS
GET /o?max_age=60&etag=a        304 REVALIDATED
    > Cache-Control: max-age=0
    > If-None-Match: "a"
wait 0.2
origin /o 2
GET /p?max_age=60&modified=1000000000       200 MISS
GET /p?max_age=60&modified=1000000000       304 REVALIDATED
    > Cache-Control: no-cache
    > If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT
wait 0.2
origin /p 2



=== TEST 21: also of what nginx serves itself
--- store
$TIER
--- user_files
>>> f.txt 202001010000
0123456789
--- config
location / { cacheback pages; cacheback_policy rfc9111; root html; }
--- steps
GET /f.txt                      200 MISS
GET /f.txt                      200 HIT
GET /f.txt                      200 EXPIRED
    > Cache-Control: no-cache
    > If-None-Match: *
    = 0123456789
GET /f.txt                      304 HIT
    > If-None-Match: *
GET /f.txt                      304 HIT
    > If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT
GET /f.txt                      200 HIT
    = 0123456789



=== TEST 22: a validation of what is not there passes
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60&etag=a        304 MISS
    > If-None-Match: "a"
origin /o 2
GET /o?max_age=60&etag=a        200 HIT
    = /o #2



=== TEST 23: what the Connection of a 304 names stays out, and changes nothing (3.2)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=max-age=1|max-age=60&etag=a&h=Connection:x-hop|x-hop,%20x-a&h=X-A:1|2&h=X-B:1|2&h=X-Hop:1|2   200 MISS
wait 1.1
GET /o?cc=max-age=1|max-age=60&etag=a&h=Connection:x-hop|x-hop,%20x-a&h=X-A:1|2&h=X-B:1|2&h=X-Hop:1|2   200 REVALIDATED
    < X-A: 1
    < X-B: 2
GET /o?cc=max-age=1|max-age=60&etag=a&h=Connection:x-hop|x-hop,%20x-a&h=X-A:1|2&h=X-B:1|2&h=X-Hop:1|2   200 HIT
    < X-A: 1
    < X-B: 2
    <! X-Hop



=== TEST 24: in the background too, also what a hidden Cache-Control names
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_policy rfc9111; proxy_hide_header Cache-Control; $::Origin }"
--- steps
GET /o?cc=max-age=1,stale-while-revalidate=60|max-age=60,private="x-p"&etag=a&h=Connection:x-hop&h=X-A:1|2&h=X-Hop:1&h=X-P:1   200 MISS
wait 1.1
GET /o?cc=max-age=1,stale-while-revalidate=60|max-age=60,private="x-p"&etag=a&h=Connection:x-hop&h=X-A:1|2&h=X-Hop:1&h=X-P:1   200 STALE
    < X-P: 1
origin /o 2
GET /o?cc=max-age=1,stale-while-revalidate=60|max-age=60,private="x-p"&etag=a&h=Connection:x-hop&h=X-A:1|2&h=X-Hop:1&h=X-P:1   200 HIT
    < X-A: 2
    <! X-Hop
    <! X-P



=== TEST 25: a 304 that has a tag where none is stored is about that, but for the date (4.3.4)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=1&status=200|304|200&h=Last-Modified:Sun,%2009%20Sep%202001%2001:46:40%20GMT|&h=ETag:|"b"&h=X-A:1|2      200 MISS
GET /p?max_age=1&status=200|304|200&h=Last-Modified:Sun,%2009%20Sep%202001%2001:46:40%20GMT&h=ETag:|"b"&h=X-A:1|2       200 MISS
wait 1.1
GET /o?max_age=1&status=200|304|200&h=Last-Modified:Sun,%2009%20Sep%202001%2001:46:40%20GMT|&h=ETag:|"b"&h=X-A:1|2      200 REVALIDATED
    < X-A: 1
GET /o?max_age=1&status=200|304|200&h=Last-Modified:Sun,%2009%20Sep%202001%2001:46:40%20GMT|&h=ETag:|"b"&h=X-A:1|2      200 EXPIRED
    = /o #3
GET /p?max_age=1&status=200|304|200&h=Last-Modified:Sun,%2009%20Sep%202001%2001:46:40%20GMT&h=ETag:|"b"&h=X-A:1|2       200 REVALIDATED
    = /p #1
    < X-A: 2
GET /p?max_age=1&status=200|304|200&h=Last-Modified:Sun,%2009%20Sep%202001%2001:46:40%20GMT&h=ETag:|"b"&h=X-A:1|2       200 HIT
    < X-A: 2
