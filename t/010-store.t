# cacheback_store: each word inside, what it does, and what nginx says of a
# wrong one. Faults of a running Redis have files of their own.
use lib 't/lib';
use CachebackTest;

# A Redis that wants a password.
our $Locked = CachebackTest::free_port();
CachebackTest::spawn('redis-server', '--bind', '127.0.0.1', '--port', $Locked,
    '--requirepass', 'open-sesame', '--save', '', '--appendonly', 'no',
    '--logfile', '/dev/null', '--dir', $CachebackTest::Dir);
$ENV{TEST_NGINX_LOCKED_REDIS} = $Locked;
for (1 .. 300) {
    last if `redis-cli -p $Locked PING 2>&1` =~ /NOAUTH/;
    select undef, undef, undef, 0.01;
}

# Seen by every block that asks for it.
our $Shown = <<'EOC';
add_header X-Tier $cacheback_tier always;
add_header X-Reason $cacheback_reason always;
EOC

our $Location = <<'EOC';
location / {
    cacheback  pages 1m;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
EOC

our $Known = '"memory", "redis", "redis_cluster", "redis_sentinel", '
    . '"redis_prefix", "redis_password_file", "redis_timeout", "redis_sign", '
    . '"redis_tls", "max_entry", "memory_max_entry", "refresh_limit"';

run_tests();

__DATA__

=== TEST 1: an empty block is a store in memory
--- http_config eval
"cacheback_store pages { }
add_header X-Cache \$cacheback_status always;
$::Shown"
--- config eval: $::Location
--- steps
GET /o              200 MISS
    = /o #1
    <! X-Tier
GET /o              200 HIT
    = /o #1
    < X-Tier: memory
origin /o 1



=== TEST 2: memory SIZE: a store in memory, without Redis
--- store
memory 1m;
--- http_config eval: $::Shown
--- config eval: $::Location
--- steps
GET /o              200 MISS
GET /o              200 HIT
    < X-Tier: memory
    <! X-Reason



=== TEST 3: memory off: every hit comes from Redis
--- store
memory off;
redis  redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- http_config eval: $::Shown
--- config eval: $::Location
--- steps
GET /o              200 MISS
GET /o              200 HIT
    < X-Tier: redis
GET /o              200 HIT
    < X-Tier: redis
origin /o 1



=== TEST 4: both tiers: the memory tier answers first
--- store
memory 1m;
redis  redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- http_config eval: $::Shown
--- config eval: $::Location
--- steps
GET /o              200 MISS
GET /o              200 HIT
    < X-Tier: memory



=== TEST 5: memory with what is no size
--- store
memory 12q;
--- config eval: $::Location
--- refused
invalid value "12q" in "memory", expected a size such as "64m" or "256k"



=== TEST 6: memory 0 is no size either
--- store
memory 0;
--- config eval: $::Location
--- refused
invalid value "0" in "memory", expected a size such as "64m" or "256k"



=== TEST 7: memory that is too small for its own tables
--- store
memory 64k;
--- config eval: $::Location
--- refused
invalid value "64k" in "memory", expected at least "256k", or "off"



=== TEST 8: memory off without Redis leaves nothing
--- store
memory off;
--- config eval: $::Location
--- refused
"cacheback_store" "pages" has neither memory nor "redis",
expected one of them at least



=== TEST 9: a word twice
--- store
memory 1m;
memory 2m;
--- config eval: $::Location
--- refused
"memory" is duplicate



=== TEST 10: each word may stand once only
--- store
redis redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
redis redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/1;
--- config eval: $::Location
--- refused
"redis" is duplicate



=== TEST 11: refresh_limit twice
--- store
refresh_limit 1;
refresh_limit 2;
--- config eval: $::Location
--- refused
"refresh_limit" is duplicate



=== TEST 12: too few arguments
--- store
memory;
--- config eval: $::Location
--- refused
invalid number of arguments in "memory", expected "memory SIZE|off"



=== TEST 13: too many arguments
--- store
redis redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0 again;
--- config eval: $::Location
--- refused
invalid number of arguments in "redis", expected "redis URL"



=== TEST 14: too many arguments of refresh_limit
--- store
refresh_limit 1 queue=1 more;
--- config eval: $::Location
--- refused
invalid number of arguments in "refresh_limit",
expected "refresh_limit N [queue=M]"



=== TEST 15: an unknown word lists the known ones
--- store
memry 64m;
--- config eval: $::Location
--- refused
unknown "memry" in "cacheback_store", expected one of "memory", "redis",
"redis_cluster", "redis_sentinel", "redis_prefix", "redis_password_file",
"redis_timeout", "redis_sign", "redis_tls", "max_entry", "memory_max_entry",
"refresh_limit"



=== TEST 16: a block inside the block
--- store
memory { }
--- config eval: $::Location
--- refused
unexpected "{"



=== TEST 17: the file and the line of the mistake are named
--- user_files
>>> store.conf
cacheback_store elsewhere {
    memory 1m;

    redis_timeout soon;
}
--- http_config
include ../html/store.conf;
--- config
--- must_die
--- error_log eval
qr{\[emerg\] .*invalid value "soon" in "redis_timeout", expected a time such as "250ms" or "1s" in \S+/html/store\.conf:4$}m



=== TEST 18: what the words say together is named at the end of the block
--- user_files
>>> store.conf
cacheback_store elsewhere {

    redis_timeout 1s;
}
--- http_config
include ../html/store.conf;
--- config
--- must_die
--- error_log eval
qr{\[emerg\] .*"redis_timeout" needs "redis" in "cacheback_store" "elsewhere" in \S+/html/store\.conf:4$}m



=== TEST 19: names of stores: letters, digits, underscore, dash and dot
--- http_config
cacheback_store Pages-2.eu_west { memory 1m; }
add_header X-Cache $cacheback_status always;
--- config
location / {
    cacheback  Pages-2.eu_west 1m;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o              200 MISS
GET /o              200 HIT



=== TEST 20: a name with other characters
--- http_config
cacheback_store "my pages" { memory 1m; }
--- config
--- refused
invalid name "my pages" in "cacheback_store", expected 1 to 64 letters, digits,
"_", "-" or ".", and not "off"



=== TEST 21: a store named off could not be switched on
--- http_config
cacheback_store off { memory 1m; }
--- config
--- refused
invalid name "off" in "cacheback_store", expected 1 to 64 letters, digits,
"_", "-" or ".", and not "off"



=== TEST 22: an empty name
--- http_config
cacheback_store "" { memory 1m; }
--- config
--- refused
invalid name "" in "cacheback_store", expected 1 to 64 letters, digits,
"_", "-" or ".", and not "off"



=== TEST 23: a name that is too long
--- http_config eval
"cacheback_store " . 'a' x 65 . " { memory 1m; }"
--- config
--- refused eval
'invalid name "' . 'a' x 65 . '" in "cacheback_store", expected 1 to 64 '
. 'letters, digits, "_", "-" or ".", and not "off"'



=== TEST 24: no name
--- http_config
cacheback_store { memory 1m; }
--- config
--- refused
invalid number of arguments in "cacheback_store" directive



=== TEST 25: no block
--- http_config
cacheback_store pages;
--- config
--- refused
directive "cacheback_store" has no opening "{"



=== TEST 26: a store is made for the whole of http
--- config
cacheback_store pages { memory 1m; }
--- refused
"cacheback_store" directive is not allowed here



=== TEST 27: two stores of one name
--- http_config
cacheback_store pages { memory 1m; }
cacheback_store pages { memory 1m; }
--- config
--- refused
"cacheback_store" "pages" is duplicate



=== TEST 28: two stores know nothing of each other
--- http_config
cacheback_store one { memory 1m; }
cacheback_store two { memory 1m; }
add_header X-Cache $cacheback_status always;
--- config
location / {
    cacheback     one 1m;
    cacheback_key $host;
    proxy_pass    http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /two/ {
    cacheback     two 1m;
    cacheback_key $host;
    proxy_pass    http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o              200 MISS
GET /two/o          200 MISS
GET /o              200 HIT
    = /o #1
GET /two/o          200 HIT
    = /two/o #1



=== TEST 29: two stores of one Redis have prefixes of their own
--- http_config
cacheback_store s010one {
    memory off;
    redis  redis://127.0.0.1:$TEST_NGINX_REDIS_PORT;
}
cacheback_store s010two {
    memory off;
    redis  redis://127.0.0.1:$TEST_NGINX_REDIS_PORT;
}
add_header X-Cache $cacheback_status always;
--- config
location / {
    cacheback     s010one 1m;
    cacheback_key same;
    proxy_pass    http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /two/ {
    cacheback     s010two 1m;
    cacheback_key same;
    proxy_pass    http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o              200 MISS
GET /two/o          200 MISS
GET /o              200 HIT
    = /o #1
redis KEYS cacheback:s010one:{*} => cacheback:s010one:{51037a4a37730f52c8732586d3aaa316}
redis KEYS cacheback:s010two:{*} => cacheback:s010two:{51037a4a37730f52c8732586d3aaa316}



=== TEST 30: redis_prefix stands before the keys
--- store
memory off;
redis        redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
redis_prefix "shop|$TEST_NGINX_PREFIX";
--- config
location / {
    cacheback     pages 1m;
    cacheback_key same;
    proxy_pass    http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o              200 MISS
GET /o              200 HIT
redis KEYS shop|$TEST_NGINX_PREFIX{*} => shop|$TEST_NGINX_PREFIX{51037a4a37730f52c8732586d3aaa316}



=== TEST 31: what is stored in Redis goes away by itself
--- store
memory off;
redis redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- config
location / {
    cacheback     pages 1m;
    cacheback_ttl 100s;
    cacheback_key same;
    proxy_pass    http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o              200 MISS
GET /o              200 HIT
redis TTL %{51037a4a37730f52c8732586d3aaa316} => 100



=== TEST 32: redis_prefix with a brace would tear an item's keys apart
--- store
redis        redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
redis_prefix "a{b:";
--- config eval: $::Location
--- refused
invalid value "a{b:" in "redis_prefix", expected a text without braces



=== TEST 33: redis_prefix without Redis
--- store
redis_prefix mine:;
--- config eval: $::Location
--- refused
"redis_prefix" needs "redis" in "cacheback_store" "pages"



=== TEST 34: redis_password_file without Redis
--- store
redis_password_file secret;
--- config eval: $::Location
--- refused
"redis_password_file" needs "redis" in "cacheback_store" "pages"



=== TEST 35: redis_timeout without Redis
--- store
redis_timeout 1s;
--- config eval: $::Location
--- refused
"redis_timeout" needs "redis" in "cacheback_store" "pages"



=== TEST 36: redis with what is no URL
--- store
redis 127.0.0.1:6379;
--- config eval: $::Location
--- refused
"redis": invalid value "127.0.0.1:6379", expected
"redis://[[user]:password@]host[:port][/db]", "rediss://..." for TLS, or
"unix:path[?db=N]"



=== TEST 37: redis with a bad port; the password is not shown
--- store
redis redis://:s3cret@localhost:0/1;
--- config eval: $::Location
--- refused
"redis": invalid port, expected a number from 1 to 65535 in
"redis://:***@localhost:0/1"
--- no_error_log
s3cret



=== TEST 38: redis with a database that is no number
--- store
redis redis://localhost/first;
--- config eval: $::Location
--- refused
"redis": invalid database "first", expected a number such as "0" in
"redis://localhost/first"



=== TEST 39: redis_tls without TLS in the URL
--- store
redis     redis://localhost;
redis_tls verify=off;
--- config eval: $::Location
--- refused
"redis_tls" needs "rediss://" in "redis" of "cacheback_store" "pages"



=== TEST 40: redis without a host
--- store
redis redis:///0;
--- config eval: $::Location
--- refused
"redis": no host in "redis:///0"



=== TEST 41: redis on a host that nobody knows
--- store
redis redis://nowhere.invalid;
--- config eval: $::Location
--- refused
host not found in "nowhere.invalid:6379" of "cacheback_store" "pages", expected
a name that is known now, or a "resolver" in "http" that will know it



=== TEST 42: redis by name
--- store
memory off;
redis  redis://localhost:$TEST_NGINX_REDIS_PORT;
--- http_config eval: $::Shown
--- config eval: $::Location
--- steps
GET /o              200 MISS
GET /o              200 HIT
    < X-Tier: redis



=== TEST 43: redis on a unix-domain socket
--- store
memory off;
redis  unix:$TEST_NGINX_REDIS_SOCKET;
--- http_config eval: $::Shown
--- config eval: $::Location
--- steps
GET /o              200 MISS
GET /o              200 HIT
    < X-Tier: redis



=== TEST 44: another database, in the URL and of a socket
--- http_config
cacheback_store tcp {
    memory       off;
    redis        redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/3;
    redis_prefix "$TEST_NGINX_PREFIX";
}
cacheback_store socket {
    memory       off;
    redis        unix:$TEST_NGINX_REDIS_SOCKET?db=4;
    redis_prefix "$TEST_NGINX_PREFIX";
}
add_header X-Cache $cacheback_status always;
--- config
location / {
    cacheback     tcp 1m;
    cacheback_key same;
    proxy_pass    http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /socket/ {
    cacheback     socket 1m;
    cacheback_key same;
    proxy_pass    http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o              200 MISS
GET /socket/o       200 MISS
GET /o              200 HIT
    = /o #1
GET /socket/o       200 HIT
    = /socket/o #1
redis -n 0 EXISTS %{51037a4a37730f52c8732586d3aaa316} => 0
redis -n 3 DEL %{51037a4a37730f52c8732586d3aaa316} => 1
redis -n 4 DEL %{51037a4a37730f52c8732586d3aaa316} => 1



=== TEST 45: a password in the URL
--- store
memory off;
redis  redis://:open-sesame@127.0.0.1:$TEST_NGINX_LOCKED_REDIS;
--- http_config eval: $::Shown
--- config eval: $::Location
--- steps
GET /o              200 MISS
GET /o              200 HIT
    < X-Tier: redis



=== TEST 46: a password in a file, and only its first line
--- user_files
>>> password
open-sesame
what else stands there
--- store
memory              off;
redis               redis://127.0.0.1:$TEST_NGINX_LOCKED_REDIS;
redis_password_file ../html/password;
--- http_config eval: $::Shown
--- config eval: $::Location
--- steps
GET /o              200 MISS
GET /o              200 HIT
    < X-Tier: redis



=== TEST 47: a user in the URL and the password in a file
--- user_files
>>> password
tell-nobody
--- redis_before
ACL SETUSER shop on >tell-nobody ~* +@all
--- store
memory              off;
redis               redis://shop@127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
redis_password_file ../html/password;
--- http_config eval: $::Shown
--- config eval: $::Location
--- steps
GET /o              200 MISS
GET /o              200 HIT
    < X-Tier: redis



=== TEST 48: a user, a password and a database in the URL
--- redis_before
ACL SETUSER till on >p@ss:w/rd ~* +@all
--- store
memory off;
redis  redis://till:p%40ss%3Aw%2Frd@127.0.0.1:$TEST_NGINX_REDIS_PORT/5;
--- config
location / {
    cacheback     pages 1m;
    cacheback_key same;
    proxy_pass    http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o              200 MISS
GET /o              200 HIT
redis -n 5 DEL %{51037a4a37730f52c8732586d3aaa316} => 1



=== TEST 49: a wrong password: pages come from the origin, and the log says why
--- store
memory off;
redis  redis://:wrong-word@127.0.0.1:$TEST_NGINX_LOCKED_REDIS;
--- http_config eval: $::Shown
--- config eval: $::Location
--- errors
--- steps
GET /o              200 MISS
    < X-Reason: redis
GET /o              200 MISS
    = /o #2
    < X-Reason: redis
log WRONGPASS
--- no_error_log
wrong-word



=== TEST 50: no password where one is wanted
--- store
memory off;
redis  redis://127.0.0.1:$TEST_NGINX_LOCKED_REDIS;
--- http_config eval: $::Shown
--- config eval: $::Location
--- errors
--- steps
GET /o              200 MISS
    < X-Reason: redis
GET /o              200 MISS
    = /o #2
log NOAUTH



=== TEST 51: a password in the URL and one in a file
--- user_files
>>> password
open-sesame
--- store
redis               redis://:open-sesame@127.0.0.1:$TEST_NGINX_LOCKED_REDIS;
redis_password_file ../html/password;
--- config eval: $::Location
--- refused
"redis_password_file" and a password in the URL of "redis",
expected one of them



=== TEST 52: a password file that is not there
--- store
redis               redis://127.0.0.1:$TEST_NGINX_LOCKED_REDIS;
redis_password_file /nowhere/password;
--- config eval: $::Location
--- must_die
--- error_log eval
qr{\[emerg\] .*open\(\) "/nowhere/password" failed \(2: No such file or directory\) in \S+nginx\.conf:\d+$}m



=== TEST 53: a password file with nothing in it
--- user_files
>>> password

--- store
redis               redis://127.0.0.1:$TEST_NGINX_LOCKED_REDIS;
redis_password_file $TEST_NGINX_SERVER_ROOT/html/password;
--- config eval: $::Location
--- refused
no password in "redis_password_file" "$TEST_NGINX_SERVER_ROOT/html/password",
expected one line of at most 1023 bytes



=== TEST 54: redis_timeout is the most that a silent Redis adds
--- store
memory        off;
redis         redis://127.0.0.1:$TEST_NGINX_FAKE_REDIS_SILENT;
redis_timeout 300ms;
--- http_config eval: $::Shown
--- config eval: $::Location
--- errors
--- steps
GET /o              200 MISS
    < X-Reason: redis
    within 0.8



=== TEST 55: redis_timeout with what is no time
--- store
redis         redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
redis_timeout fast;
--- config eval: $::Location
--- refused
invalid value "fast" in "redis_timeout", expected a time such as "250ms" or "1s"



=== TEST 56: redis_timeout 0 would never ask
--- store
redis         redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
redis_timeout 0;
--- config eval: $::Location
--- refused
invalid value "0" in "redis_timeout", expected a time such as "250ms" or "1s"



=== TEST 57: max_entry: what is larger is not stored
--- store
memory    8m;
max_entry 4k;
--- http_config eval: $::Shown
--- config eval: $::Location
--- steps
GET /small?size=3000    200 MISS
    <! X-Reason
GET /small?size=3000    200 HIT
    < X-Tier: memory
    same
GET /large?size=5000    200 MISS
    < X-Reason: too-large
GET /large?size=5000    200 MISS
    < X-Reason: uncacheable
origin /large 2



=== TEST 58: max_entry with what is no size
--- store
max_entry much;
--- config eval: $::Location
--- refused
invalid value "much" in "max_entry", expected a size such as "64m" or "256k"



=== TEST 59: max_entry beyond what Redis can hold
--- store
max_entry 513m;
--- config eval: $::Location
--- refused
invalid value "513m" in "max_entry", expected at most "512m"



=== TEST 60: memory_max_entry: what is larger stays in Redis only
--- store
memory           8m;
memory_max_entry 4k;
redis            redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- http_config eval: $::Shown
--- config eval: $::Location
--- steps
GET /small?size=3000    200 MISS
GET /small?size=3000    200 HIT
    < X-Tier: memory
GET /large?size=5000    200 MISS
GET /large?size=5000    200 HIT
    < X-Tier: redis
    same
GET /large?size=5000    200 HIT
    < X-Tier: redis



=== TEST 61: memory_max_entry is 256k beside Redis
--- store
memory 8m;
redis  redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- http_config eval: $::Shown
--- config eval: $::Location
--- steps
GET /small?size=250000  200 MISS
GET /small?size=250000  200 HIT
    < X-Tier: memory
GET /large?size=270000  200 MISS
GET /large?size=270000  200 HIT
    < X-Tier: redis
    same



=== TEST 62: memory_max_entry is max_entry without Redis
--- store
memory 8m;
--- http_config eval: $::Shown
--- config eval: $::Location
--- steps
GET /large?size=900000  200 MISS
GET /large?size=900000  200 HIT
    < X-Tier: memory
    same



=== TEST 63: memory_max_entry with what is no size
--- store
memory_max_entry -1;
--- config eval: $::Location
--- refused
invalid value "-1" in "memory_max_entry", expected a size such as "64m" or
"256k"



=== TEST 64: memory_max_entry needs memory
--- store
memory           off;
memory_max_entry 4k;
redis            redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- config eval: $::Location
--- refused
"memory_max_entry" needs memory in "cacheback_store" "pages"



=== TEST 65: refresh_limit: never more background fetches than that; the others wait
--- store
memory        1m;
refresh_limit 2;
--- config eval
"$::Location
location /_/ { proxy_pass http://127.0.0.1:\$TEST_NGINX_ORIGIN_PORT; }"
--- steps
GET /a?max_age=1&delay=0|0.3     200 MISS
GET /b?max_age=1&delay=0|0.3     200 MISS
GET /c?max_age=1&delay=0|0.3     200 MISS
GET /d?max_age=1&delay=0|0.3     200 MISS
GET /e?max_age=1&delay=0|0.3     200 MISS
wait 1.1
GET /a?max_age=1&delay=0|0.3     200 STALE
GET /b?max_age=1&delay=0|0.3     200 STALE
GET /c?max_age=1&delay=0|0.3     200 STALE
GET /d?max_age=1&delay=0|0.3     200 STALE
GET /e?max_age=1&delay=0|0.3     200 STALE
origin /a 2
origin /b 2
origin /c 2
origin /d 2
origin /e 2
GET /_/running                   200
    = 0 2



=== TEST 66: refresh_limit queue=0: what finds no place is dropped, and may try again
--- store
memory        1m;
refresh_limit 1 queue=0;
--- config eval
"$::Location
location /_/ { proxy_pass http://127.0.0.1:\$TEST_NGINX_ORIGIN_PORT; }"
--- steps
GET /a?max_age=1&delay=0|0.5     200 MISS
GET /b?max_age=1                 200 MISS
wait 1.1
GET /a?max_age=1&delay=0|0.5     200 STALE
GET /b?max_age=1                 200
    = /b #1
origin /a 2
GET /_/running                   200
    = 0 1
origin /b 1
GET /b?max_age=1                 200 STALE
    = /b #1
origin /b 2



=== TEST 67: refresh_limit queue=1: one may wait
--- store
memory        1m;
refresh_limit 1 queue=1;
--- config eval: $::Location
--- steps
GET /a?max_age=1&delay=0|0.5     200 MISS
GET /b?max_age=1                 200 MISS
GET /c?max_age=1                 200 MISS
wait 1.1
GET /a?max_age=1&delay=0|0.5     200 STALE
GET /b?max_age=1                 200 STALE
GET /c?max_age=1                 200
    = /c #1
origin /a 2
origin /b 2
origin /c 1



=== TEST 68: refresh_limit with what is no number
--- store
refresh_limit many;
--- config eval: $::Location
--- refused
invalid value "many" in "refresh_limit", expected a number from 1 to 1000000



=== TEST 69: refresh_limit 0 would refresh nothing
--- store
refresh_limit 0;
--- config eval: $::Location
--- refused
invalid value "0" in "refresh_limit", expected a number from 1 to 1000000



=== TEST 70: refresh_limit with an unknown parameter
--- store
refresh_limit 4 line=3;
--- config eval: $::Location
--- refused
invalid parameter "line=3" in "refresh_limit", expected "queue=" and a number
from 0 to 1000000



=== TEST 71: refresh_limit with a queue that is no number
--- store
refresh_limit 4 queue=;
--- config eval: $::Location
--- refused
invalid parameter "queue=" in "refresh_limit", expected "queue=" and a number
from 0 to 1000000
