# Which fields are stored, and what a client is sent (RFC 9111 3.1, 4, 5.1).
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Rfc = "location / { cacheback pages; cacheback_policy rfc9111; $Origin }";
our $Ours = "location / { cacheback pages; $Origin }";

run_tests_on_each_tier();

__DATA__

=== TEST 1: all fields are stored, also those nobody knows (3.1)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60&h=X-Unknown:1&h=Content-MD5:rL0Y20zC%2BFzt72VPzMSk2A==&h=Content-Location:/c&h=Clear-Site-Data:cache&h=Public-Key-Pins:x&h=X-Frame-Options:deny&h=Set-Cookie:a=b&h=Set-Cookie2:c=d&h=Link:<a>&h=Link:<b>  200 MISS
GET /o?max_age=60&h=X-Unknown:1&h=Content-MD5:rL0Y20zC%2BFzt72VPzMSk2A==&h=Content-Location:/c&h=Clear-Site-Data:cache&h=Public-Key-Pins:x&h=X-Frame-Options:deny&h=Set-Cookie:a=b&h=Set-Cookie2:c=d&h=Link:<a>&h=Link:<b>  200 HIT
    < X-Unknown: 1
    < Content-MD5: rL0Y20zC+Fzt72VPzMSk2A==
    < Content-Location: /c
    < Clear-Site-Data: cache
    < Public-Key-Pins: x
    < X-Frame-Options: deny
    < Set-Cookie: a=b
    < Set-Cookie2: c=d
    < Link: <a>, <b>



=== TEST 2: but those of the connection, and those it names (3.1, RFC 9110 7.6.1)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60&h=Connection:a,%20x-b&h=A:1&h=X-B:2&h=X-C:3&h=Keep-Alive:x&h=Proxy-Authenticate:x&h=Proxy-Authentication-Info:x&h=Proxy-Connection:x&h=Proxy-Status:p&h=TE:x&h=Upgrade:x     200 MISS
    <! A
    <! X-B
    < X-C: 3
GET /o?max_age=60&h=Connection:a,%20x-b&h=A:1&h=X-B:2&h=X-C:3&h=Keep-Alive:x&h=Proxy-Authenticate:x&h=Proxy-Authentication-Info:x&h=Proxy-Connection:x&h=Proxy-Status:p&h=TE:x&h=Upgrade:x     200 HIT
    <! A
    <! X-B
    < X-C: 3
    <! Keep-Alive
    <! Proxy-Authenticate
    <! Proxy-Authentication-Info
    <! Proxy-Connection
    < Proxy-Status: p
    <! TE
    <! Upgrade



=== TEST 3: in policy cacheback likewise, and no cookie
--- store
$TIER
--- config eval: $::Ours
--- steps
GET /o?max_age=60&h=Connection:x-b&h=X-B:2&h=X-C:3&h=Set-Cookie2:c=d     200 MISS
GET /o?max_age=60&h=Connection:x-b&h=X-B:2&h=X-C:3&h=Set-Cookie2:c=d     200 HIT
    <! X-B
    < X-C: 3
    <! Set-Cookie2
GET /c?max_age=60&h=Set-Cookie:a=b      200 MISS
GET /c?max_age=60&h=Set-Cookie:a=b      200 MISS



=== TEST 4: Age is made, Date stays (4, 5.1)
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60&date=-3       200 MISS
wait 1.1
GET /o?max_age=60&date=-3       200 HIT
    <~ Age: ^[456]$
    <~ Date: ^\w{3}, .* GMT$
GET /p?max_age=60&h=Date:today      200 MISS
GET /p?max_age=60&h=Date:today      200 HIT
    <~ Date: ^\w{3}, .* GMT$



=== TEST 5: an encoded body is stored as it came
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_policy rfc9111; cacheback_accept_encoding gzip; $::Origin }"
--- steps
GET /o?max_age=60&gzip=1        200 MISS
    < Content-Encoding: gzip
GET /o?max_age=60&gzip=1        200 HIT
    < Content-Encoding: gzip
    same



=== TEST 6: nothing is different whether it was just fetched, or whence it comes
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60&etag=a&modified=1000000000&h=X-A:1&h=Cache-Control:public&h=Vary:X-Z&h=Content-Language:de   200 MISS
    < ETag: "a"
    < Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
    < X-A: 1
    < Vary: X-Z
    < Content-Language: de
    < Content-Length: 6
    < Content-Type: text/plain
GET /o?max_age=60&etag=a&modified=1000000000&h=X-A:1&h=Cache-Control:public&h=Vary:X-Z&h=Content-Language:de   200 HIT
    < ETag: "a"
    < Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
    < X-A: 1
    < Vary: X-Z
    < Content-Language: de
    < Content-Length: 6
    < Content-Type: text/plain
    same



=== TEST 7: orders to nginx and this box's own fields are not stored
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60&h=X-Accel-Buffering:yes&h=Server:origin&h=Accept-Ranges:none  200 MISS
GET /o?max_age=60&h=X-Accel-Buffering:yes&h=Server:origin&h=Accept-Ranges:none  200 HIT
    <! X-Accel-Buffering
    <~ Server: ^nginx.*
    < Accept-Ranges: bytes



=== TEST 8: an error is kept no longer than it says, and takes no good item's place
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=max-age=1,stale-while-revalidate=60|max-age=60&status=200|503     200 MISS
wait 1.1
GET /o?cc=max-age=1,stale-while-revalidate=60|max-age=60&status=200|503     200 STALE
origin /o 2
GET /o?cc=max-age=1,stale-while-revalidate=60|max-age=60&status=200|503     200 UPDATING
    = /o #1
GET /e?max_age=1&status=500|200     500 MISS
GET /e?max_age=1&status=500|200     500 HIT
wait 1.1
GET /e?max_age=1&status=500|200     200 EXPIRED
