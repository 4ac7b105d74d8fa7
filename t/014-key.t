# cacheback_key: what makes two requests one item, and what of it reaches the
# origin when the item is refreshed in the background.
use lib 't/lib';
use CachebackTest;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-Key $cacheback_key always;
    add_header X-Reason $cacheback_reason always;';

run_tests();

__DATA__

=== TEST 1: the default: scheme, host and the URI as it was asked for
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /a/../o?b=2&a=1     200 MISS
    > Host: One.test
    < X-Key: http://one.test/a/../o?b=2&a=1
GET /a/../o?b=2&a=1     200 HIT
    > Host: one.test
GET /o?b=2&a=1          200 MISS
    > Host: one.test
GET /o?a=1&b=2          200 MISS
    > Host: one.test
GET /o?a=1&b=2          200 MISS
    > Host: two.test
    < X-Key: http://two.test/o?a=1&b=2
GET /o?a=1&b=2          200 HIT
    > Host: one.test



=== TEST 2: a key of its own: arguments that do not matter
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / { cacheback pages; cacheback_key $host$uri?page=$arg_page; '
. $::Origin . ' }'
--- steps
GET /o?page=1&from=mail     200 MISS
    <~ X-Key: \S+/o\?page=1
GET /o?from=web&page=1      200 HIT
    = /o #1
GET /o?page=2               200 MISS
    = /o #2



=== TEST 3: a key without path or arguments: one item
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / { cacheback pages; cacheback_key \$host; $::Origin }"
--- steps
GET /o              200 MISS
GET /p              200 HIT
    = /o #1
    <~ X-Key: t\d+-\d+\.test



=== TEST 4: inherited, and replaced
--- store
memory 1m;
--- http_config eval
"$::Shown
cacheback_key \$host;"
--- config eval
'location / { cacheback pages; ' . $::Origin . ' }
location /own/ { cacheback pages; cacheback_key own:$host$uri; ' . $::Origin . ' }'
--- steps
GET /o              200 MISS
    <~ X-Key: t\d+-\d+\.test
GET /p              200 HIT
    = /o #1
GET /own/o          200 MISS
    <~ X-Key: own:\S+/own/o



=== TEST 5: variables of map, with spaces and other bytes, are one text
--- store
memory off;
redis  redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- http_config eval
'map $arg_v $kind { default "a b\\{c\\}"; }' . "\n$::Shown"
--- config eval
'location / { cacheback pages; cacheback_key "$kind %00 $arg_w"; '
. $::Origin . ' }'
--- steps
GET /o?w=%41        200 MISS
    < X-Key: a b\{c\} %00 %41
GET /o?w=%41        200 HIT
GET /o?w=A          200 MISS



=== TEST 6: a field named in the key reaches the refresh
--- store
memory 1m;
--- config eval
'location / {
    cacheback     pages;
    cacheback_key $host$uri|$http_x_lang|${http_x_shop};
    ' . $::Origin . '
}'
--- steps
GET /o?max_age=1    200 MISS
    > X-Lang: de
    > X-Shop: Bonn
    > X-Other: me
wait 1.1
GET /o?max_age=1    200 STALE
    > X-Lang: de
    > X-Shop: Bonn
    > X-Other: me
origin /o 2
fields /o
    ~ ^X-Lang: de$
    ~ ^X-Shop: Bonn$
    ~ ^Cacheback-Refresh: 1$
    !~ ^X-Other:
GET /o?max_age=1    200 MISS
    > X-Lang: fr
    > X-Shop: Bonn



=== TEST 7: a cookie named in the key reaches the refresh, others do not
--- store
memory 1m;
--- config eval
'location / {
    cacheback     pages;
    cacheback_key $host$uri|$cookie_shop|${cookie_size};
    ' . $::Origin . '
}'
--- steps
GET /o?max_age=1    200 MISS
    > Cookie: session=secret; shop=bonn; size=xl
wait 1.1
GET /o?max_age=1    200 STALE
    > Cookie: session=secret; shop=bonn; size=xl
origin /o 2
fields /o
    ~ ^Cookie: shop=bonn; size=xl$
    !~ secret
GET /o?max_age=1    200 MISS
    > Cookie: session=secret; shop=kiel; size=xl



=== TEST 8: no cookie reaches the refresh when the key names none
--- store
memory 1m;
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?max_age=1    200 MISS
    > Cookie: session=secret
wait 1.1
GET /o?max_age=1    200 STALE
    > Cookie: session=secret
origin /o 2
fields /o
    !~ ^Cookie:



=== TEST 9: all cookies in the key: each client has items of its own
--- store
memory 1m;
--- config eval
'location / {
    cacheback     pages;
    cacheback_key $host$uri|$http_cookie|$cookie_a;
    ' . $::Origin . '
}'
--- steps
GET /o?max_age=1    200 MISS
    > Cookie: a=1; b=2
wait 1.1
GET /o?max_age=1    200 STALE
    > Cookie: a=1; b=2
origin /o 2
fields /o
    ~ ^Cookie: a=1; b=2$
GET /o?max_age=1    200 MISS
    > Cookie: a=1; b=3



=== TEST 10: credentials in the key, where they are to be ignored otherwise
--- store
memory 1m;
--- config eval
'location / {
    cacheback                pages;
    cacheback_key            $host$uri|$http_authorization;
    cacheback_ignore_headers Authorization;
    ' . $::Origin . '
}'
--- steps
GET /o?max_age=1    200 MISS
    > Authorization: Basic bWU6bWU=
wait 1.1
GET /o?max_age=1    200 STALE
    > Authorization: Basic bWU6bWU=
origin /o 2
fields /o
    ~ ^Authorization: Basic bWU6bWU=$
GET /o?max_age=1    200 MISS



=== TEST 11: the inherited key's fields reach the refresh as well
--- store
memory 1m;
--- http_config
cacheback_key $host$uri|$http_x_lang;
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?max_age=1    200 MISS
    > X-Lang: de
wait 1.1
GET /o?max_age=1    200 STALE
    > X-Lang: de
origin /o 2
fields /o
    ~ ^X-Lang: de$



=== TEST 12: an empty key
--- config
location / { cacheback_key ""; }
--- refused
invalid value "" in "cacheback_key", expected a text with variables such as
"$scheme://$host$request_uri"



=== TEST 13: a variable that nobody knows
--- config
location / { cacheback_key $nobody_knows; }
--- must_die
--- error_log eval
qr{\[emerg\] .*unknown "nobody_knows" variable}



=== TEST 14: twice
--- config
location / { cacheback_key a; cacheback_key b; }
--- refused
"cacheback_key" directive is duplicate



=== TEST 15: two arguments
--- config
location / { cacheback_key $host $uri; }
--- refused
invalid number of arguments in "cacheback_key" directive
