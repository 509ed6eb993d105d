# SPDX-License-Identifier: Apache-2.0
"""join.wait = "always": an order whose user was there before it is never joined without, however late users are read.

The users are read late by a second: the broker is asked to hold its answers back until there is much to give. Each order
is written when its user is acknowledged.
"""
import json
import time

from leattest import Leat, wait_until
from leattest.pipeline import head, kafka_source, upsert_sink, upsert_source

TIMEOUT = 300

JOINED = """
[operators.joined]
operator = "sql"
query = "SELECT o.id, o.user_id, u.name FROM orders AS o LEFT JOIN users AS u ON o.user_id = u.id"
{wait}
"""


def as_json(**fields):
    return json.dumps(fields, separators=(",", ":"))


class Shop:
    def __init__(self, kafka, unique, wait, late=1000, parallelism=1):
        self.kafka = kafka
        self.orders = kafka.create_topic(unique(f"orders{parallelism}"), partitions=2)
        self.users = kafka.create_topic(unique(f"users{parallelism}"), partitions=2, config={"cleanup.policy": "compact"})
        self.target = unique(f"joined{parallelism}")
        self.count = 0
        servers = kafka.bootstrap
        hold = {"properties.fetch.min.bytes": 1000000, "properties.fetch.wait.max.ms": late}
        self.pipeline = (
            head("joined", "50ms", {"parallelism.default": parallelism})
            + kafka_source("orders", servers, self.orders, {"id": "BIGINT NOT NULL", "user_id": "BIGINT"})
            + upsert_source("users", servers, self.users, "id", {"id": "BIGINT NOT NULL", "name": "STRING"}, hold)
            + JOINED.format(wait=wait)
            + upsert_sink("output", "joined", servers, self.target, "id", {"sink.topic.partitions": 2}))

    def buy(self, count=1):
        """A user who is new, and then an order of hers."""
        for _ in range(count):
            n = self.count
            self.count += 1
            self.kafka.produce(self.users, [(as_json(id=n), as_json(id=n, name=f"user {n}"))])
            self.kafka.produce(self.orders, [(as_json(id=n), as_json(id=n, user_id=n))])

    def names(self):
        """Every record of the target, in order: (order, name)."""
        if self.target not in self.kafka.topics():
            return []
        return [(json.loads(r.value)["id"], json.loads(r.value)["name"])
                for r in self.kafka.read_topic(self.target) if r.value is not None]

    def wait_joined(self, leat, timeout=60):
        wait_until(lambda: {n: f"user {n}" for n in range(self.count)} == dict(self.names()), timeout,
                   lambda: f"{self.count} orders to be joined, there are {len(dict(self.names()))}\n"
                           f"{leat.child.log_tail()}", every=0.3)

    def unknown(self):
        return [order for order, name in self.names() if name is None]


def epochs(leat):
    return leat.metric("leat_checkpoint_epoch") or 0


def test_users_late_by_a_second_are_never_unknown(work, kafka, unique):
    for parallelism in (1, 2):
        shop = Shop(kafka, unique, 'join.wait = "always"', parallelism=parallelism)
        shop.buy(3)
        leat = Leat(shop.pipeline, f"{work}/{parallelism}")
        with leat:
            before = epochs(leat)
            for _ in range(8):
                shop.buy(5)
                time.sleep(0.2)  # some arrive together, some alone
            shop.wait_joined(leat)
            assert shop.unknown() == []
            # checkpoints pass meanwhile, though rows nearly always wait
            assert epochs(leat) >= before + 3, epochs(leat)
            leat.kill()
            shop.buy(20)
            leat.launch().wait_ready()
            shop.buy(20)
            shop.wait_joined(leat)
            assert shop.unknown() == []
            leat.terminate()


def test_the_same_users_are_unknown_for_a_moment_without(work, kafka, unique):
    """What the test above would miss if the option did nothing: the default mends such orders later."""
    shop = Shop(kafka, unique, "")
    with Leat(shop.pipeline, work) as leat:
        for _ in range(30):
            shop.buy(2)
            time.sleep(0.1)
        shop.wait_joined(leat)
        assert shop.unknown() != []


def test_the_time_of_waiting_is_over(work, kafka, unique):
    shop = Shop(kafka, unique, 'join.wait = "always"\njoin.wait-timeout = "2s"', late=20000)
    with Leat(shop.pipeline, work) as leat:
        shop.buy()
        leat.wait_logged(r'"users" was not read up to its end within 2 s: it stands at 0, and its end is .* code=LEAT-R0012', 30)
        wait_until(lambda: not leat.ready(), 40, "the job to have failed")  # the source closes behind its open fetch
        assert leat.get("/health/live")[0] == 200
        assert shop.names() == []


def test_going_on_when_the_time_of_waiting_is_over(work, kafka, unique):
    shop = Shop(kafka, unique, 'join.wait = "always"\njoin.wait-timeout = "2s"\njoin.wait-on-timeout = "go-on"',
                late=8000)
    with Leat(shop.pipeline, work) as leat:
        shop.buy()
        leat.wait_logged("going on after 2 s, though \"users\" stands at ", 30)
        wait_until(lambda: shop.names()[:1] == [(0, None)], 20, "the order without its user", every=0.2)
        shop.wait_joined(leat)
