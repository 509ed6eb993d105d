# SPDX-License-Identifier: Apache-2.0
"""A broker, then a target database that stands still while changes pour in: leat waits, it does not swallow.

While they come and while it catches up, its memory grows by less than 10 MB over what it had while a snapshot and the
same changes just passed; the connection to the source stays the same through three times its time-out, and afterwards
nothing is missing.
"""
import hashlib
import threading
import time

from leattest import Leat, Postgres, TopicTable, relay, stage_one, wait_until

TIMEOUT = 1800
MEGABYTES = 1000
WARM_UP = 40
SENDER_TIMEOUT = 3
BOUND = 10 * 10**6
ROW = 2000


def digest(value):
    """Enough to tell rows apart without holding a gigabyte of them."""
    return hashlib.blake2b(value, digest_size=16).digest()


class Changes:
    """Inserts a number of megabytes, a few per transaction, and deletes a tenth of them."""

    def __init__(self, pg, database):
        self.pg = pg
        self.database = database
        self.next = 1

    def make(self, megabytes):
        connection = self.pg.connect(self.database)
        with connection.cursor() as cursor:
            for _ in range(megabytes // 4):
                last = self.next + 4 * 2**20 // ROW
                cursor.execute("INSERT INTO t SELECT i, repeat(md5(i::text), %s) FROM generate_series(%s, %s) i",
                               (ROW // 32, self.next, last))
                cursor.execute("DELETE FROM t WHERE id BETWEEN %s AND %s AND id %% 10 = 0", (self.next, last))
                self.next = last + 1
        connection.close()


class Peak:
    """The most memory that leat had since the last look."""

    def __init__(self, leat):
        self.leat = leat
        self.most = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        while not self.stop.wait(0.02):
            self.most = max(self.most, self.leat.memory())

    def take(self):
        most, self.most = self.most, 0
        return most

    def close(self):
        self.stop.set()
        self.thread.join()


def stand_still(server, changes, megabytes, least):
    """The server does not move while the changes come, and for at least so many seconds."""
    server.pause()
    begin = time.monotonic()
    changes.make(megabytes)
    time.sleep(max(0.0, begin + least - time.monotonic()))
    server.resume()


def test_a_broker_and_a_target_that_stand_still(work, kafka, unique):
    topic, columns = unique("rows"), {"id": "BIGINT NOT NULL", "v": "STRING"}
    settings = {"wal_sender_timeout": f"{SENDER_TIMEOUT}s", "max_wal_size": "4GB"}
    with Postgres(f"{work}/source", settings=settings) as source, Postgres(f"{work}/sink") as sink:
        for server in (source, sink):
            server.query("CREATE TABLE t (id bigint PRIMARY KEY, v text)")
        text = (stage_one(source, "postgres", kafka, topic, "pressed", table="t")
                + relay(sink, "postgres", kafka, topic, columns, "t"))
        changes = Changes(source, "postgres")
        changes.make(WARM_UP)  # passes as fast as it goes, the rest as fast as it is made
        with Leat(text, work) as leat:
            peak = Peak(leat)
            table = TopicTable(kafka, topic, fold=digest)
            settle(source, sink, table)
            changes.make(WARM_UP)
            settle(source, sink, table)
            warm = peak.take()
            sender = source.walsender_pids()
            for name, server in (("broker", kafka), ("target", sink)):
                stand_still(server, changes, MEGABYTES, 3 * SENDER_TIMEOUT + 2)
                settle(source, sink, table)
                most = peak.take()
                print(f"{name} still for {MEGABYTES} MB: {most / 2**20:.1f} MB resident, {warm / 2**20:.1f} MB before")
                assert most - warm < BOUND, f"{name}: memory grew from {warm} to {most}"
                assert source.walsender_pids() == sender, f"{name}: the connection to the source was lost"
            peak.close()
            leat.terminate()
        table.close()


def settle(source, sink, table):
    table.wait_same(source, "postgres", "t", timeout=600)
    query = "SELECT count(*), sum(id), sum(length(v)) FROM t"
    wait_until(lambda: source.query(query) == sink.query(query), 600, "the target to hold the rows", every=0.2)
