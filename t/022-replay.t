# What a client gets from an entry: HEAD, conditions and ranges answered as
# RFC 9110 asks, the fields of the stored response, over every kind of link.
use lib 't/lib';
use CachebackTest;
use EachTier;

# --- h2: curl, a command line each, its output behind `=>` as a regex.
add_response_body_check(sub {
    my ($block, $body, $index, $repeated, $dry_run) = @_;
    return if $dry_run || !defined $block->h2;
    for my $line (split /\n/, $block->h2) {
        my $text = CachebackTest::expand($line, $block->name);
        my ($words, $expected) = split / => /, $text, 2;
        open my $out, '-|', 'curl', '-s', '-m', '5', '-H',
            'Host: ' . server_name(), split(' ', $words) or die "curl: $!\n";
        my $answer = do { local $/; <$out> } // '';
        close $out;
        Test::More::like($answer, qr/$expected/s, $block->name . " - $words");
    }
});

run_tests_on_each_tier();

__DATA__

=== TEST 1: HEAD
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?size=5000&etag=a             200 MISS
HEAD /o?size=5000&etag=a            200 HIT
    < Content-Length: 5000
    < Content-Type: text/plain
    < ETag: "a"
    < Age
    ==
GET /o?size=5000&etag=a             200 HIT
    ~ \A/o #1
origin /o 1



=== TEST 2: a HEAD on a missing item passes, and one background fill follows
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
HEAD /o?size=5000                   200 MISS
    < Content-Length: 5000
    ==
origin /o 2
fields /o
    ~ ^GET /o
GET /o?size=5000                    200 HIT
    ~ \A/o #2
HEAD /private?cc=private            200 MISS
origin /private 1
GET /private?cc=private             200 MISS



=== TEST 3: If-None-Match
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?etag=a&cc=max-age=60         200 MISS
GET /o?etag=a&cc=max-age=60         304 HIT
    > If-None-Match: "a"
    < ETag: "a"
    < Cache-Control: max-age=60
    <! Content-Length
    <! Content-Type
    ==
GET /o?etag=a&cc=max-age=60         304 HIT
    > If-None-Match: "x", W/"a"
GET /o?etag=a&cc=max-age=60         304 HIT
    > If-None-Match: *
GET /o?etag=a&cc=max-age=60         200 HIT
    > If-None-Match: "b"
    = /o #1
HEAD /o?etag=a&cc=max-age=60        304 HIT
    > If-None-Match: "a"
origin /o 1



=== TEST 4: If-Modified-Since
--- store
$TIER
--- config
location / {
    cacheback pages;
    if_modified_since before;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?modified=1000000000          200 MISS
    < Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
GET /o?modified=1000000000          200 HIT
    < Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
GET /o?modified=1000000000          304 HIT
    > If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT
    < Last-Modified: Sun, 09 Sep 2001 01:46:40 GMT
    ==
GET /o?modified=1000000000          304 HIT
    > If-Modified-Since: Mon, 10 Sep 2001 01:46:40 GMT
GET /o?modified=1000000000          200 HIT
    > If-Modified-Since: Sat, 08 Sep 2001 01:46:40 GMT
    = /o #1
GET /o?modified=1000000000          412 HIT
    > If-Unmodified-Since: Sat, 08 Sep 2001 01:46:40 GMT
GET /o?modified=1000000000          200 HIT
    > If-Unmodified-Since: Sun, 09 Sep 2001 01:46:40 GMT
    = /o #1
origin /o 1



=== TEST 5: a conditional miss passes, and one background fill follows
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?etag=a                       304 MISS
    > If-None-Match: "a"
    < ETag: "a"
origin /o 2
fields /o
    !~ ^If-None-Match
GET /o?etag=a                       200 HIT
    = /o #2
GET /p?etag=a                       200 MISS
    > If-None-Match: "b"
    = /p #1
origin /p 2
GET /p?etag=a                       200 HIT
    = /p #2



=== TEST 6: ranges
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?body=0123456789&etag=a       200 MISS
GET /o?body=0123456789&etag=a       206 HIT
    > Range: bytes=2-4
    < Content-Range: bytes 2-4/10
    < Content-Length: 3
    < ETag: "a"
    == 234
GET /o?body=0123456789&etag=a       206 HIT
    > Range: bytes=-3
    < Content-Range: bytes 7-9/10
    == 789
GET /o?body=0123456789&etag=a       206 HIT
    > Range: bytes=7-
    == 789
GET /o?body=0123456789&etag=a       206 HIT
    > Range: bytes=0-0
    == 0
GET /o?body=0123456789&etag=a       206 HIT
    > Range: bytes=5-500
    < Content-Range: bytes 5-9/10
    == 56789
GET /o?body=0123456789&etag=a       416
    > Range: bytes=10-
    < Content-Range: bytes */10
GET /o?body=0123456789&etag=a       206 HIT
    > Range: bytes=0-1,8-9
    ~ Content-Range: bytes 0-1/10\r\n\r\n01\r\n
    ~ Content-Range: bytes 8-9/10\r\n\r\n89\r\n
GET /o?body=0123456789&etag=a       200 HIT
    > Range: lines=1-2
    == 0123456789
HEAD /o?body=0123456789&etag=a      200 HIT
    > Range: bytes=2-4
    < Content-Length: 10
    ==
GET /o?body=0123456789&etag=a       200 HIT
    < Accept-Ranges: bytes
    == 0123456789
origin /o 1



=== TEST 7: If-Range
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?body=0123456789&etag=a       200 MISS
GET /o?body=0123456789&etag=a       206 HIT
    > Range: bytes=2-4
    > If-Range: "a"
    == 234
GET /o?body=0123456789&etag=a       200 HIT
    > Range: bytes=2-4
    > If-Range: "b"
    == 0123456789
GET /d?body=0123456789&modified=1000000000   200 MISS
GET /d?body=0123456789&modified=1000000000   206 HIT
    > Range: bytes=2-4
    > If-Range: Sun, 09 Sep 2001 01:46:40 GMT
    == 234
GET /d?body=0123456789&modified=1000000000   200 HIT
    > Range: bytes=2-4
    > If-Range: Sun, 09 Sep 2001 01:46:41 GMT
    == 0123456789



=== TEST 8: a range of a missing item passes, and one background fill follows
--- store
$TIER
--- user_files
>>> f.txt
0123456789
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
location /f.txt { cacheback pages; root html; }
--- steps
GET /o?status=206|200&body=234|0123456789&h=Content-Range:bytes+2-4/10    206 MISS
    > Range: bytes=2-4
    == 234
origin /o 2
fields /o
    !~ ^Range
GET /o?status=206|200&body=234|0123456789&h=Content-Range:bytes+2-4/10    200 HIT
    == 0123456789
GET /f.txt                          206 MISS
    > Range: bytes=2-4
    == 234
wait 0.05
GET /f.txt                          206 HIT
    > Range: bytes=-3
    ~ \A89\n\z



=== TEST 9: Age counts on, Date stays that of the origin
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?h=Age:100&cc=max-age=600     200 MISS
GET /o?h=Age:100&cc=max-age=600     200 HIT
    < Age: 100
wait 1.1
GET /o?h=Age:100&cc=max-age=600     200 HIT
    < Age: 101
GET /date?h=Date:Sun,+09+Sep+2001+01:46:40+GMT   200 MISS
GET /date?h=Date:Sun,+09+Sep+2001+01:46:40+GMT   200 HIT
    < Date: Sun, 09 Sep 2001 01:46:40 GMT
GET /none                           200 MISS
GET /none                           200 HIT
    < Age
    < Date



=== TEST 10: the fields of the origin, as they came
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?type=text/html;+charset=koi8-r&h=Link:a&h=Link:b&h=X-Own:one&h=X-Own:two&h=Content-Language:de&cc=max-age=60&h=Cache-Control:public&h=Content-Disposition:inline    200 MISS
GET /o?type=text/html;+charset=koi8-r&h=Link:a&h=Link:b&h=X-Own:one&h=X-Own:two&h=Content-Language:de&cc=max-age=60&h=Cache-Control:public&h=Content-Disposition:inline    200 HIT
    < Content-Type: text/html; charset=koi8-r
    < Link: a, b
    < X-Own: one, two
    < Content-Language: de
    < Cache-Control: max-age=60, public
    < Content-Disposition: inline
    < Content-Length: 6
    < Connection: close
    <! Transfer-Encoding
    = /o #1
GET /u?type=text/plain;+a=b;charset="utf-8"    200 MISS
GET /u?type=text/plain;+a=b;charset="utf-8"    200 HIT
    ~ ^/u #1
    < Content-Type: text/plain; a=b;charset="utf-8"
GET /gone?status=410                410 MISS
GET /gone?status=410                410 HIT
    = /gone #1



=== TEST 11: fields of this hop are neither stored nor sent
--- store
$TIER
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_pass_header Server;
}
--- steps
GET /o?h=Connection:X-Hop&h=X-Hop:1&h=Keep-Alive:timeout=5&h=Proxy-Authenticate:Basic&h=Upgrade:h2c&h=X-Kept:1   200 MISS
GET /o?h=Connection:X-Hop&h=X-Hop:1&h=Keep-Alive:timeout=5&h=Proxy-Authenticate:Basic&h=Upgrade:h2c&h=X-Kept:1   200 HIT
    < X-Kept: 1
    <! X-Hop
    <! Keep-Alive
    <! Upgrade
    <! Proxy-Authenticate
    < Connection: close



=== TEST 12: Location stays as it came
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
location /relative/ {
    cacheback         pages;
    absolute_redirect off;
    proxy_pass        http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /rewritten/ {
    cacheback      pages;
    proxy_pass     http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_redirect http://app/ /rewritten/;
}
location /files/ { cacheback pages; root html; }
--- user_files
>>> files/dir/index.html
a page
>>> files/other/index.html
another
--- steps
GET /o?status=301&h=Location:/there    301 MISS
    < Location: /there
GET /o?status=301&h=Location:/there    301 HIT
    < Location: /there
GET /relative/o?status=301&h=Location:/there    301 MISS
    < Location: /there
GET /relative/o?status=301&h=Location:/there    301 HIT
    < Location: /there
GET /far?status=308&h=Location:https://example.com/there    308 MISS
GET /far?status=308&h=Location:https://example.com/there    308 HIT
    < Location: https://example.com/there
GET /rewritten/o?status=301&h=Location:http://app/there    301 MISS
    < Location: /rewritten/there
GET /rewritten/o?status=301&h=Location:http://app/there    301 HIT
    < Location: /rewritten/there
GET /files/dir    301 MISS
    < Location: /files/dir/
GET /files/dir    301 HIT
    < Location: /files/dir/
HEAD /files/other    301 MISS
    < Location: /files/other/
HEAD /o?status=301&head=1&h=Connection:X-Own&h=X-Own:1    301 MISS
    <! X-Own



=== TEST 13: a client of HTTP/1.0
--- store
$TIER
--- config
location / {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_http_version 1.1;
}
location /ask { proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/o; proxy_set_header Host $host; }
--- steps
GET /ask?chunked=1                  200
    = /o #1
GET /ask?chunked=1                  200
    = /o #1
origin /o 1



=== TEST 14: requests one after the other on one connection
--- store
$TIER
--- config
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- pipelined_requests eval
["GET /o?size=9", "GET /o?size=9", "GET /p?size=8", "GET /p?size=8"]
--- response_body eval
["/o #1 /o ", "/o #1 /o ", "/p #1 /p", "/p #1 /p"]
--- response_headers eval
["X-Cache: MISS", "X-Cache: HIT", "X-Cache: MISS", "X-Cache: HIT"]



=== TEST 15: a refresh does not hold up what is pipelined behind its stale answer
--- store
$TIER
--- config
location / { cacheback pages 200ms; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
location /ask {
    echo_sleep 0.25;
    echo waited;
}
--- pipelined_requests eval
["GET /o?delay=0|5", "GET /ask", "GET /o?delay=0|5", "GET /o?delay=0|5", "GET /p"]
--- timeout: 3
--- response_body eval
["/o #1\n", "waited\n", "/o #1\n", "/o #1\n", "/p #1\n"]



=== TEST 16: HTTP/2
--- skip_eval: 3: `curl --version` !~ /HTTP2/
--- store
$TIER
--- config
listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1 http2;
location / { cacheback pages; proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- request
GET /o?etag=a&size=20
--- response_body: /o #1 /o #1 /o #1 /o
--- h2
--http2-prior-knowledge -i http://127.0.0.1:$TEST_NGINX_RAND_PORT_1/o?etag=a&size=20 => \AHTTP/2 200 .*x-cache: HIT.*\n/o #1 /o #1 /o #1 /o\z
--http2-prior-knowledge -I http://127.0.0.1:$TEST_NGINX_RAND_PORT_1/o?etag=a&size=20 => \AHTTP/2 200 .*content-length: 20\r\n.*x-cache: HIT
--http2-prior-knowledge -i -r 3-4 http://127.0.0.1:$TEST_NGINX_RAND_PORT_1/o?etag=a&size=20 => \AHTTP/2 206 .*content-range: bytes 3-4/20.*\n#1\z
--http2-prior-knowledge -i -H If-None-Match:"a" http://127.0.0.1:$TEST_NGINX_RAND_PORT_1/o?etag=a&size=20 => \AHTTP/2 304 .*x-cache: HIT\r\n\r\n\z
