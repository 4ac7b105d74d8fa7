# redis_sign: entries in Redis are believed only with a MAC of ours behind them.
use lib 't/lib';
use CachebackTest;

# Keys in files as they should be, and as they should not.
sub key_file {
    my ($name, $mode, $text) = @_;
    my $file = "$CachebackTest::Dir/$name";
    open my $out, '>', $file or die "$file: $!\n";
    print $out $text;
    close $out;
    chmod $mode, $file;
}
key_file('one',   0600, 'the first key of the shop, in one line' . "\n");
key_file('two',   0640, join '', map { chr } 0 .. 63);
key_file('long',  0600, 'x' x 4097);
key_file('short', 0600, ('x' x 31) . "\r\n");
key_file('open',  0644, 'x' x 32);
key_file('group', 0660, 'x' x 32);
key_file('empty', 0600, '');
$ENV{TEST_NGINX_KEYS} = $CachebackTest::Dir;

# Machines that share what is in Redis: the word, and what the path begins with.
sub boxes {
    my %word = @_;
    my $http = "add_header X-Tier \$cacheback_tier always;\n"
        . "add_header X-Reason \$cacheback_reason always;\n"
        . "add_header X-Cache \$cacheback_status always;\n";
    for my $name (sort keys %word) {
        $http .= "cacheback_store $name {\n"
            . "    memory off;\n"
            . "    redis redis://127.0.0.1:\$TEST_NGINX_REDIS_PORT/0;\n"
            . "    redis_prefix \$TEST_NGINX_PREFIX;\n"
            . "    $word{$name}\n}\n";
    }
    return $http;
}

sub locations {
    return join '', map { <<"EOC" } @_;
location /$_/ {
    cacheback     $_ 1m;
    cacheback_key same;
    proxy_pass    http://127.0.0.1:\$TEST_NGINX_ORIGIN_PORT/;
}
EOC
}

our $Location = locations('pages');

run_tests();

__DATA__

=== TEST 1: what is signed is served
--- http_config eval
main::boxes(pages => 'redis_sign $TEST_NGINX_KEYS/one;')
--- config eval: $::Location
--- steps
GET /pages/o        200 MISS
    = /o #1
GET /pages/o        200 HIT
    = /o #1
    < X-Tier: redis
    <! X-Reason



=== TEST 2: what is not signed is a miss, and replaced
--- http_config eval
main::boxes(pages => 'redis_sign $TEST_NGINX_KEYS/one;', plain => '')
--- config eval
main::locations('pages', 'plain')
--- steps
GET /plain/o        200 MISS
GET /plain/o        200 HIT
GET /pages/o        200 MISS
    = /o #2
    < X-Reason: redis
log that are not signed by a key of "redis_sign", taken as a miss 1
GET /pages/o        200 HIT
    = /o #2



=== TEST 3: nor does who does not sign take what is signed
--- http_config eval
main::boxes(pages => 'redis_sign $TEST_NGINX_KEYS/one;', plain => '')
--- config eval
main::locations('pages', 'plain')
--- steps
GET /pages/o        200 MISS
GET /plain/o        200 MISS
    = /o #2
log that are not an entry of this key and format 1



=== TEST 4: another key is no key
--- http_config eval
main::boxes(one => 'redis_sign $TEST_NGINX_KEYS/one;',
    two => 'redis_sign $TEST_NGINX_KEYS/two;')
--- config eval
main::locations('one', 'two')
--- steps
GET /one/o          200 MISS
GET /two/o          200 MISS
    < X-Reason: redis
GET /two/o          200 HIT
GET /one/o          200 MISS
    = /o #3



=== TEST 5: the second file is the key before: its entries are good, no new ones
--- http_config eval
main::boxes(old => 'redis_sign $TEST_NGINX_KEYS/one;',
    both => 'redis_sign $TEST_NGINX_KEYS/two $TEST_NGINX_KEYS/one;',
    new => 'redis_sign $TEST_NGINX_KEYS/two;')
--- config eval
main::locations('old', 'both', 'new')
--- steps
GET /old/o          200 MISS
GET /both/o         200 HIT
    = /o #1
GET /new/o          200 MISS
GET /both/o         200 HIT
    = /o #2
GET /old/o          200 MISS
    = /o #3



=== TEST 6: a line end behind the key is no part of it
--- http_config eval
main::boxes(pages => 'redis_sign $TEST_NGINX_KEYS/short;')
--- config eval: $::Location
--- refused
a key of 31 bytes in "redis_sign" "$TEST_NGINX_KEYS/short", expected 32 to 4096,
such as "openssl rand -hex 32" makes



=== TEST 7: an empty file
--- http_config eval
main::boxes(pages => 'redis_sign $TEST_NGINX_KEYS/one $TEST_NGINX_KEYS/empty;')
--- config eval: $::Location
--- refused
a key of 0 bytes in "redis_sign" "$TEST_NGINX_KEYS/empty", expected 32 to 4096,
such as "openssl rand -hex 32" makes



=== TEST 8: a file that is too long for a key
--- http_config eval
main::boxes(pages => 'redis_sign $TEST_NGINX_KEYS/long;')
--- config eval: $::Location
--- refused
a key of 4097 bytes in "redis_sign" "$TEST_NGINX_KEYS/long", expected 32 to 4096,
such as "openssl rand -hex 32" makes



=== TEST 9: a file that all may read
--- http_config eval
main::boxes(pages => 'redis_sign $TEST_NGINX_KEYS/open;')
--- config eval: $::Location
--- refused
"redis_sign" "$TEST_NGINX_KEYS/open" has mode 0644, expected a file that its
group may read at most, such as 0600 or 0640



=== TEST 10: a file that its group may write
--- http_config eval
main::boxes(pages => 'redis_sign $TEST_NGINX_KEYS/group;')
--- config eval: $::Location
--- refused
"redis_sign" "$TEST_NGINX_KEYS/group" has mode 0660, expected a file that its
group may read at most, such as 0600 or 0640



=== TEST 11: a file that is not there
--- http_config eval
main::boxes(pages => 'redis_sign $TEST_NGINX_KEYS/none;')
--- config eval: $::Location
--- refused
open() "$TEST_NGINX_KEYS/none" failed (2: No such file or directory)



=== TEST 12: three files
--- http_config eval
main::boxes(pages => 'redis_sign a b c;')
--- config eval: $::Location
--- refused
invalid number of arguments in "redis_sign", expected "redis_sign FILE [FILE]"



=== TEST 13: twice
--- http_config eval
main::boxes(pages => 'redis_sign $TEST_NGINX_KEYS/one;
    redis_sign $TEST_NGINX_KEYS/one;')
--- config eval: $::Location
--- refused
"redis_sign" is duplicate



=== TEST 14: without Redis
--- store
redis_sign $TEST_NGINX_KEYS/one;
--- config eval: $::Location
--- refused
"redis_sign" needs "redis" in "cacheback_store" "pages"
