#!/usr/bin/env python3
"""A stored item in place of an error or a 304: whole, also for a client that
reads slowly, and on a connection that goes on."""
import os, sys, time
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


main()
