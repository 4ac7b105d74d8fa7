# cacheback_invalidate_on_unsafe with policy rfc9111 (RFC 9111 4.4): what an
# unsafe request changes is gone, and so is what its answer names.
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Rfc = "location / { cacheback pages; cacheback_policy rfc9111; $Origin }";

run_tests_on_each_tier();

__DATA__

=== TEST 1: an unsafe request that succeeds removes the item, with all variants
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60&h=Vary:X-A        200 MISS
    > X-A: 1
GET /o?max_age=60&h=Vary:X-A        200 MISS
    > X-A: 2
wait 0.1
POST /o?max_age=60&h=Vary:X-A       200 BYPASS
wait 0.1
origin /o 3
GET /o?max_age=60&h=Vary:X-A        200 MISS
    > X-A: 1
GET /o?max_age=60&h=Vary:X-A        200 MISS
    > X-A: 2
    = /o #5



=== TEST 2: an item that might be served stale is gone as well
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?cc=max-age=60,stale-while-revalidate=60      200 MISS
wait 0.1
DELETE /o?cc=max-age=60,stale-while-revalidate=60   200 BYPASS
wait 0.1
GET /o?cc=max-age=60,stale-while-revalidate=60      200 MISS
    = /o #3



=== TEST 3: an error removes nothing
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /o?max_age=60&status=200|403|500        200 MISS
wait 0.1
POST /o?max_age=60&status=200|403|500       403 BYPASS
POST /o?max_age=60&status=200|403|500       500 BYPASS
GET /o?max_age=60&status=200|403|500        200 HIT
    = /o #1



=== TEST 4: Location and Content-Location of the same origin go too
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /a?max_age=60                   200 MISS
GET /b?max_age=60                   200 MISS
GET /c?max_age=60                   200 MISS
wait 0.1
POST /new?status=201&h=Location:/a%3Fmax_age%3D60&h=Content-Location:b%3Fmax_age%3D60   201 BYPASS
wait 0.1
GET /a?max_age=60                   200 MISS
    = /a #2
GET /b?max_age=60                   200 MISS
    = /b #2
GET /c?max_age=60                   200 HIT



=== TEST 5: those of another origin stay, and what an error names does
--- store
$TIER
--- config eval: $::Rfc
--- steps
GET /a?max_age=60                   200 MISS
wait 0.1
POST /new?status=201&h=Content-Location:http://other.test/a%3Fmax_age%3D60    201 BYPASS
POST /new?status=201&h=Content-Location:https:///a%3Fmax_age%3D60             201 BYPASS
POST /bad?status=404&h=Content-Location:/a%3Fmax_age%3D60                     404 BYPASS
wait 0.1
GET /a?max_age=60                   200 HIT



=== TEST 6: by the default key of sorted arguments, too; not by one of one's own
--- store
memory 1m;
--- config eval
"cacheback pages;
cacheback_policy rfc9111;
location / { cacheback_key_ignore_args x; $::Origin }
location /own/ { cacheback_key \$uri; $::Origin }"
--- steps
GET /a?max_age=60&body=1                            200 MISS
POST /new?h=Content-Location:/a%3Fx%3D9%26body%3D1%26max_age%3D60    200 BYPASS
GET /a?max_age=60&body=1                            200 MISS
GET /own/a?max_age=60                               200 MISS
POST /own/new?h=Content-Location:/own/a             200 BYPASS
GET /own/a?max_age=60                               200 HIT
POST /own/a                                         200 BYPASS
GET /own/a?max_age=60                               200 MISS



=== TEST 7: a fetch under way stores nothing
--- store
$TIER
--- config eval: $::Rfc
--- steps
HEAD /o?max_age=60&delay=0|0.4|0    200 MISS
wait 0.1
POST /o?max_age=60&delay=0|0.4|0    200 BYPASS
wait 0.5
GET /o?max_age=60&delay=0|0.4|0     200 MISS
    = /o #4



=== TEST 8: off
--- store
memory 1m;
--- config eval
"location / {
    cacheback                      pages;
    cacheback_policy               rfc9111;
    cacheback_invalidate_on_unsafe off;
    $::Origin
}"
--- steps
GET /o?max_age=60                   200 MISS
POST /o?max_age=60                  200 BYPASS
GET /o?max_age=60                   200 HIT



=== TEST 9: the origin is that of the request line, where it names one (RFC 9112 3.2.2)
--- store
memory 1m;
--- config eval: $::Rfc
--- steps
GET /a?max_age=60                   200 MISS
    > Host: a.test
POST http://a.test/n?h=Content-Location:http://b.test/a%3Fmax_age%3D60    200 BYPASS
    > Host: b.test
GET /a?max_age=60                   200 HIT
    > Host: a.test
POST http://a.test/n?h=Content-Location:http://a.test/a%3Fmax_age%3D60    200 BYPASS
    > Host: b.test
GET /a?max_age=60                   200 MISS
    > Host: a.test
