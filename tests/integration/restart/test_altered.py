# SPDX-License-Identifier: Apache-2.0
"""ALTER TABLE of a captured table, under load: while leat runs, while the connection is lost, and while leat is down.

A captured column that is lost while the connection is lost too must not pass unseen: the job that starts again by itself
took the new catalogue as if nothing had been, and rows lost the column's value in the topic. An added one was read from
then on, though leat had not been started again. Rows logged before a column was renamed stopped the job at every start.
"""
import contextlib
import json
import threading

from leattest import Leat, TopicTable, stage_one, wait_until
from leattest.pipeline import section

TIMEOUT = 180
CHANGES = {"dropped": "DROP v", "renamed": "RENAME v TO w", "retyped": "ALTER v TYPE int USING 7"}
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def test_a_lost_column_stops_the_job_also_when_the_connection_is_lost(pg, db, kafka, work, unique):
    for name, change in CHANGES.items():
        topic = unique(name)
        pg.query(f"CREATE TABLE {name} (id int PRIMARY KEY, v text); INSERT INTO {name} VALUES (1, 'a')", database=db)
        with Leat(stage_one(pg, db, kafka, topic, unique(f"{name}_slot"), table=name), f"{work}/{name}") as leat:
            table = TopicTable(kafka, topic)
            wait_until(lambda: table.poll() is not None and table.rows, 30, "the first row")
            pg.query(f"ALTER TABLE {name} {change}; {CUT}", database=db)
            pg.query(f"INSERT INTO {name} VALUES (2); DELETE FROM {name} WHERE id = 2; UPDATE {name} SET id = 3", database=db)
            wait_until(lambda: "LEAT-G0" in leat.get("/health")[1] and '"v\\"' in leat.get("/health/ready")[1], 60,
                       lambda: leat.get("/health")[1], every=0.2)
            table.catch_up()
            assert [row for row in table.rows.values()] == [b'{"id":1,"v":"a"}'], table.rows
            leat.terminate(code=1)
            table.close()


def test_a_column_that_became_wider_is_taken_by_a_restart(pg, db, kafka, work, unique):
    topic = unique("wider")
    pg.query("CREATE TABLE wider (id int PRIMARY KEY, v int); INSERT INTO wider VALUES (1, 1)", database=db)
    with Leat(stage_one(pg, db, kafka, topic, unique("slot"), table="wider"), work) as leat:
        table = TopicTable(kafka, topic)
        wait_until(lambda: table.poll() is not None and len(table.rows) == 1, 30, "the first row")
        leat.kill()
        pg.query("INSERT INTO wider VALUES (2, 2); ALTER TABLE wider ALTER v TYPE bigint; "
                 "INSERT INTO wider VALUES (3, 99999999999)", database=db)
        leat.start()
        wait_until(lambda: table.poll() is not None and len(table.rows) == 3, 30, lambda: leat.get("/health")[1])
        assert sorted(table.rows.values())[1:] == [b'{"id":2,"v":2}', b'{"id":3,"v":99999999999}']
        leat.terminate()
        table.close()


class Altered:
    """A table under a load that names only id and n; v comes from its default."""

    def __init__(self, work, pg, db, kafka, unique, name, column="int DEFAULT (random() * 1000000)::int"):
        self.pg, self.db, self.kafka, self.name = pg, db, kafka, name
        self.topic, self.slot = unique(name), unique(f"{name}_slot")
        self.query(f"CREATE TABLE {name} (id serial PRIMARY KEY, n int, v {column}); "
                   f"INSERT INTO {name} (n) SELECT i FROM generate_series(1, 100) i")
        self.leat = Leat(self.text(), f"{work}/{name}")
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.change, daemon=True)

    def text(self, more=""):
        return stage_one(self.pg, self.db, self.kafka, self.topic, self.slot, table=self.name) + more

    def query(self, sql):
        return self.pg.query(sql, database=self.db)

    def change(self):
        with contextlib.closing(self.pg.connect(self.db)) as connection, connection.cursor() as cursor:
            while not self.stopped.is_set():
                cursor.execute(f"INSERT INTO {self.name} (n) SELECT i FROM generate_series(1, 5) i")
                cursor.execute(f"UPDATE {self.name} SET n = n + 1 WHERE id % 50 = floor(random() * 50)")
                cursor.execute(f"DELETE FROM {self.name} WHERE id % 97 = floor(random() * 97) AND id > 50")

    def start(self):
        self.leat.start()
        self.table = TopicTable(self.kafka, self.topic)
        self.thread.start()
        self.table.wait_records(500)
        return self

    def moves(self):
        self.table.catch_up()
        self.table.wait_records(200)

    def wait_refused(self, *words):
        def said():
            text = self.leat.get("/health")[1] + self.leat.get("/health/ready")[1]
            return all(word in text for word in words)
        wait_until(said, 60, lambda: self.leat.get("/health")[1] + self.leat.child.log_tail(10), every=0.2)
        self.leat.terminate(code=1)

    def begin_again(self, text=None):
        self.leat.write(text or self.text())
        self.leat.start()

    def end(self, now, snapshot=False):
        """The topic holds the table's rows; `now` is what the column is called now, None when it is gone. A row that was
        not changed since keeps its former form."""
        self.stopped.set()
        self.thread.join()
        rows = self.query(f"SELECT id, n, {f'{now}::text' if now else 'NULL'} FROM {self.name}")

        def same():
            self.table.poll()
            have = {}
            for text in self.table.rows.values():
                row = json.loads(text)
                value = row.get(now, row.get("v"))
                have[row["id"]] = (row["n"], None if value is None or not now else str(value))
            self.have = have
            return have == {row[0]: (row[1], row[2]) for row in rows}
        wait_until(same, 60, lambda: f"{len(rows)} rows, there are {len(self.have)}; "
                   f"{[row for row in rows if self.have.get(row[0]) != (row[1], row[2])][:5]}\n{self.leat.child.log_tail(5)}",
                   every=0.2)
        assert snapshot == bool(self.leat.metric("leat_source_snapshot_rows_total")), "a snapshot"
        self.leat.terminate()
        self.table.close()
        self.pg.drop_slots(self.slot)  # the server has twenty, for all tests of this folder


ALTERS = {"renamed": ("RENAME v TO w", "w"), "retyped": ("ALTER v TYPE text", "v"), "dropped": ("DROP v", None),
          "narrowed": ("ALTER v TYPE text USING left(v::text, 3)", None)}


def test_altered_while_leat_runs(pg, db, kafka, work, unique):
    """The job stops, leat is started again and goes on behind all that was logged before."""
    for name, (change, now) in ALTERS.items():
        altered = Altered(work, pg, db, kafka, unique, f"{name}_up").start()
        altered.query(f"ALTER TABLE {altered.name} {change}")
        altered.wait_refused("LEAT-G0302", '\\"v\\"')
        altered.begin_again()
        altered.moves()
        altered.end(now)


def test_altered_while_leat_is_down(pg, db, kafka, work, unique):
    """Rows logged before it are read with the columns of now."""
    changes = dict(ALTERS, again=("DROP v, ADD v text DEFAULT 'x'", None),
                   moved=("RENAME v TO w; ALTER TABLE {0} ADD v text DEFAULT 'x'", "w"))
    for name, (change, now) in changes.items():
        altered = Altered(work, pg, db, kafka, unique, f"{name}_down").start()
        altered.leat.kill()
        count = altered.query(f"SELECT max(id) FROM {altered.name}")
        wait_until(lambda: altered.query(f"SELECT max(id) FROM {altered.name}") > count, 20, "more rows")
        altered.query(f"ALTER TABLE {altered.name} {change}".format(altered.name))
        altered.begin_again()
        altered.moves()
        altered.leat.kill()  # once more: the state of in between must know both names
        altered.begin_again()
        altered.moves()
        altered.end(now)


def test_what_cannot_be_told_stops_with_a_cure(pg, db, kafka, work, unique):
    altered = Altered(work, pg, db, kafka, unique, "twice").start()
    altered.leat.kill()
    for change in ("RENAME v TO x", "RENAME x TO w"):
        count = altered.query(f"SELECT max(id) FROM {altered.name}")
        wait_until(lambda: altered.query(f"SELECT max(id) FROM {altered.name}") > count, 20, "more rows")
        altered.query(f"ALTER TABLE twice {change}")
    altered.leat.launch()
    altered.wait_refused("LEAT-G0302", "drop slot", "start once with --forget-state pg")
    pg.drop_slots(altered.slot)
    altered.topic = unique("anew")
    altered.leat.arguments = ["--forget-state", "pg"]
    altered.begin_again()
    altered.table.close()
    altered.table = TopicTable(kafka, altered.topic)
    altered.moves()
    altered.end("w", snapshot=True)


def test_a_type_that_cannot_be_read_is_cured_by_a_declared_text(pg, db, kafka, work, unique):
    altered = Altered(work, pg, db, kafka, unique, "numbers", "text DEFAULT (random() * 1000000)::int::text").start()
    altered.leat.kill()
    count = altered.query("SELECT max(id) FROM numbers")
    wait_until(lambda: altered.query("SELECT max(id) FROM numbers") > count, 20, "more rows")
    altered.query("ALTER TABLE numbers ALTER v DROP DEFAULT, ALTER v TYPE int USING v::int")
    altered.leat.launch()
    altered.wait_refused("LEAT-G0302", "Declare the column as STRING")
    altered.begin_again(altered.text(section("sources.pg.schema", {"id": "INT NOT NULL", "n": "INT", "v": "STRING"})))
    altered.moves()
    altered.end("v")


def test_an_added_column_waits_for_a_restart_of_leat(pg, db, kafka, work, unique):
    """Also when the job starts again by itself."""
    altered = Altered(work, pg, db, kafka, unique, "added").start()
    altered.query("ALTER TABLE added ADD extra text DEFAULT 'none'")
    altered.moves()
    pg.terminate_backends("a.application_name = 'leat'")
    altered.moves()
    altered.leat.wait_logged("column-added.*new column")
    assert b'"extra"' not in b"".join(altered.table.rows.values())
    altered.leat.terminate()
    altered.begin_again()
    altered.moves()
    assert b'"extra"' in b"".join(altered.table.rows.values())
    altered.end("v")
