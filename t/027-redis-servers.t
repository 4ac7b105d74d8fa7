# cacheback_store: the words that tell which Redis there is, and how to speak to
# it: what nginx says of wrong ones. How they work is in t/scenario.
use lib 't/lib';
use CachebackTest;

our $Location = <<'EOC';
location / {
    cacheback  pages 1m;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
EOC

run_tests();

__DATA__

=== TEST 1: redis_sentinel without a URL
--- store
redis_sentinel main;
--- config eval: $::Location
--- refused
invalid number of arguments in "redis_sentinel", expected
"redis_sentinel MASTER URL ..."


=== TEST 2: redis_sentinel without the name of the master
--- store
redis_sentinel redis://localhost redis://localhost;
--- config eval: $::Location
--- refused
a URL in place of the name of the master in "redis_sentinel", expected
"redis_sentinel MASTER URL ..."


=== TEST 3: URLs with different passwords
--- store
redis_sentinel main redis://:a@127.0.0.1 redis://:b@127.0.0.2;
--- config eval: $::Location
--- refused
the URLs of "redis_sentinel" have different passwords, expected the same in
all, or in one only


=== TEST 4: URLs with different databases
--- store
redis_sentinel main redis://127.0.0.1/1 redis://127.0.0.2/2;
--- config eval: $::Location
--- refused
the URLs of "redis_sentinel" have different databases, expected the same in
all, or in one only


=== TEST 5: a password in a URL and in a file
--- store
redis_sentinel main redis://:a@127.0.0.1;
redis_password_file secret;
--- config eval: $::Location
--- refused
"redis_password_file" and a password in the URL of "redis_sentinel", expected
one of them


=== TEST 6: redis_tls without Redis
--- store
redis_tls verify=off;
--- config eval: $::Location
--- refused
"redis_tls" needs "redis" in "cacheback_store" "pages"


=== TEST 7: redis_tls with an unknown parameter
--- store
redis rediss://127.0.0.1;
redis_tls verify=no;
--- config eval: $::Location
--- refused
invalid parameter "verify=no" in "redis_tls", expected "ca=FILE", "cert=FILE",
"key=FILE", "name=NAME" or "verify=off"


=== TEST 8: redis_tls with an empty parameter
--- store
redis rediss://127.0.0.1;
redis_tls ca=;
--- config eval: $::Location
--- refused
invalid parameter "ca=" in "redis_tls", expected "ca=FILE", "cert=FILE",
"key=FILE", "name=NAME" or "verify=off"


=== TEST 9: redis_tls with a parameter twice
--- store
redis rediss://127.0.0.1;
redis_tls name=a name=b;
--- config eval: $::Location
--- refused
duplicate parameter "name=b" in "redis_tls"


=== TEST 10: redis_tls with a certificate without its key
--- store
redis rediss://127.0.0.1;
redis_tls cert=client.pem;
--- config eval: $::Location
--- refused
"cert=" alone in "redis_tls", expected "cert=" and "key=" together


=== TEST 11: redis_tls with a key without its certificate
--- store
redis rediss://127.0.0.1;
redis_tls key=client.pem;
--- config eval: $::Location
--- refused
"key=" alone in "redis_tls", expected "cert=" and "key=" together


=== TEST 12: a CA file that is not there
--- store
redis rediss://127.0.0.1;
redis_tls ca=nobody.pem;
--- config eval: $::Location
--- must_die
--- error_log eval
qr/SSL_CTX_load_verify_locations\("[^"]*nobody.pem"\) failed/


=== TEST 13: a certificate that is not there
--- store
redis rediss://127.0.0.1;
redis_tls cert=nobody.pem key=nobody.pem;
--- config eval: $::Location
--- must_die
--- error_log eval
qr/cannot load certificate "[^"]*nobody.pem"/
