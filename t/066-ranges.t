# Ranges from stored entries (RFC 9110 14, RFC 9111 3.3), in both policies. More
# of it: t/022-replay.t.
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Both = "location / { cacheback pages; $Origin }
location /rfc/ { cacheback pages; cacheback_policy rfc9111; $Origin }";

run_tests_on_each_tier();

__DATA__

=== TEST 1: single, open, suffix, several, unsatisfiable
--- store
$TIER
--- config eval: $::Both
--- steps
GET /rfc/o?body=01234567890&max_age=60      200 MISS
GET /rfc/o?body=01234567890&max_age=60      206 HIT
    > Range: bytes=0-1
    < Content-Range: bytes 0-1/11
    <~ Age: ^[01]$
    == 01
GET /rfc/o?body=01234567890&max_age=60      206 HIT
    > Range: bytes=1-
    == 1234567890
GET /rfc/o?body=01234567890&max_age=60      206 HIT
    > Range: bytes=-1
    == 0
GET /rfc/o?body=01234567890&max_age=60      206 HIT
    > Range: bytes=0-0,-1
    <~ Content-Type: ^multipart/byteranges; boundary=.*
    ~ Content-Range: bytes 0-0/11
    ~ Content-Range: bytes 10-10/11
GET /rfc/o?body=01234567890&max_age=60      416
    > Range: bytes=11-
    < Content-Range: bytes */11
    <! Cache-Control
    <! Age
    <~ Date: ^\w{3}, .* GMT$
GET /rfc/o?body=01234567890&max_age=60      200 HIT
    == 01234567890
origin /rfc/o 1



=== TEST 2: If-Range takes strong validators alone (RFC 9110 13.1.5)
--- store
$TIER
--- config eval: $::Both
--- steps
GET /s?body=0123456789&etag=a               200 MISS
GET /s?body=0123456789&etag=a               206 HIT
    > Range: bytes=2-4
    > If-Range: "a"
    == 234
GET /s?body=0123456789&etag=a               200 HIT
    > Range: bytes=2-4
    > If-Range: W/"a"
    == 0123456789
GET /w?body=0123456789&h=ETag:W/"a"         200 MISS
GET /w?body=0123456789&h=ETag:W/"a"         200 HIT
    > Range: bytes=2-4
    > If-Range: W/"a"
    == 0123456789
GET /rfc/w?body=0123456789&h=ETag:W/"a"&max_age=60  200 MISS
GET /rfc/w?body=0123456789&h=ETag:W/"a"&max_age=60  200 HIT
    > Range: bytes=2-4
    > If-Range: W/"a"
    == 0123456789



=== TEST 3: a date proves something when it is older than the response (8.8.2.2)
--- store
$TIER
--- config eval: $::Both
--- steps
GET /old?body=0123456789&h=Last-Modified:Sun,%2006%20Nov%202022%2008:49:37%20GMT&h=Date:Sun,%2006%20Nov%202022%2008:49:38%20GMT     200 MISS
GET /old?body=0123456789&h=Last-Modified:Sun,%2006%20Nov%202022%2008:49:37%20GMT&h=Date:Sun,%2006%20Nov%202022%2008:49:38%20GMT     206 HIT
    > Range: bytes=2-4
    > If-Range: Sun, 06 Nov 2022 08:49:37 GMT
    == 234
GET /new?body=0123456789&h=Last-Modified:Sun,%2006%20Nov%202022%2008:49:37%20GMT&h=Date:Sun,%2006%20Nov%202022%2008:49:37%20GMT     200 MISS
GET /new?body=0123456789&h=Last-Modified:Sun,%2006%20Nov%202022%2008:49:37%20GMT&h=Date:Sun,%2006%20Nov%202022%2008:49:37%20GMT     200 HIT
    > Range: bytes=2-4
    > If-Range: Sun, 06 Nov 2022 08:49:37 GMT
    == 0123456789



=== TEST 4: only a GET has ranges; other units are none (14.2)
--- store
$TIER
--- config eval: $::Both
--- steps
GET /o?body=0123456789      200 MISS
HEAD /o?body=0123456789     200 HIT
    > Range: bytes=2-4
    < Content-Length: 10
    <! Content-Range
GET /o?body=0123456789      200 HIT
    > Range: lines=2-4
    == 0123456789
GET /o?body=0123456789      200 HIT
    < Accept-Ranges: bytes



=== TEST 5: a condition that makes a 304 comes before the range (13.2.2)
--- store
$TIER
--- config eval: $::Both
--- steps
GET /o?body=0123456789&etag=a       200 MISS
GET /o?body=0123456789&etag=a       304 HIT
    > Range: bytes=2-4
    > If-None-Match: "a"
    <! Content-Range
GET /o?body=0123456789&etag=a       206 HIT
    > Range: bytes=2-4
    > If-Match: "a"
    == 234
GET /o?body=0123456789&etag=a       412 HIT
    > Range: bytes=2-4
    > If-Match: "b"



=== TEST 6: a 206 is never stored, and never as a 200 (RFC 9111 3.3)
--- store
$TIER
--- http_config
add_header X-Reason $cacheback_reason always;
--- config eval: $::Both
--- steps
GET /rfc/o?max_age=60&status=206|200&body=234|0123456789&h=Content-Range:bytes%202-4/10|      206 MISS
    > Range: bytes=2-4
    == 234
origin /rfc/o 2
fields /rfc/o
    !~ ^Range
GET /rfc/o?max_age=60&status=206|200&body=234|0123456789&h=Content-Range:bytes%202-4/10|      200 HIT
    == 0123456789
GET /rfc/p?max_age=60&status=206&body=234&h=Content-Range:bytes%202-4/10    206 MISS
    < X-Reason: partial
GET /rfc/p?max_age=60&status=206&body=234&h=Content-Range:bytes%202-4/10    206 MISS



=== TEST 7: ranges of statuses other than 200 are not cut
--- store
$TIER
--- config eval: $::Both
--- steps
GET /o?body=0123456789&status=404&max_age=60    404 MISS
GET /o?body=0123456789&status=404&max_age=60    404 HIT
    > Range: bytes=2-4
    == 0123456789



=== TEST 8: of a stale item that is served, and of one renewed in the foreground
--- store
$TIER
--- config eval: $::Both
--- steps
GET /o?body=0123456789&max_age=1&etag=a         200 MISS
wait 1.1
GET /o?body=0123456789&max_age=1&etag=a         206 STALE
    > Range: bytes=2-4
    == 234



=== TEST 9: a Content-Range on a 200 is a field like others, but not beside nginx's own
--- store
$TIER
--- config eval: $::Both
--- steps
GET /rfc/o?body=0123456789&max_age=60&h=Content-Range:something     200 MISS
GET /rfc/o?body=0123456789&max_age=60&h=Content-Range:something     200 HIT
    < Content-Range: something
GET /rfc/o?body=0123456789&max_age=60&h=Content-Range:something     206 HIT
    > Range: bytes=2-4
    < Content-Range: bytes 2-4/10
    == 234
GET /o?body=0123456789&max_age=60&h=Content-Range:something         200 MISS
GET /o?body=0123456789&max_age=60&h=Content-Range:something         200 HIT
    <! Content-Range



=== TEST 10: a 206 has what the 200 would have (RFC 9110 15.3.7)
--- store
$TIER
--- config eval: $::Both
--- steps
GET /rfc/o?body=01234567890&max_age=60&etag=a&expires=60&h=Content-Location:/c&h=Vary:X-Z   200 MISS
GET /rfc/o?body=01234567890&max_age=60&etag=a&expires=60&h=Content-Location:/c&h=Vary:X-Z   206 HIT
    > Range: bytes=0-1
    < Content-Range: bytes 0-1/11
    <~ Date: ^\w{3}, .* GMT$
    < Cache-Control: max-age=60
    < ETag: "a"
    <~ Expires: ^\w{3}, .* GMT$
    < Content-Location: /c
    < Vary: X-Z



=== TEST 11: unsatisfiable of an item that stands in for an error
--- store
$TIER
--- config eval: $::Both
--- steps
GET /rfc/o?body=01234567890&max_age=1&status=200|503    200 MISS
wait 1.1
GET /rfc/o?body=01234567890&max_age=1&status=200|503    416
    > Range: bytes=11-
    < Content-Range: bytes */11
    <! Cache-Control
    <! Age
GET /rfc/o?body=01234567890&max_age=1&status=200|503    206 UPDATING
    > Range: bytes=10-
    < Content-Range: bytes 10-10/11
