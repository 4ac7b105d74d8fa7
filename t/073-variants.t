# Vary: all variants of an item are held, each is fetched once and refreshed as
# what it is.
use lib 't/lib';
use CachebackTest;
use EachTier;

our $Origin = 'proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;';
our $Location = "location / { cacheback pages; cacheback_purge 1; $Origin }";
our $Both = 'memory 1m;
redis redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;';

our ($Commands) = CachebackTest::slurp('README.md')
    =~ /^`(\+get [^`]*)` on/m or die "README lists no commands\n";

# GET of /o as one of so many clients.
sub gets {
    my ($path, $status, $from, $to) = @_;
    return join '', map { "GET $path 200 $status\n    > X-Client: $_\n" }
        $from .. $to;
}

{
    my $file = "$CachebackTest::Dir/sign";
    open my $out, '>', $file or die "$file: $!\n";
    print $out 'a key that signs entries, in one line';
    close $out;
    chmod 0600, $file;
    $ENV{TEST_NGINX_SIGN_KEY} = $file;
}

run_tests_on_each_tier();

__DATA__

=== TEST 1: variants are held side by side
--- store
$TIER
--- config eval: $::Location
--- steps
GET /o?h=Vary:Accept-Language       200 MISS
    > Accept-Language: en
GET /o?h=Vary:Accept-Language       200 MISS
    > Accept-Language: de
    = /o #2
GET /o?h=Vary:Accept-Language       200 MISS
    = /o #3
GET /o?h=Vary:Accept-Language       200 HIT
    > Accept-Language: en
    = /o #1
GET /o?h=Vary:Accept-Language       200 HIT
    > Accept-Language: de
    = /o #2
GET /o?h=Vary:Accept-Language       200 HIT
    = /o #3
GET /o?h=Vary:Accept-Language       200 HIT
    > Accept-Language: en
    > X-Other: 1
    = /o #1
origin /o 3



=== TEST 2: both tiers, and Redis alone after a restart
--- store eval: $::Both
--- config eval: $::Location
--- steps
GET /o?h=Vary:Accept-Language       200 MISS
    > Accept-Language: en
GET /o?h=Vary:Accept-Language       200 MISS
    > Accept-Language: de
GET /o?h=Vary:Accept-Language       200 HIT
    > Accept-Language: en
GET /o?h=Vary:Accept-Language       200 HIT
    > Accept-Language: de
    = /o #2
origin /o 2



=== TEST 3: what means the same is the same
--- store
$TIER
--- config eval: $::Location
--- steps
GET /o?h=Vary:accept-language,%20ACCEPT-LANGUAGE     200 MISS
    > Accept-Language: de;q=0.5, en
GET /o?h=Vary:accept-language,%20ACCEPT-LANGUAGE     200 HIT
    > Accept-Language: EN , de ; q=0.50
GET /o?h=Vary:accept-language,%20ACCEPT-LANGUAGE     200 HIT
    > Accept-Language: en
    > Accept-Language: de;q=0.5
GET /o?h=Vary:accept-language,%20ACCEPT-LANGUAGE     200 MISS
    > Accept-Language: de, en;q=0.5
GET /x?h=Vary:X-A                   200 MISS
    > X-A: a, b
GET /x?h=Vary:X-A                   200 HIT
    > X-A: a
    > X-A: b
GET /x?h=Vary:X-A                   200 MISS
    > X-A: b, a
GET /x?h=Vary:X-A                   200 MISS
    > X-A: A, b



=== TEST 4: a star is never stored, in whatever place and line
--- store
$TIER
--- http_config
add_header X-Reason $cacheback_reason always;
--- config eval: $::Location
--- steps
GET /a?h=Vary:*                     200 MISS
    < X-Reason: vary
GET /b?h=Vary:Accept,%20*           200 MISS
    < X-Reason: vary
GET /c?h=Vary:Accept&h=Vary:*       200 MISS
    < X-Reason: vary



=== TEST 5: a stale variant is refreshed with the fields that it varies on
--- store
$TIER
--- config eval
"location / { cacheback pages 1s; $::Origin }"
--- steps
GET /o?h=Vary:Accept-Language       200 MISS
    > Accept-Language: en
GET /o?h=Vary:Accept-Language       200 MISS
    > Accept-Language: de
wait 1.1
GET /o?h=Vary:Accept-Language       200 STALE
    > Accept-Language: de
    > X-Other: 1
    = /o #2
origin /o 3
fields /o
    ~ ^Accept-Language: de$
    !~ ^X-Other
GET /o?h=Vary:Accept-Language       200 HIT
    > Accept-Language: de
    = /o #3
GET /o?h=Vary:Accept-Language       200 STALE
    > Accept-Language: en
    = /o #1
origin /o 4
fields /o
    ~ ^Accept-Language: en$



=== TEST 6: two stale variants are refreshed at the same time, each once
--- store
$TIER
--- config eval
"location / { cacheback pages 1s; $::Origin }"
--- steps
GET /o?h=Vary:X-A&delay=0|0|0.5     200 MISS
    > X-A: 1
GET /o?h=Vary:X-A&delay=0|0|0.5     200 MISS
    > X-A: 2
wait 1.1
GET /o?h=Vary:X-A&delay=0|0|0.5     200 STALE
    > X-A: 1
GET /o?h=Vary:X-A&delay=0|0|0.5     200 STALE
    > X-A: 2
GET /o?h=Vary:X-A&delay=0|0|0.5     200 UPDATING
    > X-A: 1
GET /o?h=Vary:X-A&delay=0|0|0.5     200 UPDATING
    > X-A: 2
origin /o 4
GET /o?h=Vary:X-A&delay=0|0|0.5     200 HIT
    > X-A: 1
    ~ /o #[34]
GET /o?h=Vary:X-A&delay=0|0|0.5     200 HIT
    > X-A: 2
    ~ /o #[34]



=== TEST 7: PURGE deletes all variants, of whomever
--- store
$TIER
--- config eval: $::Location
--- steps
GET /o?h=Vary:X-A           200 MISS
    > X-A: 1
GET /o?h=Vary:X-A           200 MISS
    > X-A: 2
PURGE /o?h=Vary:X-A         204
PURGE /o?h=Vary:X-A         404
GET /o?h=Vary:X-A           200 MISS
    > X-A: 1
    = /o #3
GET /o?h=Vary:X-A           200 MISS
    > X-A: 2
    = /o #4
origin /o 4



=== TEST 8: so do both tiers
--- store eval: $::Both
--- config eval: $::Location
--- steps
GET /o?h=Vary:X-A           200 MISS
    > X-A: 1
GET /o?h=Vary:X-A           200 MISS
    > X-A: 2
PURGE /o?h=Vary:X-A         204
GET /o?h=Vary:X-A           200 MISS
    > X-A: 2
    = /o #3
PURGE /o?h=Vary:X-A         204
PURGE /o?h=Vary:X-A         404



=== TEST 9: a soft PURGE makes all variants stale, and refreshes that of the one who purges
--- store
$TIER
--- config eval: $::Location
--- steps
GET /o?h=Vary:X-A           200 MISS
    > X-A: 1
GET /o?h=Vary:X-A           200 MISS
    > X-A: 2
wait 0.1
PURGE /o?h=Vary:X-A         202
    > Cacheback-Purge: soft
    > X-A: 1
origin /o 3
fields /o
    ~ ^X-A: 1$
GET /o?h=Vary:X-A           200 HIT
    > X-A: 1
    = /o #3
GET /o?h=Vary:X-A           200 STALE
    > X-A: 2
    = /o #2
origin /o 4
PURGE /o?h=Vary:X-A         202
    > Cacheback-Purge: soft
wait 0.2
origin /o 4
GET /o?h=Vary:X-A           200 STALE
    > X-A: 1



=== TEST 10: an unsafe request makes all variants stale
--- store
$TIER
--- config eval: $::Location
--- steps
GET /o?h=Vary:X-A           200 MISS
    > X-A: 1
GET /o?h=Vary:X-A           200 MISS
    > X-A: 2
wait 0.1
POST /o?h=Vary:X-A          200 BYPASS
    > X-A: 1
origin /o 4
GET /o?h=Vary:X-A           200 HIT
    > X-A: 1
    = /o #4
GET /o?h=Vary:X-A           200 STALE
    > X-A: 2
    = /o #2
origin /o 5



=== TEST 11: a variant that is being fetched when the item is deleted is not stored
--- store
$TIER
--- config eval
'location / {
    cacheback       pages;
    cacheback_key   $host$uri;
    cacheback_purge 1;
    ' . $::Origin . '
}'
--- steps
GET /o?h=Vary:X-A&delay=0|0|0.5|0   200 MISS
    > X-A: 1
wait 0.1
HEAD /o?h=Vary:X-A&delay=0|0|0.5|0  200 MISS
    > X-A: 2
wait 0.1
PURGE /o                            204
wait 0.6
GET /o?h=Vary:X-A                   200 MISS
    > X-A: 2
    = /o #4
GET /o?h=Vary:X-A                   200 MISS
    > X-A: 1
    = /o #5



=== TEST 12: the newest names hold
--- store
$TIER
--- config eval: $::Location
--- steps
GET /o?h=Vary:X-A|X-A|X-B           200 MISS
    > X-A: 1
GET /o?h=Vary:X-A|X-A|X-B           200 MISS
    > X-A: 2
GET /o?h=Vary:X-A|X-A|X-B           200 MISS
    > X-A: 3
GET /o?h=Vary:X-A|X-A|X-B           200 HIT
    > X-A: 1
    = /o #3
GET /o?h=Vary:X-A|X-A|X-B           200 MISS
    > X-B: 1



=== TEST 13: an item that varies no longer, and one that begins to
--- store
$TIER
--- config eval: $::Location
--- steps
GET /o?h=Vary:X-A|                  200 MISS
    > X-A: 1
GET /o?h=Vary:X-A|                  200 MISS
    > X-A: 2
GET /o?h=Vary:X-A|                  200 HIT
    > X-A: 1
    = /o #2
GET /p?h=Vary:|X-A&max_age=1|60     200 MISS
    > X-A: 1
wait 1.1
GET /p?h=Vary:|X-A&max_age=1|60     200 STALE
    > X-A: 1
origin /p 2
GET /p?h=Vary:|X-A&max_age=1|60     200 MISS
    > X-A: 1
GET /p?h=Vary:|X-A&max_age=1|60     200 HIT
    > X-A: 1



=== TEST 14: thirty-two variants at most, and no more in Redis
--- store
$TIER
--- config eval: $::Location
--- steps eval
::gets('/o?h=Vary:X-Client', 'MISS', 1, 33) .
::gets('/o?h=Vary:X-Client', 'HIT', 2, 33) .
::gets('/o?h=Vary:X-Client', 'MISS', 1, 1) .
"origin /o 34\n"



=== TEST 15: fetch_on_miss off: a second variant is empty until it is there
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_fetch_on_miss off; $::Origin }"
--- steps
GET /o?h=Vary:X-A           503 EMPTY
    > X-A: 1
origin /o 1
GET /o?h=Vary:X-A           503 EMPTY
    > X-A: 1
origin /o 2
fields /o
    ~ ^X-A: 1$
GET /o?h=Vary:X-A           200 HIT
    > X-A: 1
    = /o #2
GET /o?h=Vary:X-A           503 EMPTY
    > X-A: 2
origin /o 3
GET /o?h=Vary:X-A           200 HIT
    > X-A: 2
    = /o #3
GET /o?h=Vary:X-A           200 HIT
    = /o #1
GET /o?h=Vary:X-A           200 HIT
    > X-A: 1
    = /o #2



=== TEST 16: a variant is renewed by its own validator
--- store
$TIER
--- config eval
"location / { cacheback pages 1s; $::Origin }"
--- steps
GET /o?h=Vary:X-A&etag=a|b          200 MISS
    > X-A: 1
GET /o?h=Vary:X-A&etag=a|b          200 MISS
    > X-A: 2
wait 1.1
GET /o?h=Vary:X-A&etag=a|b          200 STALE
    > X-A: 2
    = /o #2
origin /o 3
fields /o
    ~ ^If-None-Match: "b"$
GET /o?h=Vary:X-A&etag=a|b          200 HIT
    > X-A: 2
    = /o #2



=== TEST 17: a variant that may not be stored leaves the others alone
--- store
$TIER
--- http_config
add_header X-Reason $cacheback_reason always;
--- config eval: $::Location
--- steps
GET /o?h=Vary:X-A&cc=max-age=60|private     200 MISS
    > X-A: 1
GET /o?h=Vary:X-A&cc=max-age=60|private     200 MISS
    > X-A: 2
    < X-Reason: private
GET /o?h=Vary:X-A&cc=max-age=60|private     200 MISS
    > X-A: 2
    < X-Reason: uncacheable
GET /o?h=Vary:X-A&cc=max-age=60|private     200 HIT
    > X-A: 1
    = /o #1



=== TEST 18: fields of cacheback_refresh_header are those that count
--- store
$TIER
--- config eval
'location / {
    cacheback                pages;
    cacheback_refresh_header X-A $arg_a;
    cacheback_key            $host$uri;
    ' . $::Origin . '
}'
--- steps
GET /o?h=Vary:X-A&a=1       200 MISS
    > X-A: client
GET /o?h=Vary:X-A&a=2       200 MISS
    > X-A: client
GET /o?h=Vary:X-A&a=1       200 HIT
    > X-A: other
    = /o #1
GET /o?h=Vary:X-A&a=2       200 HIT
    = /o #2



=== TEST 19: entries that are signed
--- store
memory off;
redis redis://127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
redis_sign $TEST_NGINX_SIGN_KEY;
--- config eval: $::Location
--- steps
GET /o?h=Vary:X-A           200 MISS
    > X-A: 1
GET /o?h=Vary:X-A           200 MISS
    > X-A: 2
GET /o?h=Vary:X-A           200 HIT
    > X-A: 1
    = /o #1
POST /o?h=Vary:X-A          200 BYPASS
wait 0.1
GET /o?h=Vary:X-A           200 STALE
    > X-A: 2
    = /o #2
PURGE /o?h=Vary:X-A         204
GET /o?h=Vary:X-A           200 MISS
    > X-A: 1



=== TEST 20: the commands that README lists suffice
--- redis_before eval
"ACL SETUSER lean on >secret ~* resetchannels -\@all +auth +ping +client|setname $::Commands"
--- store
memory off;
redis redis://lean:secret@127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- config eval: $::Location
--- steps
GET /p                      200 MISS
GET /p                      200 HIT
GET /o?h=Vary:X-A           200 MISS
    > X-A: 1
GET /o?h=Vary:X-A           200 MISS
    > X-A: 2
GET /o?h=Vary:X-A           200 HIT
    > X-A: 1
    = /o #1
POST /o?h=Vary:X-A          200 BYPASS
wait 0.1
GET /o?h=Vary:X-A           200 STALE
    > X-A: 2
origin /o 4
PURGE /o?h=Vary:X-A         204
PURGE /p                    204



=== TEST 21: where no scripts are allowed, the item has one variant
--- redis_before
ACL SETUSER poor on >secret ~* resetchannels -@all +auth +ping +client|setname +get +set +del
--- store
memory off;
redis redis://poor:secret@127.0.0.1:$TEST_NGINX_REDIS_PORT/0;
--- config eval: $::Location
--- errors
--- steps
GET /p                      200 MISS
wait 0.1
GET /o?h=Vary:X-A           200 MISS
    > X-A: 1
wait 0.1
GET /o?h=Vary:X-A           200 HIT
    > X-A: 1
GET /o?h=Vary:X-A           200 MISS
    > X-A: 2
wait 0.1
GET /o?h=Vary:X-A           200 HIT
    > X-A: 2
    = /o #2
POST /o?h=Vary:X-A          200 BYPASS
wait 0.1
GET /o?h=Vary:X-A           200 MISS
    > X-A: 2



=== TEST 22: a 304 may say that the item varies on more (4.3.4)
--- store
$TIER
--- config eval
"location / { cacheback pages; cacheback_policy rfc9111; $::Origin }"
--- steps
GET /o?status=200|304|200&max_age=1|60&h=Vary:X-A|X-A,X-B&h=ETag:"a"        200 MISS
    > X-A: 1
    > X-B: 1
wait 1.1
GET /o?status=200|304|200&max_age=1|60&h=Vary:X-A|X-A,X-B&h=ETag:"a"        200 REVALIDATED
    > X-A: 1
    > X-B: 1
    = /o #1
GET /o?status=200|304|200&max_age=1|60&h=Vary:X-A|X-A,X-B&h=ETag:"a"        200 MISS
    > X-A: 1
    > X-B: 2
    = /o #3
GET /o?status=200|304|200&max_age=1|60&h=Vary:X-A|X-A,X-B&h=ETag:"a"        200 HIT
    > X-A: 1
    > X-B: 1
    = /o #1
GET /p?status=200|304|200&max_age=1|60&h=Vary:|X-A&h=ETag:"a"       200 MISS
    > X-A: 1
wait 1.1
GET /p?status=200|304|200&max_age=1|60&h=Vary:|X-A&h=ETag:"a"       200 REVALIDATED
    > X-A: 1
GET /p?status=200|304|200&max_age=1|60&h=Vary:|X-A&h=ETag:"a"       200 MISS
    > X-A: 2
    = /p #3



=== TEST 23: also one that a refresh gets; on less it says nothing
--- store
$TIER
--- config eval
"location / { cacheback pages 1s; $::Origin }"
--- steps
GET /o?status=200|304|200&h=Vary:X-A|X-B&h=ETag:"a"     200 MISS
    > X-A: 1
wait 1.1
GET /o?status=200|304|200&h=Vary:X-A|X-B&h=ETag:"a"     200 STALE
    > X-A: 1
origin /o 2
GET /o?status=200|304|200&h=Vary:X-A|X-B&h=ETag:"a"     200 HIT
    > X-A: 1
    = /o #1
GET /o?status=200|304|200&h=Vary:X-A|X-B&h=ETag:"a"     200 MISS
    > X-A: 2
    = /o #3
GET /o?status=200|304|200&h=Vary:X-A|X-B&h=ETag:"a"     200 MISS
    > X-A: 1
    > X-B: 1
    = /o #4
