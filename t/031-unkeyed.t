# cacheback_unkeyed: request fields that change an answer without being in its
# key. Who sends one passes, and what he gets reaches nobody else.
use lib 't/lib';
use CachebackTest;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-Reason $cacheback_reason always;';

run_tests();

__DATA__

=== TEST 1: by default: method and URI in disguise, and another host
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o      200 BYPASS
    > X-HTTP-Method-Override: POST
    < X-Reason: unkeyed
GET /o      200 BYPASS
    > x-method-override: DELETE
    < X-Reason: unkeyed
GET /o      200 BYPASS
    > X-Original-URL: /admin
    < X-Reason: unkeyed
GET /o      200 BYPASS
    > X-Rewrite-URL: /admin
    < X-Reason: unkeyed
GET /o      200 BYPASS
    > X-Forwarded-Host: evil.test
    < X-Reason: unkeyed
GET /o      200 MISS
    = /o #6
    <! X-Reason
GET /o      200 BYPASS
    > X-Original-URL: /admin
    = /o #7
GET /o      200 HIT
    = /o #6



=== TEST 2: the origin gets what the client sent
--- store
memory 1m;
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o      200 BYPASS
    > X-Original-URL: /admin
fields /o
    ~ ^X-Original-URL: /admin$



=== TEST 3: X-Forwarded-Host that is $host is no other host
--- store
memory 1m;
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /h      200 MISS
    > Host: one.test:8080
    > X-Forwarded-Host: One.test
GET /h      200 HIT
    > Host: one.test
GET /h      200 BYPASS
    > Host: one.test
    > X-Forwarded-Host: one.test
    > X-Forwarded-Host: evil.test
GET /h      200 BYPASS
    > Host: one.test
    > X-Forwarded-Host: one.test:81
GET /h      200 BYPASS
    > Host: one.test
    > X-Forwarded-Host:



=== TEST 4: scheme and port that a balancer names in its usual words
--- store
memory 1m;
--- config eval
'location / {
    cacheback     pages;
    cacheback_key $cacheback_scheme://$host$request_uri;
    ' . $::Origin . '
}'
--- steps
GET /o      200 MISS
    > Host: one.test
    > X-Forwarded-Proto: https
    > X-Forwarded-Scheme: https
    > X-Forwarded-Port: 443
    > Forwarded: for=192.0.2.1;host="one.test";proto=https
GET /o      200 HIT
    > Host: one.test
    > X-Forwarded-Proto: https
    > X-Forwarded-Port: $TEST_NGINX_SERVER_PORT
    > Forwarded: for=192.0.2.9, for=10.0.0.1
    = /o #1
GET /o      200 MISS
    > Host: one.test
    > X-Forwarded-Proto: http
    > X-Forwarded-Port: 80
    > Forwarded: proto=http
GET /o      200 HIT
    > Host: one.test
    = /o #2



=== TEST 5: a scheme, host or port that the key does not say
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / {
    cacheback     pages;
    cacheback_key $cacheback_scheme://$host$request_uri;
    ' . $::Origin . '
}'
--- steps
GET /o      200 BYPASS
    > X-Forwarded-Proto: HTTPS
    < X-Reason: unkeyed
GET /o      200 BYPASS
    > X-Forwarded-Proto: https,http
    < X-Reason: unkeyed
GET /o      200 BYPASS
    > X-Forwarded-Proto:
    < X-Reason: unkeyed
GET /o      200 BYPASS
    > X-Forwarded-Scheme: https
    < X-Reason: unkeyed
GET /o      200 BYPASS
    > X-Forwarded-Port: 443
    < X-Reason: unkeyed
GET /o      200 BYPASS
    > X-Forwarded-Proto: https
    > X-Forwarded-Port: 80
    < X-Reason: unkeyed
GET /o      200 BYPASS
    > X-Forwarded-Port: 8443
    < X-Reason: unkeyed
GET /o      200 BYPASS
    > Forwarded: for=192.0.2.1;host=evil.test
    < X-Reason: unkeyed
GET /o      200 BYPASS
    > Forwarded: proto=https
    < X-Reason: unkeyed
GET /o      200 MISS
    = /o #10



=== TEST 6: a port that the key names, or that is off the list
--- store
memory 1m;
--- config eval
'location / {
    cacheback     pages;
    cacheback_key $scheme://$host:$http_x_forwarded_port$request_uri;
    ' . $::Origin . '
}
location /own/ {
    cacheback         pages;
    cacheback_unkeyed X-Forwarded-Host Forwarded;
    ' . $::Origin . '
}'
--- steps
GET /o      200 MISS
    > X-Forwarded-Port: 8443
GET /o      200 HIT
    > X-Forwarded-Port: 8443
GET /o      200 MISS
    > X-Forwarded-Port: 9443
GET /own/o  200 MISS
    > X-Forwarded-Port: 8443
GET /own/o  200 HIT
    > X-Forwarded-Proto: HTTPS
GET /own/o  200 BYPASS
    > Forwarded: host=evil.test



=== TEST 7: an underscore is a dash to CGI
--- store
memory 1m;
--- config eval
"underscores_in_headers on;
location / { cacheback pages; $::Origin }"
--- steps
GET /o      200 BYPASS
    > X_Original_URL: /admin
GET /o      200 BYPASS
    > X_Forwarded-Host: evil.test
GET /o      200 MISS



=== TEST 8: HEAD and Range with such a field fill nothing
--- store
memory 1m;
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
HEAD /o     200 BYPASS
    > X-Rewrite-URL: /admin
GET /o      200 BYPASS
    > X-Rewrite-URL: /admin
    > Range: bytes=0-1
wait 0.2
origin /o 2
GET /o      200 MISS



=== TEST 9: it wins over cacheback_bypass, whose answers are stored
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / { cacheback pages; cacheback_bypass $arg_new; ' . $::Origin . ' }'
--- steps
GET /o          200 MISS
GET /o?new=1    200 BYPASS
    > X-Original-URL: /admin
    < X-Reason: unkeyed
GET /o          200 HIT
    = /o #1



=== TEST 10: an own list replaces the default one; several lines add up
--- store
memory 1m;
--- config eval
"location / {
    cacheback         pages;
    cacheback_unkeyed X-Debug X-Theme;
    cacheback_unkeyed X-Beta;
    $::Origin
}"
--- steps
GET /o      200 MISS
    > X-Original-URL: /admin
GET /o      200 BYPASS
    > X-debug: 1
GET /o      200 BYPASS
    > X-Beta: 1
GET /o      200 BYPASS
    > X-Theme:
GET /o      200 HIT
    > X-Themes: 1
    = /o #1



=== TEST 11: off
--- store
memory 1m;
--- config eval
"location / { cacheback pages; cacheback_unkeyed off; $::Origin }"
--- steps
GET /o      200 MISS
    > X-Original-URL: /admin
GET /o      200 HIT
    > X-Forwarded-Host: other.test



=== TEST 12: inherited, switched off, and a list again below
--- store
memory 1m;
--- http_config
cacheback_unkeyed X-Debug;
--- config eval
"cacheback pages;
location / { $::Origin }
location /off/ {
    cacheback_unkeyed off;
    $::Origin
    location /off/below/ { $::Origin }
    location /off/own/ { cacheback_unkeyed X-Beta; $::Origin }
}"
--- steps
GET /o              200 BYPASS
    > X-Debug: 1
GET /off/o          200 MISS
    > X-Debug: 1
GET /off/below/o    200 MISS
    > X-Debug: 1
GET /off/own/o      200 MISS
    > X-Debug: 1
GET /off/own/o      200 BYPASS
    > X-Beta: 1



=== TEST 13: a field that the key names is keyed
--- store
memory 1m;
--- config eval
'location / {
    cacheback     pages;
    cacheback_key $http_x_forwarded_host$request_uri;
    ' . $::Origin . '
}
location /own/ {
    cacheback         pages;
    cacheback_key     $http_x_forwarded_host$request_uri;
    cacheback_unkeyed X-Forwarded-Host;
    ' . $::Origin . '
}'
--- steps
GET /o?max_age=1    200 MISS
    > X-Forwarded-Host: one.test
GET /o?max_age=1    200 HIT
    > X-Forwarded-Host: one.test
GET /o?max_age=1    200 MISS
    > X-Forwarded-Host: two.test
GET /o              200 BYPASS
    > X-Forwarded-Host: two.test
    > X-Original-URL: /admin
wait 1.1
GET /o?max_age=1    200 STALE
    > X-Forwarded-Host: two.test
origin /o 4
fields /o
    ~ ^X-Forwarded-Host: two.test$
    ~ ^Cacheback-Refresh: 1$
GET /own/o          200 BYPASS
    > X-Forwarded-Host: two.test



=== TEST 14: what is not listed but forwarded reaches the background
--- store
memory 1m;
--- config eval
"location / { cacheback pages; cacheback_unkeyed X-Debug; $::Origin }"
--- steps
GET /o?max_age=1    200 MISS
wait 1.1
GET /o?max_age=1    200 STALE
    > X-Forwarded-Host: balancer.test
    > X-Original-URL: /admin
origin /o 2
fields /o
    ~ ^X-Forwarded-Host: balancer.test$
    !~ X-Original-URL



=== TEST 15: bad: off beside a name
--- config
cacheback_unkeyed X-Debug off;
--- refused
invalid value "off" in "cacheback_unkeyed", expected names of request fields,
or "off" alone



=== TEST 16: bad: off and a list on one level
--- config
cacheback_unkeyed X-Debug;
cacheback_unkeyed off;
--- refused
"cacheback_unkeyed" directive is duplicate, "off" stands alone



=== TEST 17: bad: a list behind off
--- config
cacheback_unkeyed off;
cacheback_unkeyed X-Debug;
--- refused
"cacheback_unkeyed" directive is duplicate, "off" stands alone



=== TEST 18: bad: not the name of a field
--- config
cacheback_unkeyed "X Debug";
--- refused
invalid value "X Debug" in "cacheback_unkeyed", expected names of request
fields, or "off" alone



=== TEST 19: Host beside a request line that names another one (RFC 9112 3.2.2)
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"proxy_set_header Host \$http_host;
location / { cacheback pages; $::Origin }
location /own/ { cacheback pages; cacheback_key \$http_host\$request_uri; $::Origin }
location /off/ { cacheback pages; cacheback_unkeyed off; $::Origin }"
--- steps
GET http://a.test/o         200 BYPASS
    > Host: b.test
    < X-Reason: unkeyed
fields /o
    ~ ^Host: b.test$
GET http://a.test/o         200 MISS
    > Host: A.test:80
GET /o                      200 HIT
    > Host: a.test
    = /o #2
GET http://a.test/own/o     200 MISS
    > Host: b.test
GET /own/o                  200 HIT
    > Host: b.test
GET http://a.test/off/o     200 MISS
    > Host: b.test



=== TEST 20: bad: a variable
--- config
cacheback_unkeyed $http_x_debug;
--- refused
invalid value "$http_x_debug" in "cacheback_unkeyed", expected names of request
fields, or "off" alone



=== TEST 21: bad: nothing
--- config
cacheback_unkeyed;
--- refused
invalid number of arguments in "cacheback_unkeyed" directive
