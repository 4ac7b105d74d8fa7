# cacheback_bypass, cacheback_no_store and cacheback_skip: not looked up, not
# stored, and neither.
use lib 't/lib';
use CachebackTest;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Shown = 'add_header X-Tier $cacheback_tier always;
    add_header X-Reason $cacheback_reason always;
    cacheback_key $host:$uri;';

run_tests();

__DATA__

=== TEST 1: cacheback_bypass: the origin is asked, and its answer becomes the item
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / { cacheback pages; cacheback_bypass $arg_new; ' . $::Origin . ' }'
--- steps
GET /o              200 MISS
GET /o              200 HIT
    = /o #1
GET /o?new=1        200 BYPASS
    = /o #2
    < X-Reason: bypass
    <! X-Tier
GET /o              200 HIT
    = /o #2
origin /o 2



=== TEST 2: cacheback_bypass also fills what is missing
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / { cacheback pages; cacheback_bypass $arg_new; ' . $::Origin . ' }'
--- steps
GET /o?new=1        200 BYPASS
GET /o              200 HIT
    = /o #1



=== TEST 3: cacheback_bypass: empty and 0 are no, all else is yes; one yes suffices
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / {
    cacheback        pages;
    cacheback_bypass $arg_a $arg_b;
    cacheback_bypass $http_x_new;
    ' . $::Origin . '
}'
--- steps
GET /o              200 MISS
GET /o?a=0          200 HIT
GET /o?a=&b=        200 HIT
GET /o?a=00         200 BYPASS
GET /o?b=no         200 BYPASS
GET /o              200 BYPASS
    > X-New: 1
GET /o?a=0          200 HIT
    > X-New: 0
    = /o #4



=== TEST 4: cacheback_no_store: looked up, but not stored
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / { cacheback pages; cacheback_no_store $arg_no; ' . $::Origin . ' }'
--- steps
GET /o?no=1         200 MISS
    < X-Reason: no-store
GET /p              200 MISS
    <! X-Reason
GET /p?no=1         200 HIT
    = /p #1



=== TEST 5: cacheback_no_store is asked when the answer is there
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / {
    cacheback          pages;
    cacheback_no_store $upstream_http_x_personal;
    ' . $::Origin . '
}'
--- steps
GET /o?h=X-Personal:1       200 MISS
    < X-Reason: no-store
GET /o?h=X-Personal:1       200 MISS
GET /p?h=X-Personal:0       200 MISS
    <! X-Reason
GET /p?h=X-Personal:0       200 HIT



=== TEST 6: cacheback_no_store holds for what a refresh brings: the item stays
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / {
    cacheback                 pages;
    cacheback_refresh_timeout 1s;
    cacheback_no_store        $upstream_http_x_personal;
    ' . $::Origin . '
}'
--- steps
GET /o?max_age=1&h=X-Personal:0|1|0     200 MISS
wait 1.1
GET /o?max_age=1&h=X-Personal:0|1|0     200 STALE
    = /o #1
origin /o 2
GET /o?max_age=1&h=X-Personal:0|1|0     200 UPDATING
    = /o #1
wait 1
GET /o?max_age=1&h=X-Personal:0|1|0     200 STALE
    = /o #1
origin /o 3
GET /o?max_age=1&h=X-Personal:0|1|0     200 HIT
    = /o #3



=== TEST 7: cacheback_no_store: empty and 0 are no; several values and lines
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / {
    cacheback          pages;
    cacheback_no_store $arg_a $arg_b;
    cacheback_no_store $arg_c;
    ' . $::Origin . '
}'
--- steps
GET /a?a=1          200 MISS
    < X-Reason: no-store
GET /b?b=1          200 MISS
    < X-Reason: no-store
GET /c?c=1          200 MISS
    < X-Reason: no-store
GET /d?a=0&b=&c=0   200 MISS
    <! X-Reason
GET /d              200 HIT



=== TEST 8: cacheback_skip: neither looked up nor stored
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / { cacheback pages; cacheback_skip $arg_skip; ' . $::Origin . ' }'
--- steps
GET /o?skip=1       200 BYPASS
    < X-Reason: skip
    <! X-Tier
GET /o              200 MISS
    = /o #2
GET /o?skip=1       200 BYPASS
    = /o #3
GET /o?skip=0       200 HIT
    = /o #2



=== TEST 9: cacheback_skip: one yes of several suffices
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / {
    cacheback      pages;
    cacheback_skip $cookie_session $arg_a;
    cacheback_skip $http_x_skip;
    ' . $::Origin . '
}'
--- steps
GET /o              200 MISS
GET /o              200 BYPASS
    > Cookie: session=mine
GET /o?a=1          200 BYPASS
GET /o              200 BYPASS
    > X-Skip: yes
GET /o?a=0          200 HIT



=== TEST 10: cacheback_skip stands before cacheback_bypass
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
"location / {
    cacheback        pages;
    cacheback_skip   1;
    cacheback_bypass 1;
    $::Origin
}"
--- steps
GET /o              200 BYPASS
    < X-Reason: skip



=== TEST 11: bypass and no_store together: as if it were skip
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval
'location / {
    cacheback          pages;
    cacheback_bypass   $arg_me;
    cacheback_no_store $arg_me;
    ' . $::Origin . '
}'
--- steps
GET /o?me=1         200 BYPASS
GET /o              200 MISS
    = /o #2
GET /o?me=1         200 BYPASS
    = /o #3
GET /o              200 HIT
    = /o #2



=== TEST 12: all three are inherited
--- store
memory 1m;
--- http_config eval
"$::Shown" . '
cacheback_bypass   $arg_new;
cacheback_no_store $arg_no;
cacheback_skip     $arg_skip;'
--- config eval
"location / { cacheback pages; $::Origin }"
--- steps
GET /o?no=1         200 MISS
    < X-Reason: no-store
GET /p?skip=1       200 BYPASS
    < X-Reason: skip
GET /q?new=1        200 BYPASS
    < X-Reason: bypass



=== TEST 13: all three are replaced on an inner level
--- store
memory 1m;
--- http_config eval
"$::Shown" . '
cacheback_bypass   $arg_new;
cacheback_no_store $arg_no;
cacheback_skip     $arg_skip;'
--- config eval
"location / {
    cacheback          pages;
    cacheback_bypass   0;
    cacheback_no_store 0;
    cacheback_skip     0;
    $::Origin
}"
--- steps
GET /o?no=1         200 MISS
GET /o?skip=1       200 HIT
GET /o?new=1        200 HIT



=== TEST 14: cacheback_bypass without a value
--- config
location / { cacheback_bypass; }
--- refused
invalid number of arguments in "cacheback_bypass" directive



=== TEST 15: cacheback_no_store without a value
--- config
location / { cacheback_no_store; }
--- refused
invalid number of arguments in "cacheback_no_store" directive



=== TEST 16: cacheback_skip without a value
--- config
location / { cacheback_skip; }
--- refused
invalid number of arguments in "cacheback_skip" directive



=== TEST 17: a variable that nobody knows
--- config
location / { cacheback_skip $nobody_knows; }
--- must_die
--- error_log eval
qr{\[emerg\] .*unknown "nobody_knows" variable}
