"""What scenarios with several boxes on one Redis ask of them."""
import time

from scenario import check, eventually


def readers(box):
    """How many boxes read the feed."""
    return sum(b"cmd=xread " in line
               for line in box.redis("CLIENT", "LIST").splitlines())


def held(box, target):
    """The item, once it comes from the memory of the box."""
    check(eventually(
        lambda: box.get(target).fields.get("x-tier") == "memory"),
        box.get(target).fields)
    return box.get(target).body


def gone_within(seconds, client, target, old):
    """The time until the old answer is no longer given, and that it stays so."""
    started = time.monotonic()
    check(eventually(lambda: client.get(target).body != old, 4, 0.002),
          "still there")
    took = time.monotonic() - started
    check(took <= seconds, f"after {took * 1000:.0f} ms")
    for _ in range(20):
        check(client.get(target).body != old, "there again")
        time.sleep(0.002)
    return took
