# RFC 9875: what an origin puts into groups by Cache-Groups, and invalidates by
# Cache-Group-Invalidation.
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Location = "location / { cacheback pages; $Origin }";
our $Rfc = "location / { cacheback pages; cacheback_policy rfc9111; $Origin }";

# The names of 64 groups, and of one more.
our $Many = join ',', map { "%22g$_%22" } 1 .. 64;
our $Long = 'n' x 256;

sub groups { "h=Cache-Groups:$_[0]" }
sub ends { "h=Cache-Group-Invalidation:$_[0]" }

our $A = groups('%22a%22');
our $AB = groups('%22b%22,%22a%22');
our $EndsA = ends('%22a%22');

run_tests_on_each_tier();

__DATA__

=== TEST 1: policy rfc9111: what is in the group is gone, the rest is there
--- store
$TIER
--- config eval: $::Rfc
--- steps eval
"GET /a?max_age=60&$::A             200 MISS
GET /ab?max_age=60&$::AB            200 MISS
GET /b?max_age=60&${\ main::groups('%22b%22') }    200 MISS
GET /none?max_age=60                200 MISS
POST /new?$::EndsA                  200 BYPASS
wait 0.1
GET /a?max_age=60&$::A              200 MISS
    = /a #2
GET /ab?max_age=60&$::AB            200 MISS
    = /ab #2
GET /b?max_age=60&${\ main::groups('%22b%22') }    200 HIT
GET /none?max_age=60                200 HIT
wait 0.1
GET /a?max_age=60&$::A              200 HIT
    = /a #2
    < Cache-Groups: \"a\"
GET /ab?max_age=60&$::AB            200 HIT
    = /ab #2"



=== TEST 2: policy cacheback: it is served, and fetched anew behind that
--- store
$TIER
--- config eval: $::Location
--- steps eval
"GET /a?$::A                        200 MISS
GET /b?${\ main::groups('%22b%22') }    200 MISS
POST /new?$::EndsA                  200 BYPASS
wait 0.1
origin /a 1
GET /a?$::A                         200 STALE
    = /a #1
origin /a 2
wait 0.1
GET /a?$::A                         200 HIT
    = /a #2
GET /b?${\ main::groups('%22b%22') }    200 HIT"



=== TEST 3: safe methods invalidate nothing (RFC 9875 3)
--- store
$TIER
--- config eval: $::Rfc
--- steps eval
"GET /a?max_age=60&$::A             200 MISS
GET /new?max_age=60&$::EndsA        200 MISS
HEAD /other?max_age=60&$::EndsA     200 MISS
OPTIONS /new?$::EndsA               200 BYPASS
wait 0.1
GET /a?max_age=60&$::A              200 HIT"



=== TEST 4: an error that says so does invalidate: it is the origin's word
--- store
$TIER
--- config eval: $::Rfc
--- steps eval
"GET /a?max_age=60&$::A             200 MISS
PUT /new?status=500&$::EndsA        500 BYPASS
wait 0.1
GET /a?max_age=60&$::A              200 MISS"



=== TEST 5: names are compared byte by byte, parameters do not count
--- store
$TIER
--- config eval: $::Rfc
--- steps eval
"GET /a?max_age=60&${\ main::groups('%22a%20b,%5C%22c%5C%22%22;x=1') }   200 MISS
POST /new?${\ main::ends('%22A%20b,%5C%22c%5C%22%22') }   200 BYPASS
wait 0.1
GET /a?max_age=60&${\ main::groups('%22a%20b,%5C%22c%5C%22%22;x=1') }   200 HIT
POST /new?${\ main::ends('%22a%20b,%5C%22c%5C%22%22;y') }   200 BYPASS
wait 0.1
GET /a?max_age=60&${\ main::groups('%22a%20b,%5C%22c%5C%22%22;x=1') }   200 MISS"



=== TEST 6: a field that is no list of strings says nothing
--- store
$TIER
--- config eval: $::Rfc
--- steps eval
"GET /t?max_age=60&${\ main::groups('%22a%22,a') }   200 MISS
GET /u?max_age=60&${\ main::groups('%22a%22,') }     200 MISS
GET /a?max_age=60&$::A              200 MISS
POST /new?${\ main::ends('%22a%22,b') }              200 BYPASS
wait 0.1
GET /a?max_age=60&$::A              200 HIT
POST /new?$::EndsA                  200 BYPASS
wait 0.1
GET /t?max_age=60&${\ main::groups('%22a%22,a') }   200 HIT
GET /u?max_age=60&${\ main::groups('%22a%22,') }     200 HIT
GET /a?max_age=60&$::A              200 MISS"



=== TEST 7: groups of another origin are others (RFC 9875 2.1)
--- store
$TIER
--- config eval: $::Rfc
--- steps eval
"GET /a?max_age=60&$::A             200 MISS
    > Host: one.example
GET /a?max_age=60&$::A              200 MISS
    > Host: two.example
GET /a?max_age=60&$::A              200 HIT
    > Host: ONE.example
POST /new?$::EndsA                  200 BYPASS
    > Host: One.example:80
wait 0.1
GET /a?max_age=60&$::A              200 MISS
    > Host: one.example
GET /a?max_age=60&$::A              200 HIT
    > Host: two.example"



=== TEST 8: 64 groups are held, a response of more is not stored
--- store
$TIER
--- http_config
add_header X-Reason $cacheback_reason always;
--- config eval: $::Rfc
--- steps eval
"GET /a?max_age=60&${\ main::groups($::Many) }       200 MISS
GET /b?max_age=60&${\ main::groups(qq{$::Many,%22x%22}) }   200 MISS
GET /c?max_age=60&${\ main::groups(qq{%22$::Long%22}) }     200 MISS
GET /d?max_age=60&${\ main::groups(qq{%22x$::Long%22}) }    200 MISS
wait 0.1
GET /a?max_age=60&${\ main::groups($::Many) }       200 HIT
GET /b?max_age=60&${\ main::groups(qq{$::Many,%22x%22}) }   200 MISS
    < X-Reason: tags
GET /c?max_age=60&${\ main::groups(qq{%22$::Long%22}) }     200 HIT
GET /d?max_age=60&${\ main::groups(qq{%22x$::Long%22}) }    200 MISS
    < X-Reason: tags
POST /new?${\ main::ends('%22g64%22') }             200 BYPASS
wait 0.1
GET /a?max_age=60&${\ main::groups($::Many) }       200 MISS"



=== TEST 9: what was being fetched meanwhile is of before
--- store
$TIER
--- config eval: $::Rfc
--- steps eval
"HEAD /a?max_age=60&delay=0|0.4|0&$::A   200 MISS
wait 0.1
POST /new?$::EndsA                  200 BYPASS
wait 0.5
GET /a?max_age=60&delay=0|0.4|0&$::A     200 MISS
    = /a #3"



=== TEST 10: a 304 says it anew, or leaves it as it was (RFC 9111 3.2)
--- store
$TIER
--- config eval: $::Rfc
--- steps eval
"GET /a?max_age=1&etag=x&${\ main::groups('%22a%22|%22b%22') }    200 MISS
GET /c?max_age=1&etag=x&${\ main::groups('%22c%22') }    200 MISS
wait 1.2
GET /a?max_age=1&etag=x&${\ main::groups('%22a%22|%22b%22') }    200 REVALIDATED
GET /c?max_age=1&etag=x&${\ main::groups('%22c%22') }    200 REVALIDATED
POST /new?$::EndsA                  200 BYPASS
wait 0.1
GET /a?max_age=1&etag=x&${\ main::groups('%22a%22|%22b%22') }    200 HIT
POST /new?${\ main::ends('%22b%22,%22c%22') }            200 BYPASS
wait 0.1
GET /a?max_age=1&etag=x&${\ main::groups('%22a%22|%22b%22') }    200 MISS
GET /c?max_age=1&etag=x&${\ main::groups('%22c%22') }    200 MISS"



=== TEST 11: with all variants
--- store
$TIER
--- config eval: $::Rfc
--- steps eval
"GET /a?max_age=60&h=Vary:X-A&$::A  200 MISS
    > X-A: 1
GET /a?max_age=60&h=Vary:X-A&$::A   200 MISS
    > X-A: 2
POST /new?$::EndsA                  200 BYPASS
wait 0.1
GET /a?max_age=60&h=Vary:X-A&$::A   200 MISS
    > X-A: 1
GET /a?max_age=60&h=Vary:X-A&$::A   200 MISS
    > X-A: 2
wait 0.1
GET /a?max_age=60&h=Vary:X-A&$::A   200 HIT
    > X-A: 1
    = /a #3"



=== TEST 12: not where unsafe requests change nothing
--- store
$TIER
--- config eval
"location / {
    cacheback                      pages;
    cacheback_policy               rfc9111;
    cacheback_invalidate_on_unsafe off;
    $::Origin
}"
--- steps eval
"GET /a?max_age=60&$::A             200 MISS
POST /new?$::EndsA                  200 BYPASS
wait 0.1
GET /a?max_age=60&$::A              200 HIT"



=== TEST 13: a client cannot ask for it
--- store
$TIER
--- config eval: $::Rfc
--- steps eval
"GET /a?max_age=60&$::A             200 MISS
POST /new                           200 BYPASS
    > Cache-Group-Invalidation: \"a\"
wait 0.1
GET /a?max_age=60&$::A              200 HIT"



=== TEST 14: what an unsafe request changes does not take its groups along
--- store
$TIER
--- config eval: $::Rfc
--- steps eval
"GET /a?max_age=60&$::A             200 MISS
GET /b?max_age=60&$::A              200 MISS
POST /a?max_age=60&$::A             200 BYPASS
wait 0.1
GET /b?max_age=60&$::A              200 HIT
GET /a?max_age=60&$::A              200 MISS"



=== TEST 15: the origin is that of the request line, where it names one (RFC 9112 3.2.2)
--- store
memory 1m;
--- config eval: $::Rfc
--- steps eval
"GET /a?max_age=60&$::A             200 MISS
    > Host: a.test
POST http://b.test/n?$::EndsA       200 BYPASS
    > Host: a.test
wait 0.1
GET /a?max_age=60&$::A              200 HIT
    > Host: a.test
POST http://a.test/n?$::EndsA       200 BYPASS
    > Host: b.test
wait 0.1
GET /a?max_age=60&$::A              200 MISS
    > Host: a.test"
