# SPDX-License-Identifier: Apache-2.0
"""leat sql over a postgres-cdc source: it shows the table and its changes, and leaves neither slot nor publication."""
import os
import signal
import subprocess

from leattest import wait_until
from leattest.leat import binary, run_verb
from leattest.pipeline import cdc_source, section

TIMEOUT = 120
PUBLICATIONS = "SELECT count(*) FROM pg_publication"


def slots(pg):
    return pg.query("SELECT slot_name, temporary FROM pg_replication_slots ORDER BY 1")


class Asked:
    """leat sql as it runs over the table t."""

    def __init__(self, work, pg, db, slot, more={}, query="SELECT id, v FROM ts"):
        with open(f"{work}/asked.toml", "w") as file:
            file.write(section("pipeline", {"name": "asked"}) + cdc_source("ts", pg, db, "t", slot, more))
        self.answer = f"{work}/answer"
        self.child = subprocess.Popen([binary(), "sql", "-f", "asked.toml", query], cwd=work, text=True,
                                      stdout=open(self.answer, "w"), stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.child.kill()
        self.child.communicate()

    def wait_row(self, *values):
        row = "\t".join(values)
        wait_until(lambda: row in open(self.answer).read().splitlines(), 30, f"the row {row}")

    def interrupt(self):
        self.child.send_signal(signal.SIGINT)
        said = self.child.communicate(timeout=30)[1]
        assert self.child.returncode == 0, said
        return said


def table(pg, db):
    pg.query("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b')", database=db)


def test_nothing_is_left_after_an_interrupt(pg, db, work, unique):
    slot = unique("slot")
    table(pg, db)
    with Asked(work, pg, db, slot) as asked:
        asked.wait_row("+I", "2", "b")
        pg.query("INSERT INTO t VALUES (3, 'c')", database=db)
        asked.wait_row("+I", "3", "c")
        assert [temporary for name, temporary in slots(pg) if name.startswith(slot)] == [True]
        assert asked.interrupt() == ""
    assert not slots(pg)
    assert pg.value(PUBLICATIONS, database=db) == 0


def test_nothing_is_left_after_a_fault(pg, db, work, unique):
    table(pg, db)
    with Asked(work, pg, db, unique("slot"), query="SELECT 1 / (id - 3) AS x FROM ts") as asked:
        wait_until(lambda: slots(pg), 30, "the slot")
        pg.query("INSERT INTO t VALUES (3, 'c')", database=db)
        assert "division by zero" in asked.child.communicate(timeout=30)[1]
        assert asked.child.returncode == 1
    assert not slots(pg)
    assert pg.value(PUBLICATIONS, database=db) == 0


def test_a_kill_leaves_no_slot(pg, db, work, unique):
    table(pg, db)
    with Asked(work, pg, db, unique("slot")) as asked:
        asked.wait_row("+I", "2", "b")
        asked.child.kill()
    wait_until(lambda: not slots(pg), 30, "the server to drop the slot")


def test_slot_and_publication_of_the_pipeline_are_left_alone(pg, db, work, unique):
    slot = unique("slot")
    table(pg, db)
    pg.query("CREATE TABLE other (id int PRIMARY KEY)", database=db)
    pg.query(f"CREATE PUBLICATION {slot} FOR TABLE t", database=db)
    pg.query("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,), database=db)
    stands = pg.query("SELECT confirmed_flush_lsn, restart_lsn FROM pg_replication_slots")
    with Asked(work, pg, db, slot) as asked:  # beside the slot, by the publication that is there
        asked.wait_row("+I", "2", "b")
        assert pg.value(PUBLICATIONS, database=db) == 1
        asked.interrupt()
    pg.query(f"ALTER PUBLICATION {slot} SET TABLE other", database=db)
    with Asked(work, pg, db, slot) as asked:  # which does not have the table
        asked.wait_row("+I", "2", "b")
        pg.query("INSERT INTO t VALUES (3, 'c')", database=db)
        asked.wait_row("+I", "3", "c")
        asked.interrupt()
    assert slots(pg) == [(slot, False)]
    assert pg.query("SELECT confirmed_flush_lsn, restart_lsn FROM pg_replication_slots") == stands
    assert pg.query("SELECT pubname, tablename FROM pg_publication_tables", database=db) == [(slot, "other")]
    pg.query("SELECT pg_drop_replication_slot(%s)", (slot,), database=db)


def test_the_snapshot_alone_ends(pg, db, work, unique):
    table(pg, db)
    with open(f"{work}/asked.toml", "w") as file:
        file.write(section("pipeline", {"name": "asked"}) + cdc_source("ts", pg, db, "t", unique("slot"), {"scan.startup.mode": "snapshot"}))
    done = run_verb("sql", "-f", "asked.toml", "SELECT id FROM ts", cwd=work)
    assert (done.returncode, sorted(done.stdout.split())) == (0, ["1", "2", "id"]), done.stderr
    assert not slots(pg) and not os.path.exists(f"{work}/checkpoints")
