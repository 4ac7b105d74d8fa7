# A refresh runs the location's own content handler, whatever it is.
use lib 't/lib';
use CachebackTest;
use EachTier;

sub installed {
    my ($name) = @_;
    return grep { -x "$_/$name" } split /:/, $ENV{PATH};
}

# The same origin behind other protocols, each on its port.
INIT {
    for my $protocol (qw(fastcgi scgi uwsgi memcached)) {
        $ENV{'TEST_NGINX_' . uc $protocol} = CachebackTest::spawn_speaking(
            'gateway.py', 'python3', "$CachebackTest::Root/t/lib/gateway.py",
            $protocol, $ENV{TEST_NGINX_ORIGIN_PORT});
    }
    # And real ones, where they are installed.
    if (installed('php-cgi')) {
        $ENV{TEST_NGINX_PHP} = CachebackTest::free_port();
        CachebackTest::spawn('php-cgi', '-b',
            "127.0.0.1:$ENV{TEST_NGINX_PHP}");
        CachebackTest::await_port($ENV{TEST_NGINX_PHP});
    }
    if (installed('uwsgi')) {
        $ENV{TEST_NGINX_WSGI} = CachebackTest::free_port();
        CachebackTest::spawn('uwsgi', '--plugin', 'python3',
            '--uwsgi-socket', "127.0.0.1:$ENV{TEST_NGINX_WSGI}",
            '--wsgi-file', "$CachebackTest::Root/t/lib/app.py",
            '--die-on-term', '--logto', '/dev/null');
        CachebackTest::await_port($ENV{TEST_NGINX_WSGI});
    }
}

run_tests_on_each_tier();

__DATA__

=== TEST 1: proxy_pass in its forms
--- store
$TIER
--- http_config
upstream kept {
    server 127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    keepalive 2;
}
upstream second {
    server 127.0.0.1:$TEST_NGINX_CLOSED_PORT;
    server 127.0.0.1:$TEST_NGINX_ORIGIN_PORT backup;
}
map $uri $chosen { default kept; }
--- errors
--- config
cacheback_lifetime 5m;
location /1.0/ {
    cacheback  pages;
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /1.1/ {
    cacheback          pages;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
    proxy_http_version 1.1;
}
location /kept/ {
    cacheback          pages;
    proxy_pass         http://kept;
    proxy_http_version 1.1;
    proxy_set_header   Connection "";
}
location /second/ {
    cacheback          pages;
    proxy_pass         http://second;
}
location /variable/ {
    cacheback          pages;
    proxy_pass         http://$chosen;
}
location ~ ^/(captured)/(\w+)$ {
    cacheback          pages;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT/$2/$1$is_args$args;
}
location /uri/ {
    cacheback          pages;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT/other/;
}
location /rewritten/ {
    cacheback          pages;
    rewrite            ^/rewritten/(.*) /after/$1 break;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /if/ {
    cacheback          pages;
    if ($arg_cc) { set $answered_by "if"; }
    proxy_set_header   X-By $answered_by;
    proxy_pass         http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /1.0/o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 MISS
GET /1.0/o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 STALE
    = /1.0/o #1
origin /1.0/o 2
fields /1.0/o
    ~ HTTP/1.[01]$
GET /1.0/o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 HIT
    = /1.0/o #2
GET /1.1/o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 MISS
GET /1.1/o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 STALE
origin /1.1/o 2
fields /1.1/o
    ~ HTTP/1.1$
GET /1.1/o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 HIT
    = /1.1/o #2
GET /kept/o?cc=max-age=0,stale-while-revalidate=9|max-age=9     200 MISS
GET /kept/o?cc=max-age=0,stale-while-revalidate=9|max-age=9     200 STALE
origin /kept/o 2
GET /kept/o?cc=max-age=0,stale-while-revalidate=9|max-age=9     200 HIT
    = /kept/o #2
GET /kept/p                                                     200 MISS
    = /kept/p #1
GET /second/o?cc=max-age=0,stale-while-revalidate=9|max-age=9   200 MISS
GET /second/o?cc=max-age=0,stale-while-revalidate=9|max-age=9   200 STALE
origin /second/o 2
GET /second/o?cc=max-age=0,stale-while-revalidate=9|max-age=9   200 HIT
    = /second/o #2
GET /variable/o?cc=max-age=0,stale-while-revalidate=9|max-age=9 200 MISS
GET /variable/o?cc=max-age=0,stale-while-revalidate=9|max-age=9 200 STALE
origin /variable/o 2
GET /variable/o?cc=max-age=0,stale-while-revalidate=9|max-age=9 200 HIT
    = /variable/o #2
GET /captured/o?cc=max-age=0,stale-while-revalidate=9|max-age=9 200 MISS
    = /o/captured #1
GET /captured/o?cc=max-age=0,stale-while-revalidate=9|max-age=9 200 STALE
origin /o/captured 2
GET /captured/o?cc=max-age=0,stale-while-revalidate=9|max-age=9 200 HIT
    = /o/captured #2
GET /uri/o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 MISS
GET /uri/o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 STALE
origin /other/o 2
GET /uri/o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 HIT
    = /other/o #2
GET /rewritten/o?cc=max-age=0,stale-while-revalidate=9|max-age=9  200 MISS
GET /rewritten/o?cc=max-age=0,stale-while-revalidate=9|max-age=9  200 STALE
origin /after/o 2
GET /rewritten/o?cc=max-age=0,stale-while-revalidate=9|max-age=9  200 HIT
    = /after/o #2
GET /if/o?cc=max-age=0,stale-while-revalidate=9|max-age=9       200 MISS
GET /if/o?cc=max-age=0,stale-while-revalidate=9|max-age=9       200 STALE
origin /if/o 2
fields /if/o
    ~ ^X-By: if$
GET /if/o?cc=max-age=0,stale-while-revalidate=9|max-age=9       200 HIT
    = /if/o #2



=== TEST 2: fastcgi_pass
--- store
$TIER
--- config
fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param REQUEST_URI    $request_uri;
location / {
    cacheback    pages;
    fastcgi_pass 127.0.0.1:$TEST_NGINX_FASTCGI;
}
location /unbuffered/ {
    cacheback         pages;
    fastcgi_pass      127.0.0.1:$TEST_NGINX_FASTCGI;
    fastcgi_buffering off;
}
location /small/ {
    cacheback           pages;
    fastcgi_pass        127.0.0.1:$TEST_NGINX_FASTCGI;
    fastcgi_buffers     4 4k;
    fastcgi_buffer_size 4k;
    fastcgi_busy_buffers_size 4k;
    fastcgi_max_temp_file_size 0;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&etag=a|b         200 MISS
    = /o #1
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&etag=a|b         200 STALE
    > Cookie: user=alice
    = /o #1
origin /o 2
fields /o
    ~ ^GET
    ~ ^If-None-Match: "a"$
    ~ ^Cacheback-Refresh: 1$
    !~ alice
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9&etag=a|b         200 HIT
    = /o #2
GET /unbuffered/o?cc=max-age=0,stale-while-revalidate=9|max-age=9&size=300000   200 MISS
GET /unbuffered/o?cc=max-age=0,stale-while-revalidate=9|max-age=9&size=300000   200 STALE
    same
origin /unbuffered/o 2
GET /unbuffered/o?cc=max-age=0,stale-while-revalidate=9|max-age=9&size=300000   200 HIT
    < Content-Length: 300000
    !~ #1
GET /small/o?cc=max-age=0,stale-while-revalidate=9|max-age=9&size=300000        200 MISS
GET /small/o?cc=max-age=0,stale-while-revalidate=9|max-age=9&size=300000        200 STALE
    same
origin /small/o 2
GET /small/o?cc=max-age=0,stale-while-revalidate=9|max-age=9&size=300000        200 HIT
    !~ #1
GET /gone?cc=max-age=0,stale-while-revalidate=9&status=200|500          200 MISS
GET /gone?cc=max-age=0,stale-while-revalidate=9&status=200|500          200 STALE
origin /gone 2
GET /gone?cc=max-age=0,stale-while-revalidate=9&status=200|500          200 UPDATING
    = /gone #1
GET /same?cc=max-age=0,stale-while-revalidate=9|max-age=9&etag=a        200 MISS
GET /same?cc=max-age=0,stale-while-revalidate=9|max-age=9&etag=a        200 STALE
origin /same 2
GET /same?cc=max-age=0,stale-while-revalidate=9|max-age=9&etag=a        200 HIT
    = /same #1



=== TEST 3: fastcgi_pass with connections kept
--- store
$TIER
--- http_config
upstream kept {
    server 127.0.0.1:$TEST_NGINX_FASTCGI;
    keepalive 2;
}
--- config
location / {
    cacheback         pages;
    fastcgi_pass      kept;
    fastcgi_keep_conn on;
    fastcgi_param     REQUEST_METHOD $request_method;
    fastcgi_param     REQUEST_URI    $request_uri;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 STALE
origin /o 2
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 HIT
    = /o #2
GET /p                                                      200 MISS
    = /p #1



=== TEST 4: scgi_pass
--- store
$TIER
--- config
scgi_param REQUEST_METHOD $request_method;
scgi_param REQUEST_URI    $request_uri;
scgi_param CONTENT_LENGTH $content_length;
location / {
    cacheback pages;
    scgi_pass 127.0.0.1:$TEST_NGINX_SCGI;
}
location /unbuffered/ {
    cacheback      pages;
    scgi_pass      127.0.0.1:$TEST_NGINX_SCGI;
    scgi_buffering off;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 STALE
    > Cookie: user=alice
    = /o #1
origin /o 2
fields /o
    ~ ^Cacheback-Refresh: 1$
    !~ alice
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 HIT
    = /o #2
GET /unbuffered/o?cc=max-age=0,stale-while-revalidate=9|max-age=9&size=90000    200 MISS
GET /unbuffered/o?cc=max-age=0,stale-while-revalidate=9|max-age=9&size=90000    200 STALE
origin /unbuffered/o 2
GET /unbuffered/o?cc=max-age=0,stale-while-revalidate=9|max-age=9&size=90000    200 HIT
    < Content-Length: 90000
    !~ #1
GET /gone?cc=max-age=0,stale-while-revalidate=9&status=200|503          200 MISS
GET /gone?cc=max-age=0,stale-while-revalidate=9&status=200|503          200 STALE
origin /gone 2
GET /gone?cc=max-age=0,stale-while-revalidate=9&status=200|503          200 UPDATING



=== TEST 5: uwsgi_pass
--- store
$TIER
--- config
uwsgi_param REQUEST_METHOD $request_method;
uwsgi_param REQUEST_URI    $request_uri;
location / {
    cacheback  pages;
    uwsgi_pass 127.0.0.1:$TEST_NGINX_UWSGI;
}
location /unbuffered/ {
    cacheback       pages;
    uwsgi_pass      127.0.0.1:$TEST_NGINX_UWSGI;
    uwsgi_buffering off;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 STALE
    > Cookie: user=alice
    = /o #1
origin /o 2
fields /o
    ~ ^Cacheback-Refresh: 1$
    !~ alice
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 HIT
    = /o #2
GET /unbuffered/o?cc=max-age=0,stale-while-revalidate=9|max-age=9&size=90000    200 MISS
GET /unbuffered/o?cc=max-age=0,stale-while-revalidate=9|max-age=9&size=90000    200 STALE
origin /unbuffered/o 2
GET /unbuffered/o?cc=max-age=0,stale-while-revalidate=9|max-age=9&size=90000    200 HIT
    < Content-Length: 90000
    !~ #1
GET /gone?cc=max-age=0,stale-while-revalidate=9&status=200|503          200 MISS
GET /gone?cc=max-age=0,stale-while-revalidate=9&status=200|503          200 STALE
origin /gone 2
GET /gone?cc=max-age=0,stale-while-revalidate=9&status=200|503          200 UPDATING



=== TEST 6: memcached_pass
--- store
$TIER
--- errors
--- config
location / {
    cacheback      pages 800ms;
    set            $memcached_key $request_uri;
    memcached_pass 127.0.0.1:$TEST_NGINX_MEMCACHED;
}
--- steps
GET /o?status=200|200|404           200 MISS
    = /o #1
GET /o?status=200|200|404           200 HIT
wait 0.85
GET /o?status=200|200|404           200 STALE
    = /o #1
origin /o 2
GET /o?status=200|200|404           200 HIT
    = /o #2
wait 0.85
GET /o?status=200|200|404           200 STALE
    = /o #2
origin /o 3
GET /o?status=200|200|404           404 HIT



=== TEST 7: a static file, index and try_files
--- store
$TIER
--- user_files
>>> f.txt
old
>>> d/index.html
old index
--- config
cacheback_lifetime 800ms;
root html;
location / {
    cacheback pages;
    try_files $uri $uri/index.html =404;
}
location /static/ {
    cacheback pages;
    rewrite   ^ /f.txt break;
    root      html;
}
location /d/ {
    cacheback pages;
    index     index.html;
}
location = /write {
    content_by_lua_block {
        local root = ngx.var.document_root
        for name, text in pairs{["/f.txt"] = "new one\n", ["/d/index.html"] = "new index\n"} do
            local file = assert(io.open(root .. name .. ".new", "w"))
            file:write(text)
            file:close()
            assert(os.rename(root .. name .. ".new", root .. name))
        end
        ngx.say("written")
    }
}
location = /remove {
    content_by_lua_block {
        assert(os.remove(ngx.var.document_root .. "/f.txt"))
        ngx.say("removed")
    }
}
--- errors
--- steps
GET /f.txt                          200 MISS
    = old
GET /static/f.txt                   200 MISS
    = old
GET /d/                             200 MISS
    = old index
GET /d                              200 MISS
    = old index
GET /write
wait 0.85
GET /f.txt                          200 STALE
    = old
GET /static/f.txt                   200 STALE
    = old
GET /d/                             200 STALE
    = old index
GET /d                              200 STALE
    = old index
wait 0.05
GET /f.txt                          200 HIT
    = new one
GET /static/f.txt                   200 HIT
    = new one
GET /d/                             200 HIT
    = new index
GET /d                              200 HIT
    = new index
GET /remove
wait 0.85
GET /f.txt                          200 STALE
    = new one
wait 0.05
GET /f.txt                          404 HIT



=== TEST 8: try_files to a named location and to a URI
--- store
$TIER
--- config
root html;
location / {
    cacheback  pages;
    try_files  $uri @app;
}
location @app {
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
location /uri/ {
    cacheback  pages;
    try_files  $uri /app$uri$is_args$args;
}
location /app/ {
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT;
}
--- steps
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 MISS
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 STALE
origin /o 2
GET /o?cc=max-age=0,stale-while-revalidate=9|max-age=9      200 HIT
    = /o #2
GET /uri/o?cc=max-age=0,stale-while-revalidate=9|max-age=9  200 MISS
GET /uri/o?cc=max-age=0,stale-while-revalidate=9|max-age=9  200 STALE
origin /app/uri/o 2
GET /uri/o?cc=max-age=0,stale-while-revalidate=9|max-age=9  200 HIT
    = /app/uri/o #2



=== TEST 9: content_by_lua: printing, flushing, sleeping, capturing, redirecting
--- store
$TIER
--- http_config
lua_shared_dict counts 1m;
init_by_lua_block {
    -- Counts, and says that the first answer is stale at once.
    function next_of(path)
        local n = ngx.shared.counts:incr(path, 1, 0)
        ngx.header["Cache-Control"] = n > 1 and "max-age=60"
            or "max-age=0, stale-while-revalidate=60"
        return n
    end
}
--- config
location /say {
    cacheback pages;
    content_by_lua_block { ngx.say("say #", next_of("say")) }
}
location /flush {
    cacheback pages;
    content_by_lua_block {
        local n = next_of("flush")
        ngx.print("flush ")
        ngx.flush(true)
        ngx.sleep(0.02)
        ngx.say("#", n)
    }
}
location /sleep {
    cacheback pages;
    content_by_lua_block {
        ngx.sleep(0.1)
        ngx.header["X-Header"] = "set"
        ngx.say("sleep #", next_of("sleep"))
    }
}
location /capture {
    cacheback pages;
    content_by_lua_block {
        local one = ngx.location.capture_multi{ {"/part"}, {"/part"} }
        ngx.print("capture #", next_of("capture"), "\n", one.body)
    }
}
location /exec {
    cacheback pages;
    content_by_lua_block { ngx.exec("@app") }
}
location /body {
    cacheback pages;
    content_by_lua_block {
        ngx.req.read_body()
        ngx.say("body #", next_of("body"), " ", tostring(ngx.req.get_body_data()))
    }
}
location /error {
    cacheback pages;
    content_by_lua_block {
        local n = next_of("error")
        if n > 1 then error("no more") end
        ngx.say("error #", n)
    }
}
location /part { proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
location @app  { proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT; }
--- errors
--- steps
GET /say                            200 MISS
GET /flush                          200 MISS
GET /sleep                          200 MISS
GET /capture                        200 MISS
GET /exec?cc=max-age=0,stale-while-revalidate=9|max-age=9                           200 MISS
GET /body                           200 MISS
GET /error                          200 MISS
GET /say                            200 STALE
    = say #1
GET /flush                          200 STALE
    = flush #1
GET /sleep                          200 STALE
    = sleep #1
    < X-Header: set
    within 0.09
GET /capture                        200 STALE
    ~ \Acapture #1\n/part #[12]\n\z
GET /exec?cc=max-age=0,stale-while-revalidate=9|max-age=9                           200 STALE
    = /exec #1
GET /body                           200 STALE
    = body #1 nil
GET /error                          200 STALE
origin /part 4
origin /exec 2
wait 0.1
GET /say                            200 HIT
    = say #2
GET /flush                          200 HIT
    = flush #2
GET /sleep                          200 HIT
    = sleep #2
    < X-Header: set
GET /capture                        200 HIT
    ~ \Acapture #2\n/part #[34]\n\z
GET /exec?cc=max-age=0,stale-while-revalidate=9|max-age=9                           200 HIT
    = /exec #2
GET /body                           200 HIT
    = body #2 nil
GET /error                          200 UPDATING
    = error #1



=== TEST 10: echo
--- store
$TIER
--- config
cacheback_lifetime 500ms;
location /plain {
    cacheback  pages;
    echo_sleep 0.02;
    echo       $cacheback_refresh;
    echo       $request_uri;
}
--- steps
GET /plain                          200 MISS
    =
    = /plain
wait 0.55
GET /plain                          200 STALE
    =
    = /plain
wait 0.1
GET /plain                          200 HIT
    = 1
    = /plain



=== TEST 11: what a subrequest prints after the end of a fill is no part of it
--- store
$TIER
--- config
location / {
    cacheback                pages;
    cacheback_fetch_on_miss  off;
    echo                     before;
    echo_location_async      /part;
}
location = /part {
    proxy_pass http://127.0.0.1:$TEST_NGINX_ORIGIN_PORT/part?delay=0.4;
}
--- steps
GET /o          503 EMPTY
origin /part 1
wait 0.1
GET /o          503 EMPTY
origin /part 1



=== TEST 12: PHP
--- skip_eval: 3: !$ENV{TEST_NGINX_PHP}
--- store
$TIER
--- user_files
>>> o.php
<?php
header('Cache-Control: max-age=0, stale-while-revalidate=9');
header('X-Refresh: ' . ($_SERVER['HTTP_CACHEBACK_REFRESH'] ?? 'no'));
file_get_contents('http://127.0.0.1:' . $_GET['port'] . '/php');
echo $_SERVER['REQUEST_METHOD'], ' ', count($_COOKIE), "\n";
flush();
echo $_GET['word'], "\n";
--- config
location ~ \.php$ {
    cacheback     pages;
    root          html;
    fastcgi_pass  127.0.0.1:$TEST_NGINX_PHP;
    include       /etc/nginx/fastcgi_params;
    fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
}
--- steps
GET /o.php?port=$TEST_NGINX_ORIGIN_PORT&word=hello          200 MISS
    < X-Refresh: no
    = GET 0
    = hello
HEAD /o.php?port=$TEST_NGINX_ORIGIN_PORT&word=hello         200 STALE
    > Cookie: user=alice
    < X-Refresh: no
origin /php 2
GET /o.php?port=$TEST_NGINX_ORIGIN_PORT&word=hello          200 STALE
    < X-Refresh: 1
    = GET 0
    = hello



=== TEST 13: a WSGI application
--- skip_eval: 3: !$ENV{TEST_NGINX_WSGI}
--- store
$TIER
--- config
location / {
    cacheback   pages;
    uwsgi_pass  127.0.0.1:$TEST_NGINX_WSGI;
    include     /etc/nginx/uwsgi_params;
}
--- steps
GET /app                           200 MISS
    < X-Refresh: no
    = GET /app no cookie
HEAD /app                          200 STALE
    > Cookie: user=alice
    < X-Refresh: no
wait 0.2
GET /app                           200 STALE
    < X-Refresh: 1
    = GET /app no cookie
