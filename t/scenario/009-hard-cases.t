#!/usr/bin/env python3
"""What went wrong once, or nearly: clients that are lost in the middle, filters
that fail, forms and identities that must not be stored for everybody."""
import gzip, os, ssl, subprocess, sys, tempfile, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from scenario import Box, SLACK, check, eventually, main, scenario


def conf(location, http="", store="memory 8m;"):
    return """
        cacheback_store pages { %s }
        %s
        server {
            listen 127.0.0.1:%%(port)s;
            add_header X-Cache $cacheback_status always;
            location / {
                cacheback pages;
                %s
            }
        }""" % (store, http, location)


# A shard of the memory tier would not hold what these answers take.
LARGE = "memory off; redis redis://127.0.0.1:%(redis)s; redis_timeout 2s; " \
    "max_entry 20m;"
ORIGIN = "proxy_pass http://127.0.0.1:%(origin)s;"


def a_lost_reader_does_not_stop_the_fetch(buffering):
    with Box(conf("proxy_read_timeout 4s; send_timeout 4s; cacheback_max_size "
                  "20m; " + buffering + ORIGIN, store=LARGE)) as box:
        target = "/o?size=8000000"
        first = box.client(receive_buffer=4096)
        first.send(target)
        check(eventually(lambda: box.origin_count("/o") == 1))
        time.sleep(0.5)                 # what it does not take is held for it
        first.reset()
        answer = box.client(timeout=20 * SLACK).get(target)
        check(answer.took < 3 * SLACK, answer.took)
        check(len(answer.body) == 8000000, len(answer.body))
        check(eventually(lambda: box.get(target).cache == "HIT"))


@scenario
def a_lost_reader_of_an_unbuffered_answer_does_not_stop_the_fetch():
    a_lost_reader_does_not_stop_the_fetch("proxy_buffering off;")


@scenario
def a_lost_reader_without_a_temp_file_does_not_stop_the_fetch():
    a_lost_reader_does_not_stop_the_fetch("proxy_max_temp_file_size 0;")


@scenario
def a_lost_reader_of_a_buffered_answer_does_not_stop_the_fetch():
    a_lost_reader_does_not_stop_the_fetch("")


@scenario
def a_body_filter_that_fails_ends_the_connection_as_without_us():
    modules = "/usr/lib/nginx/modules/"
    lua = "load_module %sndk_http_module.so; load_module " \
        "%sngx_http_lua_module.so;" % (modules, modules)
    if not os.path.exists(modules + "ngx_http_lua_module.so"):
        return
    with Box(conf("body_filter_by_lua_block { if ngx.var.arg_bad then "
                  "error('x') end } " + ORIGIN), main=lua) as box:
        client = box.client(timeout=3 * SLACK)
        client.send("/o?bad=1&size=100")
        time.sleep(0.3)
        try:
            client.send("/other?body=OF-ANOTHER-REQUEST")
            answer = client.receive()
        except (ConnectionError, TimeoutError):
            answer = None
        check(answer is None or b"OF-ANOTHER" not in answer.body, answer)
        check(box.get("/o?size=100").cache == "MISS")


@scenario
def gzip_static_does_not_store_gzip_for_everybody():
    with Box(conf("gzip_static on; gzip on; gzip_types *; gzip_min_length 1; "
                  "root html;")) as box:
        html = box.dir + "/html"
        os.mkdir(html, 0o755)
        text = b"plain text\n" * 500
        with open(html + "/p.txt", "wb") as file:
            file.write(text)
        with open(html + "/p.txt.gz", "wb") as file:
            file.write(gzip.compress(text))
        for status in ("MISS", "HIT"):
            able = box.client().get("/p.txt", {"Accept-Encoding": "gzip"})
            check(able.cache == status, able.cache)
            check(gzip.decompress(able.body) == text)
        plain = box.client().get("/p.txt")
        check(plain.cache == "HIT" and plain.body == text, plain)


@scenario
def what_a_map_makes_of_a_cookie_does_not_reach_a_fill():
    http = "map $cookie_user $who { default $cookie_user; \"\" nobody; }"
    with Box(conf("cacheback_lifetime 300ms; if ($who = x) { return 403; } "
                  "proxy_set_header X-Who $who; " + ORIGIN, http)) as box:
        check(box.get("/o").cache == "MISS")
        time.sleep(0.35)
        check(box.get("/o", {"Cookie": "user=alice"}).cache == "STALE")
        check(box.origin_answered("/o", 2))
        check("nobody" in str(box.origin_fields("/o")), box.origin_fields("/o"))
        check(box.get("/new", {"Cookie": "user=alice"}).cache == "MISS")
        check(box.origin_answered("/new", 2))
        check("alice" not in str(box.origin_fields("/new")))


@scenario
def a_look_up_under_way_does_not_bring_a_purged_item_back():
    store = "memory 8m; redis redis://127.0.0.1:%(redis)s; redis_timeout 5s;"
    with Box(conf("cacheback_purge 1; add_header X-Cache $cacheback_status; "
                  "add_header X-Pid $pid; " + ORIGIN,
                  store=store), workers=2) as box:
        asking = box.client()
        pid = asking.get("/o").fields["x-pid"]
        check(eventually(lambda: len(box.entries()) == 1))
        key = box.entries()[0]
        entry = box.redis("GET", key)
        box.get("/o", method="PURGE")
        box.redis("SET", key, entry)    # as another machine would

        other = None
        for _ in range(200):
            client = box.client()
            if client.get("/x?cc=no-store").fields["x-pid"] != pid:
                other = client
                break
        if other is None:
            return                      # the kernel gave all to one worker
        box.signal("redis", 19)
        asking.send("/o")
        time.sleep(0.1)                 # it has asked
        os.kill(int(pid), 19)
        box.signal("redis", 18)
        time.sleep(0.1)
        check(other.get("/o", method="PURGE").code == 204)
        os.kill(int(pid), 18)
        asking.receive()
        again = other.get("/o")
        check(again.cache == "MISS", again)


MIRRORED = "mirror /mirror; " + ORIGIN + \
    "} location = /mirror { proxy_pass http://127.0.0.1:%(origin)s/mirror?MORE;"


@scenario
def a_refresh_is_stored_though_its_mirror_has_not_answered():
    with Box(conf("cacheback_lifetime 300ms; " +
                  MIRRORED.replace("MORE", "delay=0|3"))) as box:
        check(box.get("/o").cache == "MISS")
        time.sleep(0.35)
        check(box.get("/o").cache == "STALE")
        check(eventually(lambda: box.get("/o").body == b"/o #2\n", 1))
        check(box.origin_count("/mirror") == 2)


@scenario
def a_mirror_that_does_not_end_is_ended_with_the_lease_and_nobody_told():
    with Box(conf("cacheback_lifetime 300ms; cacheback_refresh_timeout 1s; " +
                  MIRRORED.replace("MORE", "delay=0|30"))) as box:
        check(box.get("/o").cache == "MISS")
        time.sleep(0.35)
        check(box.get("/o").cache == "STALE")
        check(eventually(lambda: box.get("/o").body == b"/o #2\n", 0.8))
        time.sleep(1.2)
        check(box.log_count("took longer than cacheback_refresh") == 0)
        box.signal("nginx", 3)          # nothing of it holds a worker
        check(box.children["nginx"].wait(3 * SLACK) == 0)


@scenario
def the_default_key_is_the_text_that_nginx_makes_of_it():
    server = """
        cacheback_store pages { memory 8m; }
        server {
            listen 127.0.0.1:%(port)s SSL;
            server_name Named.test;
            MORE
            add_header X-Key  $cacheback_key;
            add_header X-Same $scheme://$host$request_uri;
            cacheback pages;
            location / { proxy_pass http://127.0.0.1:%(origin)s; }
        }"""
    targets = ["/o?a=1", "/a/../b//c?x=%2e", "http://In-Line.test/o?q"]

    def keys_of(client):
        client.host = "One.test:8080"
        for target in targets:
            # Another Host beside the one of the request line is unkeyed.
            host = {"Host": "In-Line.test:8080"} if "//I" in target else None
            fields = client.get(target, host).fields
            check(fields["x-key"] == fields["x-same"], fields)
        # HTTP/1.0 may come without a host.
        client.socket.sendall(b"GET /o HTTP/1.0\r\n\r\n")
        fields = client.receive().fields
        check(fields["x-key"] == fields["x-same"], fields)
        return fields["x-key"]

    with Box(server.replace("SSL", "").replace("MORE", "")) as box:
        check(keys_of(box.client()) == "http://named.test/o")
    with tempfile.TemporaryDirectory() as folder:
        pem = folder + "/both.pem"
        if subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=one",
                 "-keyout", pem, "-out", pem + ".cert"],
                check=False, capture_output=True).returncode != 0:
            return
        with Box(server.replace("SSL", "ssl").replace(
                "MORE", f"ssl_certificate {pem}.cert; "
                f"ssl_certificate_key {pem};")) as box:
            client = box.client()
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            client.socket = context.wrap_socket(client.socket)
            check(keys_of(client) == "https://named.test/o")


main()
