# SPDX-License-Identifier: Apache-2.0
"""Changes of orders and users, of every kind, some thousand a second, in transactions of one to ten thousand rows.

Rows are picked by their number's remainder, so that nothing needs to be remembered. An order keeps its user: two states
with two users would take turns in the target, which shows whichever came last."""
import random
import threading
import time

import psycopg2

PICK = "(ARRAY['PENDING', 'SHIPPED', 'COMPLETED', 'CANCELLED', '其他'])[1 + {} % 5]"
ORDER = ("INSERT INTO business.orders SELECT i, 1 + i * 7 % 250, 'p' || i, (ARRAY['电子产品', '图书', '食品'])[1 + i % 3], "
         "1, 9.50, 0.01 * i, " + PICK.format("i") + " FROM generate_series({0}, {1}) i")
USER = ("INSERT INTO business.users SELECT i, 'user ' || i, 'e' || i, NULL, '北京' FROM generate_series({}, {}) i "
        "ON CONFLICT DO NOTHING")
STATE = "UPDATE business.orders SET order_status = " + PICK.format("(order_id + {1})") + " WHERE order_id % 499 = {0} % 499"
MOVED = 10 ** 9
KINDS = {
    "insert": (20, None),
    "state": (40, STATE),
    "amend": (20, "UPDATE business.orders SET quantity = quantity + 1, total_amount = total_amount + 0.5 "
                  "WHERE order_id % 499 = {0} % 499"),
    "delete": (12, "DELETE FROM business.orders WHERE order_id % 997 = {0} % 997"),
    "key": (8, f"UPDATE business.orders SET order_id = order_id + {MOVED} "
               f"WHERE order_id < {MOVED} AND order_id % 997 = {{0}} % 997"),
    "rename": (6, "UPDATE business.users SET username = 'name {1}', city = (ARRAY['杭州', '上海', '拉萨'])[1 + {1} % 3] "
                  "WHERE user_id = 1 + {0} % 220"),
    "leave": (4, "DELETE FROM business.users WHERE user_id = 1 + {0} % 220"),
    "return": (4, USER.format(1, 220)),
}


class OrderLoad:
    """Runs in a thread of its own from start() to stop(): about `rate` changed rows a second in small transactions, and
    the large ones."""

    def __init__(self, pg, rate=1500, seed=1, large_every=2.5):
        self.pg = pg
        self.rate = rate
        self.dice = random.Random(seed)
        self.large_every = large_every
        self.next = 10000
        self.small = 0
        self.large = 0
        self.kinds = dict.fromkeys(KINDS, 0)
        self.error = None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, name="orders", daemon=True)

    def create(self, orders=5000):
        with self.pg.connect("source_db") as connection, connection.cursor() as cursor:
            cursor.execute(USER.format(1, 200))
            self._insert(cursor, orders)
        return self

    def start(self):
        self.begin = time.monotonic()
        self.thread.start()

    def stop(self):
        """Changed rows a second, of the large transactions and of all."""
        self.ended.set()
        self.thread.join(60)
        if self.error:
            raise self.error
        assert all(self.kinds.values()), self.kinds
        seconds = time.monotonic() - self.begin
        return self.small / seconds, (self.small + self.large) / seconds

    def _run(self):
        try:
            connection = self.pg.connect("source_db")
            with connection.cursor() as cursor:
                self._pace(cursor)
            connection.close()
        except psycopg2.Error as error:
            self.error = error

    def _pace(self, cursor):
        large = time.monotonic()
        while not self.ended.is_set():
            now = time.monotonic()
            if now >= large:
                large = now + self.large_every
                self._large(cursor)
            elif self.small > (now - self.begin) * self.rate:
                self.ended.wait(0.005)
            else:
                self._small(cursor)

    def _small(self, cursor):
        kind = self.dice.choices(list(KINDS), [weight for weight, _ in KINDS.values()])[0]
        sql = KINDS[kind][1]
        if sql is None:
            self._insert(cursor, self.dice.choice((1, 1, 20, 100)))
        else:
            cursor.execute(sql.format(self.dice.randrange(10 ** 6), self.dice.randrange(10 ** 6)))
        self.small += max(cursor.rowcount, 0)
        self.kinds[kind] += 1

    def _insert(self, cursor, count):
        cursor.execute(ORDER.format(self.next, self.next + count - 1))
        self.next += count

    def _large(self, cursor):
        """One transaction of ten thousand rows: half of them new, and then in another state."""
        cursor.execute("BEGIN")
        first = self.next
        self._insert(cursor, 5000)
        cursor.execute(f"UPDATE business.orders SET order_status = 'SHIPPED' WHERE order_id >= {first}"
                       f" AND order_id < {MOVED}")
        cursor.execute("COMMIT")
        self.large += 10000
