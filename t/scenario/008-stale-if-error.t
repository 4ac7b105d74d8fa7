#!/usr/bin/env python3
"""A stored item in place of an error or a 304: whole, also for a client that
reads slowly, and on a connection that goes on."""
import os, signal, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from scenario import Box, SLACK, check, main, scenario

# Larger than what the sockets between nginx and a client hold.
SIZE = 900000

CONF = """
    cacheback_store pages { memory 64m; }
    upstream origin { server 127.0.0.1:%(origin)s; keepalive 4; }
    server {
        listen 127.0.0.1:%(port)s sndbuf=16k;
        add_header X-Cache  $cacheback_status always;
        add_header X-Reason $cacheback_reason always;
        location / {
            cacheback pages 200ms;
            cacheback_fetch_on_stale_threshold 0;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_read_timeout 300ms;
            proxy_pass http://origin;
        }
    }"""

# As the origin answers the second time, and the status that follows.
WAYS = [("status=200|503&size=%d|20" % SIZE, "STALE"),
        ("status=200|503&size=%d" % SIZE, "STALE"),
        ("status=200|503&size=%d|20&chunked=0|1" % SIZE, "STALE"),
        ("reset=0|1&size=%d" % SIZE, "STALE"),
        ("garbage=0|1&size=%d" % SIZE, "STALE"),
        ("delay=0|1&size=%d" % SIZE, "STALE"),
        ("etag=a&size=%d" % SIZE, "REVALIDATED")]


def page(path):
    word = f"{path} #1 ".encode()
    return (word * (SIZE // len(word) + 1))[:SIZE]


def ask_again(box, number, query, read):
    """The answer to the second request of a page, and its client."""
    path = f"/{number}"
    first = box.get(f"{path}?{query}")
    check(first.cache == "MISS" and first.body == page(path), query, first)
    time.sleep(0.3)
    client = box.client(receive_buffer=4096)
    client.send(f"{path}?{query}")
    read(client)
    answer = client.receive()
    check(answer.body == page(path), query, answer, len(answer.body))
    return client, answer


@scenario
def the_stored_item_comes_whole_and_the_connection_goes_on():
    with Box(CONF) as box:
        for number, (query, status) in enumerate(WAYS):
            client, answer = ask_again(box, number, query, lambda _: None)
            check((answer.code, answer.cache) == (200, status), query, answer)
            check("close" not in answer.fields["connection"], query)
            after = client.get("/after?cc=max-age=60")
            check(after.code == 200 and after.body == b"/after #1\n", query,
                  after)


@scenario
def a_client_that_reads_slowly_gets_all_of_it():
    def slowly(client):
        for _ in range(5):
            time.sleep(0.1)
            client._more()
    with Box(CONF) as box:
        for number, (query, status) in enumerate(WAYS):
            client, answer = ask_again(box, number, query, slowly)
            check(answer.cache == status, query, answer)
            check(answer.took < 3 * SLACK, query, answer)
            client.close()


@scenario
def nobody_waits_for_the_body_of_an_error_that_is_slow_or_never_ends():
    patient = CONF.replace("proxy_read_timeout 300ms;", "MORE")
    for more in ("", "proxy_buffering off;"):
        with Box(patient.replace("MORE", more)) as box:
            for number, how in enumerate(("drip=0|9", "stall=0|9",
                                          "drip=0|9&chunked=0|1")):
                query = f"status=200|503&size={SIZE}&{how}"
                client, answer = ask_again(box, number, query, lambda _: None)
                check((answer.code, answer.cache) == (200, "STALE"), answer)
                check(answer.took < 1 * SLACK, query, answer)
                after = client.get("/after?cc=max-age=60")
                check(after.body == b"/after #1\n", query, after)
                check(after.took < 1 * SLACK, query, after)
                client.close()
            # And nothing of it holds a worker.
            box.signal("nginx", signal.SIGQUIT)
            check(box.children["nginx"].wait(3 * SLACK) == 0)


# An origin that sends header and body at once, and tells its connections.
AT_ONCE = """
    log_format connection $connection;
    server {
        listen unix:%(dir)s/origin.sock;
        access_log connections.log connection;
        location / {
            if (-f %(dir)s/broken) { return 503 "sorry"; }
            return 200 "page";
        }
    }"""


@scenario
def the_connection_to_the_origin_is_kept_where_the_error_came_whole():
    conf = CONF.replace("127.0.0.1:%(origin)s", "unix:%(dir)s/origin.sock")
    with Box(conf + AT_ONCE) as box:
        for number in range(4):
            check(box.get(f"/{number}").cache == "MISS")
        time.sleep(0.3)
        with open(box.dir + "/broken", "w", encoding="utf-8"):
            pass
        for number in range(4):
            check(box.get(f"/{number}").cache == "STALE")
        with open(box.dir + "/connections.log", encoding="utf-8") as log:
            connections = log.read().split()
        check(len(connections) == 8 and len(set(connections)) == 1,
              connections)


main()
