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

=== TEST 1: one kind of Redis only
--- store
redis         redis://localhost;
redis_cluster redis://localhost:7000;
--- config eval: $::Location
--- refused
"redis_cluster" beside "redis", expected one of them


=== TEST 2: nor Sentinels beside a cluster
--- store
redis_cluster  redis://localhost:7000;
redis_sentinel main redis://localhost;
--- config eval: $::Location
--- refused
"redis_sentinel" beside "redis_cluster", expected one of them


=== TEST 3: redis_sentinel without a URL
--- store
redis_sentinel main;
--- config eval: $::Location
--- refused
invalid number of arguments in "redis_sentinel", expected
"redis_sentinel MASTER URL ..."


=== TEST 4: redis_sentinel without the name of the master
--- store
redis_sentinel redis://localhost redis://localhost;
--- config eval: $::Location
--- refused
a URL in place of the name of the master in "redis_sentinel", expected
"redis_sentinel MASTER URL ..."


=== TEST 5: redis_cluster without a URL
--- store
redis_cluster;
--- config eval: $::Location
--- refused
invalid number of arguments in "redis_cluster", expected "redis_cluster URL ..."


=== TEST 6: redis_cluster with what is no URL; the password is not shown
--- store
redis_cluster redis://127.0.0.1 http://:s3cret@127.0.0.1;
--- config eval: $::Location
--- refused
"redis_cluster": invalid value "http://:***@127.0.0.1", expected
"redis://[[user]:password@]host[:port][/db]", "rediss://..." for TLS, or
"unix:path[?db=N]"


=== TEST 7: redis_cluster on a socket
--- store
redis_cluster unix:/tmp/redis.sock;
--- config eval: $::Location
--- refused
"unix:/tmp/redis.sock" in "redis_cluster", expected "redis://" or "rediss://"


=== TEST 8: redis_cluster with a database
--- store
redis_cluster redis://127.0.0.1:7000/2;
--- config eval: $::Location
--- refused
database 2 in "redis_cluster", expected none: a cluster has database 0 only


=== TEST 9: URLs with different passwords
--- store
redis_sentinel main redis://:a@127.0.0.1 redis://:b@127.0.0.2;
--- config eval: $::Location
--- refused
the URLs of "redis_sentinel" have different passwords, expected the same in
all, or in one only


=== TEST 10: URLs with different users
--- store
redis_cluster redis://ann:a@127.0.0.1 redis://bob:a@127.0.0.2;
--- config eval: $::Location
--- refused
the URLs of "redis_cluster" have different users, expected the same in all, or
in one only


=== TEST 11: URLs with different databases
--- store
redis_sentinel main redis://127.0.0.1/1 redis://127.0.0.2/2;
--- config eval: $::Location
--- refused
the URLs of "redis_sentinel" have different databases, expected the same in
all, or in one only


=== TEST 12: TLS for some
--- store
redis_cluster redis://127.0.0.1 rediss://127.0.0.2;
--- config eval: $::Location
--- refused
"redis://" beside "rediss://" in "redis_cluster", expected one of them


=== TEST 13: a password in a URL and in a file
--- store
redis_sentinel main redis://:a@127.0.0.1;
redis_password_file secret;
--- config eval: $::Location
--- refused
"redis_password_file" and a password in the URL of "redis_sentinel", expected
one of them


=== TEST 14: redis_tls without Redis
--- store
redis_tls verify=off;
--- config eval: $::Location
--- refused
"redis_tls" needs "redis" in "cacheback_store" "pages"


=== TEST 15: redis_tls with an unknown parameter
--- store
redis rediss://127.0.0.1;
redis_tls verify=no;
--- config eval: $::Location
--- refused
invalid parameter "verify=no" in "redis_tls", expected "ca=FILE", "cert=FILE",
"key=FILE", "name=NAME" or "verify=off"


=== TEST 16: redis_tls with an empty parameter
--- store
redis rediss://127.0.0.1;
redis_tls ca=;
--- config eval: $::Location
--- refused
invalid parameter "ca=" in "redis_tls", expected "ca=FILE", "cert=FILE",
"key=FILE", "name=NAME" or "verify=off"


=== TEST 17: redis_tls with a parameter twice
--- store
redis rediss://127.0.0.1;
redis_tls name=a name=b;
--- config eval: $::Location
--- refused
duplicate parameter "name=b" in "redis_tls"


=== TEST 18: redis_tls with a certificate without its key
--- store
redis rediss://127.0.0.1;
redis_tls cert=client.pem;
--- config eval: $::Location
--- refused
"cert=" alone in "redis_tls", expected "cert=" and "key=" together


=== TEST 19: redis_tls with a key without its certificate
--- store
redis rediss://127.0.0.1;
redis_tls key=client.pem;
--- config eval: $::Location
--- refused
"key=" alone in "redis_tls", expected "cert=" and "key=" together


=== TEST 20: a host that nobody knows, among others
--- store
redis_cluster redis://127.0.0.1:7000 redis://nowhere.invalid:7000;
--- config eval: $::Location
--- refused
host not found in "nowhere.invalid:7000" of "cacheback_store" "pages", expected
a name that is known now, or a "resolver" in "http" that will know it


=== TEST 21: a CA file that is not there
--- store
redis rediss://127.0.0.1;
redis_tls ca=nobody.pem;
--- config eval: $::Location
--- must_die
--- error_log eval
qr/SSL_CTX_load_verify_locations\("[^"]*nobody.pem"\) failed/


=== TEST 22: a certificate that is not there
--- store
redis rediss://127.0.0.1;
redis_tls cert=nobody.pem key=nobody.pem;
--- config eval: $::Location
--- must_die
--- error_log eval
qr/cannot load certificate "[^"]*nobody.pem"/
