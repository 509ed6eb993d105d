# SPDX-License-Identifier: Apache-2.0
"""Servers that end, are killed or come late while changes go on: leat goes on by itself and nothing is lost."""
import time

from leattest import Leat, PgLoad, TopicTable, relay, stage_one, wait_until
from leattest.load import TABLE

TIMEOUT = 240
COLUMNS = {"id": "BIGINT NOT NULL", "version": "BIGINT", "name": "STRING", "amount": "DECIMAL(12,2)",
           "active": "BOOLEAN", "changed": "TIMESTAMP(3)"}
SUMS = "SELECT count(*), max(version), sum(version), sum(amount), max(changed) FROM {}"


class Flow:
    """A table under load, the topic it is captured into and the table that is made of the topic."""

    def __init__(self, work, pg, db, kafka, unique):
        self.pg, self.db, self.kafka = pg, db, kafka
        pg.query(TABLE.format(table="target_rows"), database=db)
        self.topic = unique("rows")
        self.load = PgLoad(pg.dsn(db), rate=500, rows=1000).create()
        self.leat = Leat(stage_one(pg, db, kafka, self.topic, unique("slot"))
                         + relay(pg, db, kafka, self.topic, COLUMNS, "target_rows"), work)
        self.table = None

    def start(self):
        self.leat.start()
        self.pid = self.leat.pid
        self.table = TopicTable(self.kafka, self.topic)
        self.load.start()
        self.table.wait_records(1200)

    def moves(self, timeout=60):
        """Changes of now arrive."""
        self.table.catch_up()
        self.table.wait_records(300, timeout)

    def end(self):
        print(self.load.stop())
        self.table.wait_same(self.pg, self.db)
        wait_until(lambda: self.sums("load_rows") == self.sums("target_rows"), 60,
                   lambda: f"the target: {self.sums('load_rows')} and {self.sums('target_rows')}", every=0.2)
        self.leat.wait_ready()
        assert self.leat.pid == self.pid and self.leat.running()
        self.leat.terminate(timeout=10)
        self.table.close()

    def sums(self, table):
        return self.pg.query(SUMS.format(table), database=self.db)


def test_killed_backends(work, pg, db, kafka, unique):
    flow = Flow(work, pg, db, kafka, unique)
    flow.start()
    for _ in range(5):
        senders = pg.walsender_pids()
        assert pg.terminate_backends("a.application_name <> 'leattest'") >= 2  # the walsender and the writer
        flow.moves()
        assert not set(pg.walsender_pids()) & set(senders)
    flow.end()


def test_restarted_and_killed_postmaster(work, pg, db, kafka, unique):
    flow = Flow(work, pg, db, kafka, unique)
    flow.start()
    pg.restart("fast")
    flow.moves()
    pg.kill()
    time.sleep(1)  # down long enough to be tried more than once
    pg.start()
    flow.moves()
    pg.restart("immediate")
    flow.moves()
    flow.end()


def test_restarted_and_killed_broker(work, pg, db, kafka, unique):
    flow = Flow(work, pg, db, kafka, unique)
    flow.start()
    kafka.restart()
    flow.moves()
    kafka.kill()
    time.sleep(1)
    kafka.start()
    flow.moves()
    flow.end()


def test_servers_started_after_leat(work, pg, db, kafka, unique):
    flow = Flow(work, pg, db, kafka, unique)
    kafka.stop()
    pg.stop()
    flow.leat.launch()
    flow.pid = flow.leat.pid
    wait_until(lambda: flow.leat.get("/health/live")[0] == 200, 10, "leat to be live")
    time.sleep(2)
    status, text = flow.leat.get("/health/ready")
    assert status == 503 and "reason" in text, text
    assert flow.leat.get("/health/live")[0] == 200
    pg.start()
    time.sleep(1)
    assert flow.leat.get("/health/ready")[0] == 503
    kafka.start()
    flow.leat.wait_ready(60)
    flow.table = TopicTable(kafka, flow.topic)
    flow.load.start()
    flow.moves()
    flow.end()
