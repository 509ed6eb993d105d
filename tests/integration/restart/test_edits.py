# SPDX-License-Identifier: Apache-2.0
"""The pipeline file is edited while the table changes, and leat started again: state and positions are kept by the
names of pipeline and node, and what would forget some is refused."""
from leattest import Leat, PgLoad, TopicTable, stage_one, wait_until
from leattest.pipeline import upsert_sink

TIMEOUT = 240
OPERATOR = """
[operators.few]
operator = "sql"
query = "SELECT id, name, amount FROM pg"
"""


class Edited:
    """A capture under load whose pipeline is replaced by another one."""

    def __init__(self, work, pg, db, kafka, unique):
        self.pg, self.db, self.kafka = pg, db, kafka
        self.topic, self.slot = unique("rows"), unique("slot")
        self.more = unique("more")
        self.load = PgLoad(pg.dsn(db), rate=500, rows=1000).create()
        self.leat = Leat(self.text(), work)
        self.leat.start()
        self.table = TopicTable(kafka, self.topic)
        self.load.start()
        self.table.wait_records(1500)

    def text(self, **more):
        return stage_one(self.pg, self.db, self.kafka, self.topic, self.slot, **more)

    def sink(self, name, source):
        return upsert_sink(name, source, self.kafka.bootstrap, self.more, "id")

    def restart(self, text, *arguments):
        if self.leat.running():
            self.leat.terminate(timeout=10)
        self.leat.write(text)
        self.leat.arguments = list(arguments)
        self.leat.start()

    def refused(self, text, *words):
        """It ends by itself and says why; the topic and the position stay what they were."""
        self.leat.terminate(timeout=10)
        self.leat.write(text)
        self.leat.launch()
        assert self.leat.wait_end(20) == 1, self.leat.child.log_tail()
        said = self.leat.child.log_tail(15)
        assert all(word in said for word in words), said

    def moves(self):
        self.table.catch_up()
        self.table.wait_records(300)

    def no_snapshot(self):
        """What was read before is not read again."""
        assert not self.leat.metric("leat_source_snapshot_rows_total"), self.leat.get("/metrics")[1]

    def end(self):
        self.load.stop()
        self.table.wait_same(self.pg, self.db)
        self.leat.terminate(timeout=10)
        self.table.close()

    def query(self, sql):
        return self.pg.query(sql, database=self.db)


def test_an_added_column(work, pg, db, kafka, unique):
    """It is left out until the restart; then it is there, also in rows that were logged before."""
    edited = Edited(work, pg, db, kafka, unique)
    edited.query("ALTER TABLE load_rows ADD COLUMN extra text DEFAULT 'none'")
    edited.moves()
    edited.leat.wait_logged("column-added")
    assert b'"extra"' not in b"".join(edited.table.rows.values())
    edited.restart(edited.text())
    edited.moves()
    edited.no_snapshot()
    edited.load.stop()
    edited.query("UPDATE load_rows SET extra = 'v' || id WHERE id % 2 = 0; UPDATE load_rows SET version = version + 1")
    edited.end()


def test_an_added_sink_and_an_added_edge(work, pg, db, kafka, unique):
    """The new nodes begin with what comes from now on; the old ones lose nothing and read nothing again."""
    for added, columns in ((lambda edited: edited.sink("more", "pg"), "*"),
                           (lambda edited: OPERATOR + edited.sink("more", "few"), "id, name, amount")):
        name = f"{len(columns)}"
        edited = Edited(f"{work}/{name}", pg, db, kafka, lambda word: unique(f"{word}_{name}"))
        edited.restart(edited.text() + added(edited))
        edited.moves()
        edited.no_snapshot()
        edited.load.stop()
        edited.query("UPDATE load_rows SET version = version + 1")  # all rows through the new nodes
        more = TopicTable(kafka, edited.more)
        more.wait_same(pg, db, "load_rows", columns=columns)
        more.close()
        edited.end()
        edited.query("DROP TABLE load_rows")


def test_a_renamed_sink_keeps_the_source(work, pg, db, kafka, unique):
    edited = Edited(work, pg, db, kafka, unique)
    edited.restart(edited.text(sink="renamed"), "--allow-non-restored-state")
    edited.moves()
    edited.no_snapshot()
    edited.end()


def test_a_renamed_source_is_refused_until_its_state_may_go(work, pg, db, kafka, unique):
    edited = Edited(work, pg, db, kafka, unique)
    renamed = edited.text(source="other", source_more={"slot.reuse": "snapshot"})
    edited.refused(renamed, '"pg"', "--allow-non-restored-state")
    edited.restart(renamed, "--allow-non-restored-state")
    edited.moves()
    assert edited.leat.metric("leat_source_snapshot_rows_total") > 0
    edited.restart(renamed)  # what was to be forgotten is: the flag is not needed again
    edited.moves()
    edited.no_snapshot()
    edited.end()


def test_a_forgotten_source_reads_a_new_snapshot(work, pg, db, kafka, unique):
    """The slot is gone and the source refuses; it starts anew on purpose, once, and goes on by itself afterwards."""
    edited = Edited(work, pg, db, kafka, unique)
    edited.load.stop()
    edited.leat.terminate(timeout=10)
    edited.query(f"SELECT pg_drop_replication_slot('{edited.slot}')")
    edited.leat.launch()
    wait_until(lambda: "--forget-state pg" in edited.leat.get("/health")[1], 20, lambda: edited.leat.get("/health")[1])
    edited.leat.terminate(timeout=10, code=1)
    edited.restart(edited.text(), "--forget-state", "pg")
    edited.leat.wait_logged("state-forgotten")
    edited.query("UPDATE load_rows SET version = version + 1")
    edited.table.wait_same(pg, db)
    assert edited.leat.metric("leat_source_snapshot_rows_total") > 0
    edited.restart(edited.text())
    edited.query("UPDATE load_rows SET version = version + 1")
    edited.table.wait_same(pg, db)
    edited.no_snapshot()
    edited.leat.terminate(timeout=10)
    edited.table.close()


def test_sigterm_ends_a_server_whose_job_has_failed(work, pg, db, kafka, unique):
    edited = Edited(work, pg, db, kafka, unique)
    edited.query("TRUNCATE load_rows")
    wait_until(lambda: "truncated" in edited.leat.get("/health")[1], 20, lambda: edited.leat.get("/health")[1])
    wait_until(lambda: edited.leat.get("/health/ready")[0] == 503, 5, lambda: edited.leat.get("/health/ready"))
    assert edited.leat.get("/health/live")[0] == 200
    edited.load.stop()
    edited.leat.terminate(timeout=5, code=1)
    edited.table.close()
