# cacheback_key_ignore_args, $cacheback_args and $cacheback_uri: one item
# whatever the order of its arguments and those that do not matter.
# $cacheback_scheme: the scheme that the client used, as far as we are told.
use lib 't/lib';
use CachebackTest;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-Key $cacheback_key always;
    add_header X-Args $cacheback_args always;
    add_header X-Scheme $cacheback_scheme always;';

run_tests();

__DATA__

=== TEST 1: the default key follows the variable
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback                 pages;
    cacheback_key_ignore_args utm_* fbclid;
    $::Origin
}"
--- steps
GET /o?utm_source=mail&b=2&a=1&fbclid=x     200 MISS
    > Host: one.test
    < X-Key: http://one.test/o?a=1&b=2
    < X-Args: a=1&b=2
GET /o?a=1&b=2&utm_medium=web               200 HIT
    > Host: one.test
GET /o?b=2&&a=1&                            200 HIT
    > Host: one.test
GET /o?a=1&b=3                              200 MISS
    > Host: one.test
GET /o?a=2&a=1                              200 MISS
    > Host: one.test
    < X-Args: a=2&a=1
GET /o?a=1&a=2                              200 MISS
    > Host: one.test



=== TEST 2: nothing but ignored arguments: as if there were none
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback                 pages;
    cacheback_key_ignore_args utm_*;
    $::Origin
}"
--- steps
GET /a/../o?utm_a=1     200 MISS
    > Host: one.test
    < X-Key: http://one.test/a/../o
    <! X-Args
GET /a/../o             200 HIT
    > Host: one.test
GET /a/../o?            200 HIT
    > Host: one.test



=== TEST 3: the origin gets the arguments as they came, also in the background
--- store
memory 1m;
--- config eval
"location / {
    cacheback                 pages;
    cacheback_key_ignore_args utm_*;
    $::Origin
}"
--- steps
GET /o?max_age=1&utm_a=1&b=2    200 MISS
fields /o
    ~ ^GET /o\?max_age=1&utm_a=1&b=2 HTTP
wait 1.1
GET /o?b=2&max_age=1            200 STALE
origin /o 2
fields /o
    ~ ^GET /o\?b=2&max_age=1 HTTP
GET /o?b=2&max_age=1            200 HIT
    = /o #2



=== TEST 4: a rewrite changes $cacheback_args as it changes $args, and no default key
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location /post/ {
    cacheback                 pages;
    cacheback_key_ignore_args utm_*;
    rewrite ^/post/(.*)$ /o?p=$1 break;
    ' . $::Origin . '
}
location /own/ {
    cacheback     pages;
    cacheback_key $uri?$cacheback_args;
    rewrite ^/own/(.*)$ /own?p=$1 break;
    ' . $::Origin . '
}'
--- steps
GET /post/7?z=1&utm_a=1     200 MISS
    > Host: one.test
    < X-Key: http://one.test/post/7?z=1
    < X-Args: p=7&z=1
GET /post/8?z=1             200 MISS
    > Host: one.test
GET /own/7?z=1              200 MISS
    < X-Key: /own?p=7&z=1
GET /own/8?z=1              200 MISS
    < X-Key: /own?p=8&z=1



=== TEST 5: inherited, replaced by an inner list, and without a say in a key of one's own
--- store
memory 1m;
--- http_config eval
"$::Shown
cacheback_key_ignore_args a;"
--- config eval
'cacheback pages;
location / { ' . $::Origin . ' }
location /b {
    cacheback_key_ignore_args b;
    cacheback_key_ignore_args c*;
    ' . $::Origin . '
}
location /own { cacheback_key own:$request_uri; ' . $::Origin . ' }'
--- steps
GET /o?b=2&a=1          200 MISS
    > Host: one.test
    < X-Key: http://one.test/o?b=2
GET /b?c1=3&b=2&a=1     200 MISS
    > Host: one.test
    < X-Key: http://one.test/b?a=1
GET /own?b=2&a=1        200 MISS
    < X-Key: own:/own?b=2&a=1
    < X-Args: b=2



=== TEST 6: only where it is set: elsewhere the default key is what it was
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"cacheback pages;
location / { $::Origin }
location /sorted {
    cacheback_key_ignore_args none;
    $::Origin
    location /sorted/below { $::Origin }
}"
--- steps
GET /o?b=2&a=1              200 MISS
    > Host: one.test
    < X-Key: http://one.test/o?b=2&a=1
    < X-Args: a=1&b=2
GET /sorted?b=2&a=1         200 MISS
    > Host: one.test
    < X-Key: http://one.test/sorted?a=1&b=2
GET /sorted/below?b=2&a=1   200 MISS
    > Host: one.test
    < X-Key: http://one.test/sorted/below?a=1&b=2



=== TEST 7: bad: no name
--- config
cacheback_key_ignore_args "";
--- refused
invalid value "" in "cacheback_key_ignore_args", expected the name of an
argument such as "fbclid" or the begin of names such as "utm_*"



=== TEST 8: bad: a star in the middle
--- config
cacheback_key_ignore_args a utm_*_x;
--- refused
invalid value "utm_*_x" in "cacheback_key_ignore_args", expected the name of an
argument such as "fbclid" or the begin of names such as "utm_*"



=== TEST 9: bad: a variable
--- config
cacheback_key_ignore_args $arg_a;
--- refused
invalid value "$arg_a" in "cacheback_key_ignore_args", expected the name of an
argument such as "fbclid" or the begin of names such as "utm_*"



=== TEST 10: bad: nothing
--- config
cacheback_key_ignore_args;
--- refused
invalid number of arguments in "cacheback_key_ignore_args" directive



=== TEST 11: $cacheback_scheme believes "https" to the letter, and nothing else
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
GET /o      200 MISS
    < X-Scheme: http
GET /o      200 MISS
    > X-Forwarded-Proto: https
    < X-Scheme: https
GET /o      200 HIT
    > X-Forwarded-Proto: https
    = /o #2
GET /o      200 HIT
    > X-Forwarded-Proto: http
    = /o #1
    < X-Scheme: http
GET /o      200 BYPASS
    > X-Forwarded-Proto: HTTPS
    < X-Scheme: http
GET /o      200 BYPASS
    > X-Forwarded-Proto: https, http
    < X-Scheme: http
GET /o      200 BYPASS
    > X-Forwarded-Proto: https
    > X-Forwarded-Proto: http
    < X-Scheme: http
GET /o      200 BYPASS
    > X-Forwarded-Proto: http
    > X-Forwarded-Proto: https
    < X-Scheme: http
GET /o      200 HIT
    > X-Forwarded-Proto: https
    > X-Forwarded-Proto: https
    < X-Scheme: https



=== TEST 12: $cacheback_scheme in a background fetch is that of the item
--- store
memory 1m;
--- config eval
'location / {
    cacheback        pages;
    cacheback_key    $cacheback_scheme$request_uri;
    proxy_set_header X-Scheme $cacheback_scheme;
    ' . $::Origin . '
}'
--- steps
GET /o?max_age=1        200 MISS
    > X-Forwarded-Proto: https
wait 1.1
GET /o?max_age=1        200 STALE
    > X-Forwarded-Proto: https
origin /o 2
fields /o
    ~ ^X-Scheme: https$
    ~ ^Cacheback-Refresh: 1$



=== TEST 13: the variables without a cache
--- config
location / {
    return 200 "$cacheback_scheme $cacheback_args $cacheback_uri";
}
--- request
GET /p?b&a
--- response_body chomp
http a&b /p?a&b
