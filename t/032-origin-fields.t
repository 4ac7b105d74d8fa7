# What fills and refreshes send, and where they are seen:
# cacheback_accept_encoding, cacheback_refresh_header, cacheback_refresh_log.
use lib 't/lib';
use CachebackTest;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-Reason $cacheback_reason always;';

run_tests();

__DATA__

=== TEST 1: identity by default, for clients and in the background
--- store
memory 1m;
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?max_age=1    200 MISS
    > Accept-Encoding: br, gzip
fields /o
    ~ ^Accept-Encoding: identity$
    !~ gzip
wait 1.1
GET /o?max_age=1    200 STALE
    > Accept-Encoding: br, gzip
origin /o 2
fields /o
    ~ ^Accept-Encoding: identity$
    !~ gzip



=== TEST 2: another one; what passes unstored keeps the client's
--- store
memory 1m;
--- config eval
'location / {
    cacheback                 pages;
    cacheback_accept_encoding "gzip, identity;q=0.5";
    cacheback_skip            $arg_skip;
    ' . $::Origin . '
}'
--- steps
GET /o?max_age=1    200 MISS
    > Accept-Encoding: br
fields /o
    ~ ^Accept-Encoding: gzip, identity;q=0.5$
    !~ br
wait 1.1
GET /o?max_age=1    200 STALE
origin /o 2
fields /o
    ~ ^Accept-Encoding: gzip, identity;q=0.5$
    ~ ^Cacheback-Refresh: 1$
GET /o?skip=1       200 BYPASS
    > Accept-Encoding: br
fields /o
    ~ ^Accept-Encoding: br$



=== TEST 3: one encoded form for all, and gunzip for those who cannot read it
--- store
memory 1m;
--- config eval
"location / {
    cacheback                 pages;
    cacheback_accept_encoding gzip;
    gunzip                    on;
    $::Origin
}"
--- steps
GET /o?gzip=1&h=Vary:Accept-Encoding    200 MISS
    = /o #1
    <! Content-Encoding
GET /o?gzip=1&h=Vary:Accept-Encoding    200 HIT
    = /o #1
GET /o?gzip=1&h=Vary:Accept-Encoding    200 HIT
    > Accept-Encoding: gzip
    < Content-Encoding: gzip
GET /p?gzip=1                           200 MISS
    > Accept-Encoding: gzip
    < Content-Encoding: gzip
GET /p?gzip=1                           200 HIT
    = /p #1



=== TEST 4: inherited and replaced
--- store
memory 1m;
--- http_config
cacheback_accept_encoding gzip;
--- config eval
"cacheback pages;
location / { $::Origin }
location /own/ { cacheback_accept_encoding identity; $::Origin }"
--- steps
GET /o          200 MISS
fields /o
    ~ ^Accept-Encoding: gzip$
GET /own/o      200 MISS
fields /own/o
    ~ ^Accept-Encoding: identity$



=== TEST 5: bad: empty
--- config
cacheback_accept_encoding "";
--- refused
invalid value "" in "cacheback_accept_encoding", expected "identity" or
encodings such as "gzip" or "br, gzip;q=0.5"



=== TEST 6: bad: a variable
--- config
cacheback_accept_encoding $http_accept_encoding;
--- refused
invalid value "$http_accept_encoding" in "cacheback_accept_encoding", expected
"identity" or encodings such as "gzip" or "br, gzip;q=0.5"



=== TEST 7: bad: twice
--- config
cacheback_accept_encoding gzip;
cacheback_accept_encoding gzip;
--- refused
"cacheback_accept_encoding" directive is duplicate



=== TEST 8: cacheback_refresh_header: evaluated on the client's request
--- store
memory 1m;
--- config eval
'location / {
    cacheback                pages;
    cacheback_refresh_header X-Device   $arg_device;
    cacheback_refresh_header X-Purpose  "cache of $host";
    cacheback_refresh_header X-Nothing  "";
    ' . $::Origin . '
}'
--- steps
GET /o?max_age=1&device=tv      200 MISS
    > Host: one.test
    > X-Device: phone
    > X-Nothing: something
    > X-Other: stays
fields /o
    ~ ^X-Device: tv$
    !~ phone
    ~ ^X-Purpose: cache of one.test$
    !~ X-Nothing
    ~ ^X-Other: stays$
    !~ Cacheback-Refresh
wait 1.1
GET /o?max_age=1&device=tv      200 STALE
    > Host: one.test
    > X-Device: phone
    > X-Other: drops
origin /o 2
fields /o
    ~ ^X-Device: tv$
    !~ phone
    ~ ^X-Purpose: cache of one.test$
    !~ X-Nothing
    !~ X-Other
    ~ ^Cacheback-Refresh: 1$



=== TEST 9: requests whose answer is not stored keep what they sent
--- store
memory 1m;
--- config eval
'location / {
    cacheback                pages;
    cacheback_skip           $arg_skip;
    cacheback_refresh_header X-Device tv;
    ' . $::Origin . '
}'
--- steps
GET /o?skip=1   200 BYPASS
    > X-Device: phone
fields /o
    ~ ^X-Device: phone$
    !~ tv
GET /o          200 MISS
    > X-Device: phone
    > Range: bytes=0-0
origin /o 3
fields /o
    ~ ^X-Device: tv$
    ~ ^Cacheback-Refresh: 1$



=== TEST 10: an item that varies on it is one item
--- store
memory 1m;
--- config eval
'location / {
    cacheback                pages;
    cacheback_refresh_header X-Device tv;
    ' . $::Origin . '
}'
--- steps
GET /o?h=Vary:X-Device&max_age=1    200 MISS
    > X-Device: phone
GET /o?h=Vary:X-Device&max_age=1    200 HIT
    > X-Device: watch
wait 1.1
GET /o?h=Vary:X-Device&max_age=1    200 STALE
origin /o 2
GET /o?h=Vary:X-Device&max_age=1    200 HIT
    > X-Device: phone
    = /o #2



=== TEST 11: a cookie and a password of our own, for the background; clients keep theirs
--- store
memory 1m;
--- config eval
'location / {
    cacheback                pages;
    cacheback_ignore_headers Authorization;
    cacheback_refresh_header Cookie        robot=1;
    cacheback_refresh_header Authorization "Basic cm9ib3Q6MQ==";
    ' . $::Origin . '
}'
--- steps
GET /o?max_age=1    200 MISS
    > Cookie: me=1
    > Authorization: Basic bWU6MQ==
fields /o
    ~ ^Cookie: me=1$
    ~ ^Authorization: Basic bWU6MQ==$
    !~ robot
wait 1.1
GET /o?max_age=1    200 STALE
    > Cookie: me=2
    > Authorization: Basic bWU6Mg==
origin /o 2
fields /o
    ~ ^Cookie: robot=1$
    ~ ^Authorization: Basic cm9ib3Q6MQ==$
    !~ me=
    !~ bWU
GET /p?max_age=9    200 MISS
fields /p
    ~ ^Cookie: robot=1$
    ~ ^Authorization: Basic cm9ib3Q6MQ==$



=== TEST 12: a value with a line's end is not sent, and no field of a stranger
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location ~ (?s)^/a/(.*)$ {
    cacheback                pages;
    cacheback_refresh_header X-Path "$1";
    ' . $::Origin . '
}'
--- steps
GET /a/x%0d%0aX-Evil:%201?h=X:1     200 MISS
fields /a/x%250d%250aX-Evil:%25201
    ~ ^Accept-Encoding: identity$
    !~ ^X-Evil
    !~ ^X-Path
log the.value.of."X-Path".in."cacheback_refresh_header".has.a.line's.end
GET /a/y            200 MISS
fields /a/y
    ~ ^X-Path: y$



=== TEST 13: inherited as a whole, and replaced as a whole
--- store
memory 1m;
--- http_config
cacheback_refresh_header X-One 1;
cacheback_refresh_header X-Two 2;
--- config eval
"cacheback pages;
location / { $::Origin }
location /own/ { cacheback_refresh_header X-Two 22; $::Origin }"
--- steps
GET /o          200 MISS
fields /o
    ~ ^X-One: 1$
    ~ ^X-Two: 2$
GET /own/o      200 MISS
fields /own/o
    ~ ^X-Two: 22$
    !~ X-One



=== TEST 14: bad: fields that a fetch decides on
--- config
cacheback_refresh_header Host other.test;
--- refused
invalid field "Host" in "cacheback_refresh_header", a fetch decides on it by
itself



=== TEST 15: bad: a condition
--- config
cacheback_refresh_header if-none-match x;
--- refused
invalid field "if-none-match" in "cacheback_refresh_header", a fetch decides on
it by itself



=== TEST 16: bad: our own
--- config
cacheback_refresh_header Cacheback-Refresh 2;
--- refused
invalid field "Cacheback-Refresh" in "cacheback_refresh_header", a fetch decides
on it by itself



=== TEST 17: bad: not a name
--- config
cacheback_refresh_header "X Y" 1;
--- refused
invalid field "X Y" in "cacheback_refresh_header", expected the name of a
request field



=== TEST 18: bad: no value
--- config
cacheback_refresh_header X-Device;
--- refused
invalid number of arguments in "cacheback_refresh_header" directive



=== TEST 19: bad: a field twice, however it is written
--- config
cacheback_refresh_header X-Device tv;
cacheback_refresh_header x-device phone;
--- refused
duplicate field "x-device" in "cacheback_refresh_header"



=== TEST 20: bad: a variable that nobody knows
--- config
cacheback_refresh_header X-Device $nobody;
--- must_die
--- error_log
unknown "nobody" variable



=== TEST 21: cacheback_refresh_log: fetches enter the access log when they end
--- store
memory 1m;
--- http_config
log_format fetch '$request_uri $request_method $status $cacheback_refresh, $upstream_status $http_host';
--- config eval
'access_log $TEST_NGINX_SERVER_ROOT/logs/fetches.log fetch;
location / {
    cacheback             pages;
    cacheback_refresh_log on;
    ' . $::Origin . '
}
location = /log {
    access_log off;
    alias $TEST_NGINX_SERVER_ROOT/logs/fetches.log;
}'
--- steps
GET /o?max_age=1&status=200|500|200     200 MISS
    > Host: one.test
wait 1.1
GET /o?max_age=1&status=200|500|200     200 STALE
    > Host: one.test
origin /o 2
HEAD /p         200 MISS
    > Host: one.test
origin /p 2
wait 0.1
GET /log        200
    ~ ^/o\?max_age=1&status=200\|500\|200 GET 200 -, 200 one.test$
    ~ ^/o\?max_age=1&status=200\|500\|200 GET 200 -, - one.test$
    ~ ^/o\?max_age=1&status=200\|500\|200 GET 500 1, 500 one.test$
    ~ ^/p HEAD 200 -, 200 one.test$
    ~ ^/p GET 200 1, 200 one.test$



=== TEST 22: not by default, inherited, and off
--- store
memory 1m;
--- http_config
log_format fetch '$request_uri $cacheback_refresh.';
--- config eval
'access_log $TEST_NGINX_SERVER_ROOT/logs/fetches.log fetch;
cacheback pages;
location / { ' . $::Origin . ' }
location /on/ {
    cacheback_refresh_log on;
    ' . $::Origin . '
    location /on/below/ { ' . $::Origin . ' }
    location /on/off/ { cacheback_refresh_log off; ' . $::Origin . ' }
}
location = /log {
    access_log off;
    alias $TEST_NGINX_SERVER_ROOT/logs/fetches.log;
}'
--- steps
HEAD /o             200 MISS
HEAD /on/o          200 MISS
HEAD /on/below/o    200 MISS
HEAD /on/off/o      200 MISS
origin /o 2
origin /on/o 2
origin /on/below/o 2
origin /on/off/o 2
wait 0.1
GET /log            200
    !~ ^/o 1
    ~ ^/on/o 1.$
    ~ ^/on/below/o 1.$
    !~ ^/on/off/o 1



=== TEST 23: a fetch that runs into its limit, and one that finds nobody, are logged
--- store
memory 1m;
--- http_config
log_format fetch '$request_uri $status $cacheback_refresh.';
--- config eval
'access_log $TEST_NGINX_SERVER_ROOT/logs/fetches.log fetch;
location / {
    cacheback                 pages;
    cacheback_refresh_log     on;
    cacheback_refresh_timeout 500ms;
    ' . $::Origin . '
}
location = /log {
    access_log off;
    alias $TEST_NGINX_SERVER_ROOT/logs/fetches.log;
}'
--- steps
GET /o?max_age=1&delay=0|2      200 MISS
GET /p?max_age=1&reset=0|1      200 MISS
wait 1.1
GET /o?max_age=1&delay=0|2      200 STALE
GET /p?max_age=1&reset=0|1      200 STALE
wait 0.8
GET /log            200
    ~ ^/o\?max_age=1&delay=0\|2 \d+ 1.$
    ~ ^/p\?max_age=1&reset=0\|1 502 1.$
--- errors



=== TEST 24: log_by_lua of the location sees the fetch as well
--- store
memory 1m;
--- config eval
'location / {
    cacheback             pages;
    cacheback_refresh_log on;
    log_by_lua_block {
        ngx.log(ngx.INFO, "logged ", ngx.var.uri, " refresh=",
                ngx.var.cacheback_refresh or "no", " status=", ngx.status)
    }
    ' . $::Origin . '
}'
--- steps
HEAD /o         200 MISS
origin /o 2
log logged./o.refresh=no.status=200 1
log logged./o.refresh=1.status=200 1



=== TEST 25: bad: neither on nor off
--- config
cacheback_refresh_log yes;
--- refused
invalid value "yes" in "cacheback_refresh_log" directive, it must be "on" or "off"
