# SPDX-License-Identifier: Apache-2.0
"""A stream of changes on one PostgreSQL table: inserts, updates, deletes, changed keys and large transactions.

The choice of changes follows from the seed alone. What the table holds in the end does not, because a server that is
killed may or may not have committed; tests compare source and target, not source and seed.
"""
import random
import threading
import time

import psycopg2
import psycopg2.extras

TABLE = """\
CREATE TABLE IF NOT EXISTS {table} (
    id      bigint PRIMARY KEY,
    version bigint NOT NULL,
    name    text,
    amount  numeric(12,2),
    active  boolean,
    changed timestamp(3) NOT NULL
)"""
NAMES = ("Müller", "张三", "naïve \"quoted\"", "back\\slash", "tab\there", "", None, "😀 emoji", "O'Neil", "line\nbreak")


class PgLoad:
    """`rate` is in row changes a second. Every `large_every` seconds one transaction changes `large_rows` rows.
    `mix` weighs the kinds of changes. Starts with start(), ends with stop(), which returns the statistics."""

    def __init__(self, dsn, table="load_rows", rate=1000, seed=1, large_every=0.0, large_rows=10000, rows=1000,
                 mix=None):
        self.dsn = dsn
        self.table = table
        self.rate = rate
        self.random = random.Random(seed)
        self.large_every = large_every
        self.large_rows = large_rows
        self.first_rows = rows
        self.mix = mix or {"insert": 35, "update": 45, "delete": 12, "key": 8}
        self.changes = 0
        self.transactions = 0
        self.reconnects = 0
        self.error = None
        self._ids = []
        self._places = {}
        self._next_id = 1
        self._version = 0
        self._connection = None
        self._stop = threading.Event()
        self._thread = None

    def create(self):
        """Makes the table with its first rows."""
        self._connect()
        with self._connection.cursor() as cursor:
            cursor.execute(TABLE.format(table=self.table))
            self._insert(cursor, self.first_rows)
        self._connection.commit()
        return self

    def start(self):
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._thread.start()
        return self

    def stop(self):
        self._stop.set()
        self._thread.join(60)
        if self.error is not None:
            raise self.error
        return {"changes": self.changes, "transactions": self.transactions, "reconnects": self.reconnects}

    def run_changes(self, count):
        """Makes so many changes in the caller's thread, as fast as they go."""
        if self._connection is None:
            self._connect()
        end = self.changes + count
        while self.changes < end:
            self._transaction(min(50, end - self.changes))

    def _run(self):
        try:
            self._pace()
        except Exception as error:  # shown by stop(), in the test's thread
            self.error = error

    def _pace(self):
        begin = time.monotonic()
        done = 0
        next_large = begin + self.large_every if self.large_every else float("inf")
        while not self._stop.is_set():
            now = time.monotonic()
            owed = int((now - begin) * self.rate) - done
            if owed > 5 * self.rate:
                begin, done, owed = now, 0, 1  # after an outage the rate goes on; what was missed is not made up for
            if now >= next_large:
                next_large = now + self.large_every
                self._attempt(lambda: self._large())
            elif owed < 1:
                self._stop.wait(0.002)
            else:
                count = min(owed, self.random.choice((1, 1, 1, 5, 20, 100)))
                done += count
                self._attempt(lambda: self._transaction(count))

    def _attempt(self, change):
        try:
            if self._connection is None:
                self._connect()
            change()
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            self._connection = None
            self.reconnects += 1
            self._stop.wait(0.05)

    def _connect(self):
        """After a lost connection nobody knows whether the last commit happened: the ids are read again."""
        self._connection = psycopg2.connect(self.dsn, application_name="leattest")
        with self._connection.cursor() as cursor:
            cursor.execute("SET client_encoding TO 'UTF8'")
            cursor.execute("SELECT to_regclass(%s)", (self.table,))
            found = cursor.fetchone()[0] is not None
            if found:
                cursor.execute(f"SELECT id, version FROM {self.table} ORDER BY id")
                rows = cursor.fetchall()
                self._set_ids([row[0] for row in rows])
                self._version = max([self._version] + [row[1] for row in rows])
        self._connection.commit()

    def _set_ids(self, ids):
        self._ids = list(ids)
        self._places = {value: place for place, value in enumerate(self._ids)}
        self._next_id = max([self._next_id - 1, *self._ids]) + 1

    def _forget(self, value):
        place = self._places.pop(value)
        last = self._ids.pop()
        if last != value:
            self._ids[place] = last
            self._places[last] = place

    def _remember(self, value):
        self._places[value] = len(self._ids)
        self._ids.append(value)

    def _commit(self, count):
        self._connection.commit()
        self.changes += count
        self.transactions += 1

    def _transaction(self, count):
        kinds = self.random.choices(list(self.mix), self.mix.values(), k=count)
        with self._connection.cursor() as cursor:
            for kind in kinds:
                if kind == "insert" or len(self._ids) < 10:
                    self._insert(cursor, 1)
                else:
                    getattr(self, "_" + kind)(cursor)
        self._commit(count)

    def _row(self):
        self._version += 1
        draw = self.random
        amount = None if draw.random() < 0.05 else draw.randrange(-10**9, 10**9) / 100
        return (self._version, draw.choice(NAMES), amount, draw.choice((True, False, None)))

    def _insert(self, cursor, count):
        rows = []
        for _ in range(count):
            rows.append((self._next_id, *self._row()))
            self._remember(self._next_id)
            self._next_id += 1
        psycopg2.extras.execute_values(
            cursor, f"INSERT INTO {self.table} (id, version, name, amount, active, changed) VALUES %s", rows,
            "(%s, %s, %s, %s, %s, clock_timestamp())", page_size=1000)

    def _update(self, cursor):
        cursor.execute(f"UPDATE {self.table} SET version = %s, name = %s, amount = %s, active = %s, "
                       "changed = clock_timestamp() WHERE id = %s", (*self._row(), self.random.choice(self._ids)))

    def _delete(self, cursor):
        value = self.random.choice(self._ids)
        cursor.execute(f"DELETE FROM {self.table} WHERE id = %s", (value,))
        self._forget(value)

    def _key(self, cursor):
        value = self.random.choice(self._ids)
        cursor.execute(f"UPDATE {self.table} SET id = %s, changed = clock_timestamp() WHERE id = %s",
                       (self._next_id, value))
        self._forget(value)
        self._remember(self._next_id)
        self._next_id += 1

    def _large(self):
        """One transaction: new rows, then an update of the newest and a delete of the oldest."""
        with self._connection.cursor() as cursor:
            self._insert(cursor, self.large_rows // 2)
            cursor.execute(f"UPDATE {self.table} SET version = version + 1 WHERE id IN (SELECT id FROM {self.table} "
                           "ORDER BY id DESC LIMIT %s)", (self.large_rows // 4,))
            changed = self.large_rows // 2 + cursor.rowcount
            cursor.execute(f"DELETE FROM {self.table} WHERE id IN (SELECT id FROM {self.table} ORDER BY id LIMIT %s) "
                           "RETURNING id", (max(0, min(self.large_rows // 4, len(self._ids) - 100)),))
            gone = [row[0] for row in cursor.fetchall()]
            for value in gone:
                self._forget(value)
        self._commit(changed + len(gone))
