# SPDX-License-Identifier: Apache-2.0
"""postgres-cdc to jdbc in the server: a table and its copy are the same, whatever is killed, missing or refused."""
import random
import threading

from leattest import Leat, Postgres, wait_until
from leattest.pipeline import cdc_source, head, jdbc_sink, jdbc_url

TIMEOUT = 240

COLUMNS = ("(id bigint PRIMARY KEY, name varchar(40), big text, amount numeric(12,2), at timestamp(3), day date, "
           "flag boolean, ratio double precision, raw bytea, seen timestamptz)")
ROW = ("%s, %s, %s, (random() * 1000000)::numeric(12,2), clock_timestamp()::timestamp(3), current_date, "
       "random() < 0.5, random(), '\\x00ff', clock_timestamp()")


def create(pg, db, target=True):
    pg.query(f"CREATE TABLE source {COLUMNS}; ALTER TABLE source ALTER big SET STORAGE EXTERNAL", database=db)
    if target:
        pg.query(f"CREATE TABLE target {COLUMNS}", database=db)


def pipeline(pg, db, unique, more={}, target=None):
    url = jdbc_url(target or pg, db) + "?ApplicationName=leat-sink"
    return (head("copy", "200ms") + cdc_source("input", pg, db, "source", unique("slot"))
            + jdbc_sink("output", "input", pg, db, "target", "id", {"url": url} | more))


DIFFERENT = """
SELECT 'not in target', a::text FROM (TABLE source EXCEPT ALL TABLE target) a UNION ALL
SELECT 'not in source', b::text FROM (TABLE target EXCEPT ALL TABLE source) b LIMIT 5"""


def difference(pg, db):
    return [(which, row[:200]) for which, row in pg.query(DIFFERENT, database=db)]


def wait_same(pg, db, timeout=60):
    """Returns the number of rows."""
    wait_until(lambda: not difference(pg, db), timeout, lambda: f"the copy to be the same: {difference(pg, db)}", every=0.2)
    return pg.value("SELECT count(*) FROM target", database=db)


class Writer:
    """Random changes, each transaction of a few: inserts, updates that leave the large column alone, updates of the
    key, deletes, and a transaction that moves every key."""

    def __init__(self, pg, db, seed):
        self.connection = pg.connect(db, autocommit=False)
        self.random = random.Random(seed)
        self.next = 1

    def insert(self, cursor, count=1):
        for _ in range(count):
            cursor.execute(f"INSERT INTO source VALUES ({ROW})",
                           (self.next, f"näme {self.next}", "x" * self.random.choice((10, 6000))))
            self.next += 1

    def change(self):
        pick = self.random.randrange(1, self.next + 1)
        with self.connection.cursor() as cursor:
            for _ in range(self.random.randrange(1, 5)):
                what = self.random.randrange(10)
                if what < 4:
                    self.insert(cursor)
                elif what < 7:
                    cursor.execute("UPDATE source SET name = %s, seen = clock_timestamp() WHERE id = %s",
                                   (f"changed {pick}", pick))
                elif what < 8:
                    cursor.execute("UPDATE source SET id = %s WHERE id = %s", (self.next, pick))
                    self.next += 1
                else:
                    cursor.execute("DELETE FROM source WHERE id = %s", (pick,))
        self.connection.commit()

    def move_all(self):
        with self.connection.cursor() as cursor:
            cursor.execute("UPDATE source SET id = -id")
            cursor.execute("UPDATE source SET id = -id + 1")
        self.connection.commit()
        self.next += 1


def test_a_table_is_copied(work, pg, db, unique):
    create(pg, db)
    writer = Writer(pg, db, 1)
    with writer.connection.cursor() as cursor:
        writer.insert(cursor, 500)
    writer.connection.commit()
    with Leat(pipeline(pg, db, unique), work) as leat:
        wait_same(pg, db)
        for _ in range(300):
            writer.change()
        wait_same(pg, db)
        writer.move_all()
        for _ in range(100):
            writer.change()
        assert wait_same(pg, db) > 300
        assert leat.metric("leat_jdbc_rows_written_total") > 1000
        pg.query("DELETE FROM source", database=db)
        wait_same(pg, db)
        leat.terminate()


def test_many_rows_at_once(work, pg, db, unique):
    create(pg, db)
    pg.query("INSERT INTO source SELECT i, 'n' || i, repeat('y', i % 50), i, now(), now(), true, i, '', now() "
             "FROM generate_series(1, 60000) i", database=db)
    with Leat(pipeline(pg, db, unique), work):
        assert wait_same(pg, db) == 60000
        pg.query("UPDATE source SET amount = amount + 1 WHERE id % 2 = 0; DELETE FROM source WHERE id % 7 = 0",
                 database=db)
        wait_same(pg, db)


def killed_at(fault, work, pg, db, unique):
    create(pg, db)
    writer = Writer(pg, db, 2)
    for n in (1, 2, 5, 9):
        leat = Leat(pipeline(pg, db, unique), work, env={"LEAT_FAULT": f"{fault}:{n}"}, build="asan")
        leat.launch()
        # as many flushes as it takes: on a fast machine many changes go in one
        wait_until(lambda: writer.change() or not leat.running(), 30, lambda: f"leat to be killed at {fault}", every=0.005)
    with Leat(pipeline(pg, db, unique), work):
        wait_same(pg, db)


def test_killed_before_commit(work, pg, db, unique):
    killed_at("jdbc-before-commit", work, pg, db, unique)


def test_killed_after_commit(work, pg, db, unique):
    killed_at("jdbc-after-commit", work, pg, db, unique)


def test_killed_while_new_rows_are_copied(work, pg, db, unique):
    create(pg, db)
    more = "SELECT i, 'n' || i, repeat('y', i % 50), i, now(), now(), true, i, '', now() FROM generate_series({}, {}) i"
    rows = 0
    for fault in ("jdbc-before-commit", "jdbc-after-commit"):
        for n in (1, 3):
            pg.query(f"INSERT INTO source {more.format(rows + 1, rows + 30000)}", database=db)
            rows += 30000
            leat = Leat(pipeline(pg, db, unique), work, env={"LEAT_FAULT": f"{fault}:{n}"}, build="asan")
            leat.launch()
            wait_until(lambda: not leat.running(), 30, lambda: f"leat to be killed at {fault}", every=0.02)
    with Leat(pipeline(pg, db, unique), work) as leat:
        assert wait_same(pg, db) == rows
        # rows that were committed come again, and are there
        assert leat.metric("leat_jdbc_copies_refused_total") >= 1


def test_killed_at_random(work, pg, db, unique):
    create(pg, db)
    writer = Writer(pg, db, 3)
    leat = Leat(pipeline(pg, db, unique), work)
    for _ in range(6):
        leat.start()
        for _ in range(random.Random(4).randrange(50, 150)):
            writer.change()
        leat.kill()
    with leat:
        wait_same(pg, db)


def test_connections_are_killed_all_the_time(work, pg, db, unique):
    create(pg, db)
    writer = Writer(pg, db, 5)
    over = threading.Event()

    def killer():
        while not over.wait(0.3):
            pg.terminate_backends("application_name = 'leat-sink'")

    with Leat(pipeline(pg, db, unique, more={"sink.max-retries": 10}), work) as leat:
        thread = threading.Thread(target=killer)
        thread.start()
        try:
            done = 0
            # a fast machine may be through with 600 changes before the first connection is killed
            while done < 600 or (done < 30000 and not leat.metric("leat_jdbc_retries_total")):
                writer.change()
                done += 1
        finally:
            over.set()
            thread.join()
        wait_same(pg, db)
        assert leat.metric("leat_jdbc_retries_total") > 0


def test_a_missing_table_is_waited_for(work, pg, db, unique):
    create(pg, db, target=False)
    pg.query(f"INSERT INTO source VALUES ({ROW})", (1, "a", "b"), database=db)
    leat = Leat(pipeline(pg, db, unique), work).launch()
    try:
        leat.wait_logged('there is no table "public"."target"')
        assert not leat.ready()
        pg.query(f"CREATE TABLE target {COLUMNS}", database=db)
        leat.wait_ready()
        wait_same(pg, db)
        leat.terminate()
    finally:
        if leat.running():
            leat.kill()


def test_a_table_that_does_not_fit_is_named(work, pg, db, unique):
    create(pg, db)
    pg.query("ALTER TABLE target DROP COLUMN ratio, ALTER day TYPE text, DROP CONSTRAINT target_pkey", database=db)
    leat = Leat(pipeline(pg, db, unique), work).launch()
    try:
        line = leat.wait_logged('has no column')
        assert '"ratio" (DOUBLE)' in line, line
        assert not leat.ready() and leat.running()
    finally:
        leat.kill()


def test_refused_rows_are_skipped(work, pg, db, unique):
    create(pg, db)
    pg.query("ALTER TABLE target ADD CHECK (name <> 'refused')", database=db)
    writer = Writer(pg, db, 6)
    with Leat(pipeline(pg, db, unique, more={"on-error": "skip"}), work) as leat:
        for _ in range(50):
            writer.change()
        pg.query(f"INSERT INTO source VALUES ({ROW})", (100001, "refused", "b"), database=db)
        for _ in range(50):
            writer.change()
        leat.wait_logged("100001")
        pg.query("DELETE FROM source WHERE id = 100001", database=db)
        wait_same(pg, db)


def test_a_refused_row_fails_the_job(work, pg, db, unique):
    create(pg, db)
    pg.query("ALTER TABLE target ADD CONSTRAINT never CHECK (name <> 'refused')", database=db)
    leat = Leat(pipeline(pg, db, unique), work).start()
    try:
        pg.query(f"INSERT INTO source VALUES ({ROW})", (7, "refused", "b"), database=db)
        line = leat.wait_logged("does not take the row")
        assert "id=7" in line and "never" in line, line
        wait_until(lambda: not leat.ready(), 10, lambda: "leat to be not ready")
        assert leat.running()
    finally:
        leat.kill()


def test_a_wrong_password_is_named_and_mended_while_running(work, pg, db, unique):
    create(pg, db)
    role = unique("role")
    hba = f"{pg.data}/pg_hba.conf"
    with open(hba) as file:
        before = file.read()
    pg.query(f"CREATE ROLE {role} LOGIN SUPERUSER PASSWORD 'right'")
    with open(hba, "w") as file:
        file.write(f"host all {role} 127.0.0.1/32 scram-sha-256\n{before}")
    pg.query("SELECT pg_reload_conf()")
    leat = Leat(pipeline(pg, db, unique, {"username": role, "password": "planted-secret"}), work).launch()
    try:
        leat.wait_logged("password authentication failed")
        assert not leat.ready()
        assert "planted-secret" not in leat.log_text() + leat.get("/health")[1]
        pg.query(f"ALTER ROLE {role} PASSWORD 'planted-secret'")
        pg.query(f"INSERT INTO source VALUES ({ROW})", (1, "a", "b"), database=db)
        leat.wait_ready()
        wait_same(pg, db)
        leat.terminate()
    finally:
        if leat.running():
            leat.kill()
        with open(hba, "w") as file:
            file.write(before)
        pg.query("SELECT pg_reload_conf()")


def test_the_target_may_start_last_and_stop_meanwhile(work, pg, db, unique):
    create(pg, db, target=False)
    writer = Writer(pg, db, 8)
    with Postgres(f"{work}/target") as target:
        target.create_database(db, f"CREATE TABLE target {COLUMNS}")
        target.stop()
        leat = Leat(pipeline(pg, db, unique, target=target), work).launch()
        try:
            leat.wait_logged("could not connect to PostgreSQL")
            target.start()
            leat.wait_ready()
            for stop in ("fast", "immediate"):
                for _ in range(50):
                    writer.change()
                target.restart(stop)
            writer.change()
            wanted = pg.query("TABLE source ORDER BY id", database=db)
            wait_until(lambda: target.query("TABLE target ORDER BY id", database=db) == wanted, 60, "the copy", every=0.2)
            leat.terminate()
        finally:
            if leat.running():
                leat.kill()


def test_types_that_come_as_strings_go_back(work, pg, db, unique):
    columns = "(id int PRIMARY KEY, span interval, clock timetz, price money, host inet, doc jsonb, who uuid, bits varbit)"
    pg.query(f"CREATE TABLE source {columns}; CREATE TABLE target {columns};"
             "INSERT INTO source VALUES (1, '1 year 2 mons 3 days 04:05:06.7', '23:59:59.5+05:30', '-12.34', '10.0.0.0/8',"
             " '{\"a\": [1, null]}', 'c0ffee00-0000-4000-8000-000000000001', '10110'); INSERT INTO source VALUES (2)", database=db)
    with Leat(pipeline(pg, db, unique), work):
        wait_same(pg, db)
        pg.query("UPDATE source SET span = '-3 mons', price = '92233720368547758.07', bits = '' WHERE id = 1", database=db)
        wait_same(pg, db)
