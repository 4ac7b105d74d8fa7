# The module loads, and a loaded module that is not used changes nothing.
use lib 't/lib';
use CachebackTest;

run_tests();

__DATA__

=== TEST 1: nginx runs with the module loaded
--- config
location = /t { return 200 "here\n"; }
--- steps
GET /t              200
    = here



=== TEST 2: an unused module leaves answers as they are
--- config
location / { proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- steps
GET /o?etag=a&cc=max-age=60     200
    < ETag: "a"
    < Cache-Control: max-age=60
    <! Age
    = /o #1
GET /o?etag=a&cc=max-age=60     304
    > If-None-Match: "a"
origin /o 2



=== TEST 3: an unused module leaves ranges and conditions to nginx
--- user_files
>>> f.txt
0123456789
--- config
location / { root html; if_modified_since before; }
--- steps
GET /f.txt          206
    > Range: bytes=2-4
    == 234
GET /f.txt          304
    > If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT
HEAD /f.txt         200
    < Content-Length: 11
