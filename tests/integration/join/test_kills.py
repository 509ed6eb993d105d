# SPDX-License-Identifier: Apache-2.0
"""kill -9 over a join with several instances: its state goes on from images and deltas, also with another parallelism.

Orders come, users are renamed, come late and go; the target must end with every order under its user's last name, and
the state with every order and every user once.
"""
import json
import random
import signal
import time

from leattest import Leat, wait_until
from leattest.pipeline import head, kafka_source, upsert_sink, upsert_source

TIMEOUT = 600
SECONDS = 20
USERS = 300

JOINED = """
[operators.joined]
operator = "sql"
query = "SELECT o.id, o.user_id, u.name FROM orders AS o LEFT JOIN users AS u ON o.user_id = u.id"
"""


def as_json(**fields):
    return json.dumps(fields, separators=(",", ":"))


class Shop:
    """What was said of orders and users, and what the join must have made of it."""

    def __init__(self, kafka, unique, word=""):
        self.kafka = kafka
        self.orders = kafka.create_topic(unique("orders" + word), partitions=2)
        self.users = kafka.create_topic(unique("users" + word), partitions=2, config={"cleanup.policy": "compact"})
        self.target = unique("joined" + word)
        self.names = {}
        self.user_of = {}
        self.dice = random.Random(5)

    def pipeline(self, parallelism=2, interval="50ms"):
        servers = self.kafka.bootstrap
        return (head("joined", interval, {"parallelism.default": parallelism})
                + kafka_source("orders", servers, self.orders, {"id": "BIGINT NOT NULL", "user_id": "BIGINT"})
                + upsert_source("users", servers, self.users, "id", {"id": "BIGINT NOT NULL", "name": "STRING"})
                + JOINED + upsert_sink("output", "joined", servers, self.target, "id", {"sink.topic.partitions": 2}))

    def change(self, orders=40, users=10):
        said = []
        for _ in range(users):
            user = self.dice.randrange(USERS)
            if self.dice.random() < 0.2:
                self.names.pop(user, None)
                said.append((as_json(id=user), None))
            else:
                self.names[user] = f"user {user} is named {self.dice.randrange(10 ** self.dice.randrange(1, 9))}"
                said.append((as_json(id=user), as_json(id=user, name=self.names[user])))
        self.kafka.produce(self.users, said)
        said = []
        for _ in range(orders):
            order = len(self.user_of)
            self.user_of[order] = self.dice.randrange(USERS)
            said.append((as_json(id=order), as_json(id=order, user_id=self.user_of[order])))
        self.kafka.produce(self.orders, said)

    def expected(self):
        return {order: self.names.get(user) for order, user in self.user_of.items()}

    def found(self):
        if self.target not in self.kafka.topics():
            return None
        return {json.loads(k)["id"]: json.loads(v)["name"] for k, v in self.kafka.last_by_key(self.target).items()}

    def difference(self):
        expected, found = self.expected(), self.found() or {}
        odd = {order: (name, found.get(order, "-")) for order, name in expected.items()
               if found.get(order, "-") != name}
        return f"{len(odd)} of {len(expected)} orders differ (expected, found): {list(odd.items())[:5]}"

    def wait_same(self, leat, timeout=60):
        wait_until(lambda: self.found() == self.expected(), timeout,
                   lambda: f"{self.difference()}\n{leat.child.log_tail()}", every=0.3)
        # every row once, whichever instance holds it
        rows = len(self.user_of) + len(self.names)
        wait_until(lambda: leat.metric("leat_state_rows", node="joined") == rows, 10,
                   lambda: f"{rows} rows in the state, there are {leat.metric('leat_state_rows', node='joined')}")


def test_kills_and_other_parallelisms(work, kafka, unique):
    shop = Shop(kafka, unique)
    widths = [2, 2, 1, 3, 2, 2, 3, 1]
    leat = Leat(shop.pipeline(), work)
    with leat:
        shop.change(orders=500, users=USERS)
        shop.wait_same(leat)
        begin = time.monotonic()
        kills = 0
        while time.monotonic() - begin < SECONDS:
            pause = time.monotonic() + shop.dice.random() ** 2  # where in an epoch the kill falls is the point
            while time.monotonic() < pause:
                shop.change()
            leat.kill()
            kills += 1
            shop.change()
            leat.write(shop.pipeline(widths[kills % len(widths)]))
            leat.launch()
            leat.wait_ready()
        print(f"{kills} kills, {len(shop.user_of)} orders")
        assert kills >= SECONDS // 5, kills
        shop.wait_same(leat)
        leat.terminate()


def test_a_changed_parallelism_keeps_every_row_once(work, kafka, unique):
    shop = Shop(kafka, unique)
    leat = Leat(shop.pipeline(2), work)
    with leat:
        for parallelism in (2, 1, 3, 2):
            leat.write(shop.pipeline(parallelism))
            if leat.running():
                leat.terminate()
                leat.launch()
            leat.wait_ready()
            shop.change(orders=200, users=60)
            shop.wait_same(leat)
        leat.terminate()


def points():
    return ("keyed-before-save", "keyed-in-save", "keyed-after-image", "keyed-after-delta", "keyed-after-load")


def test_every_fault_point_of_keyed_state(work, kafka, unique):
    for point in points():
        shop = Shop(kafka, unique, point)
        leat = Leat(shop.pipeline(), f"{work}/{point}", build="asan")
        with leat:  # there is state to load and to change
            shop.change(orders=100, users=100)
            shop.wait_same(leat)
            leat.terminate()
        # later passes have something behind them that may be damaged
        leat.env["LEAT_FAULT"] = point + ("" if point == "keyed-after-load" else ":3")
        leat.launch()
        for _ in range(300):
            if not leat.running():
                break
            shop.change(orders=5, users=60)  # more is renamed than comes: images are written time and again
            time.sleep(0.05)
        code = leat.wait_end(10)
        assert code == -signal.SIGKILL, f"{point}: leat ended with {code}:\n{leat.child.log_tail(60)}"
        shop.change()
        del leat.env["LEAT_FAULT"]
        with leat:
            shop.change()
            shop.wait_same(leat)
            leat.terminate()
