# SPDX-License-Identifier: Apache-2.0
"""Kills, lost connections and a way that is full: nothing may be lost, and the table made from the rows is the same."""
import os
import random
import re
import signal
import threading
import time

from driven import Driven
from leattest import PgLoad, Postgres, wait_until
from leattest.leat import ROOT

TIMEOUT = 240
LOADED = ("SELECT id::text, version::text, name, amount::text, upper(active::text), "
          "to_char(changed, 'YYYY-MM-DD HH24:MI:SS.MS') FROM load_rows")
COLUMNS = "id::text, v"
TAKEN_OVER = ("pgcdc-after-advance", "pgcdc-in-wait")  # passed with a slot that others made


def same(node, pg, db, query, **more):
    node.wait_table(pg, db, query, **more)


def upper_booleans(node):
    plain = node.table

    def table(port=None, key=(0,)):
        return {name: [*row[:4], row[4].upper(), *row[5:]] for name, row in plain(port, key).items()}
    node.table = table
    return node


def size(node):
    path = f"{node.folder}/rows"
    return os.path.getsize(path) if os.path.exists(path) else 0


def test_random_kills_under_load(pg, db, work, unique):
    chance = random.Random(7)
    load = PgLoad(pg.dsn(db), rate=1000, large_every=2.0, large_rows=10000).create()
    try:
        node = upper_booleans(Driven(pg, db, f"{work}/node", tables="load_rows", slot=unique("slot")))
        load.start()
        kills, begin = 0, time.monotonic()
        while time.monotonic() - begin < 20:
            node.start()
            before = size(node)
            wait_until(lambda: size(node) > before, 20, "progress")
            time.sleep(chance.random())
            node.kill()
            kills += 1
        load.stop()
        node.start()
        same(node, pg, db, LOADED, timeout=60)
        node.stop()
        assert kills > 10
    finally:
        load.stop()
        node.kill()


def test_kills_in_the_snapshot_with_deletes_and_moved_keys_while_down(pg, db, work, unique):
    pg.query("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i || repeat(' ', 100) "
             "FROM generate_series(1, 200000) i", database=db)
    for share in (10, 50, 90):
        name = f"at{share}"
        node = Driven(pg, db, f"{work}/{name}", slot=unique(name), fault=f"pgcdc-in-snapshot:{195 * share // 100}",
                      arguments=["-c", "20"])
        node.start()
        assert node.wait_end() == -signal.SIGKILL
        assert len(node.rows()) >= 2000 * share - 10000, f"{len(node.rows())} at {share}"
        pg.query("DELETE FROM t WHERE id %% 1000 = %s", (share,), database=db)
        pg.query("UPDATE t SET id = -id WHERE id %% 1000 = %s", (share + 1,), database=db)
        pg.query("UPDATE t SET v = v || 'x' WHERE id %% 1000 = %s", (share + 2,), database=db)
        node.fault = None
        with node:
            same(node, pg, db, f"SELECT {COLUMNS} FROM t")
            pg.query("UPDATE t SET v = 'last' WHERE id % 1000 = 3", database=db)
            same(node, pg, db, f"SELECT {COLUMNS} FROM t")
            node.stop()


def fault_points():
    with open(f"{ROOT}/common/fault/README.md") as file:
        return re.findall(r"^\| (pgcdc-[a-z-]+) ", file.read(), re.M)


def test_every_fault_point(pg, db, work, unique):
    pg.query("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 3000) i",
             database=db)
    points = fault_points()
    assert len(points) >= 11
    for point in points:
        slot = unique(point.replace("-", "_"))
        node = Driven(pg, db, f"{work}/{point}", slot=slot, fault=point)
        if point in TAKEN_OVER:
            pg.query("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,), database=db)
            node.options["slot.reuse"] = "snapshot"
        node.start()
        pg.query("INSERT INTO t SELECT max(id) + 1, 'during' FROM t", database=db)
        assert node.wait_end() == -signal.SIGKILL, f"{point} was not passed: {node.log()}"
        pg.query("DELETE FROM t WHERE id % 100 = (SELECT max(id) FROM t) % 100", database=db)
        pg.query("INSERT INTO t SELECT max(id) + 1, 'down' FROM t", database=db)
        node.fault = None
        with node:
            try:
                same(node, pg, db, f"SELECT {COLUMNS} FROM t")
            except AssertionError as error:
                raise AssertionError(f"{point}: {error}")
            node.stop()


def test_kill_inside_a_large_transaction_brings_each_change_once(pg, db, work, unique):
    pg.query("CREATE TABLE t (id int PRIMARY KEY, v text); ALTER TABLE t REPLICA IDENTITY FULL", database=db)
    node = Driven(pg, db, f"{work}/node", slot=unique("slot"), arguments=["-c", "5"])
    with node:
        wait_until(lambda: os.path.exists(f"{node.folder}/state"), 10, "the first checkpoint")
        pg.query("INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 200000) i", database=db)
        rows = 0
        for _ in range(4):
            wait_until(lambda: len(node.rows()) > rows, 20, "progress")
            node.process.send_signal(signal.SIGTERM)  # a checkpoint in the middle, no repetition
            assert node.wait_end() == 0
            rows = len(node.rows())
            node.start()
        same(node, pg, db, f"SELECT {COLUMNS} FROM t")
        assert len(node.rows()) == 200000
        node.stop()


def test_restarts_inside_a_transaction_over_two_tables_repeat_nothing(pg, db, work, unique):
    for name in "ab":
        pg.query(f"CREATE TABLE {name} (id int PRIMARY KEY, v text); ALTER TABLE {name} REPLICA IDENTITY FULL", database=db)
    node = Driven(pg, db, f"{work}/node", tables="a|b", slot=unique("slot"), arguments=["-c", "5"])
    with node:
        wait_until(lambda: os.path.exists(f"{node.folder}/state"), 10, "the first checkpoint")
        # b gets one row in the middle of what a gets
        pg.query("BEGIN; INSERT INTO a SELECT i, 'x' FROM generate_series(1, 30000) i; INSERT INTO b VALUES (1, 'x'); "
                 "INSERT INTO a SELECT i, 'x' FROM generate_series(30001, 150000) i; UPDATE b SET v = 'y'; COMMIT", database=db)
        rows = 0
        for _ in range(5):
            wait_until(lambda: len(node.rows()) > rows or len(node.rows()) == 150003, 20, "progress")
            node.process.send_signal(signal.SIGTERM)
            assert node.wait_end() == 0
            rows = len(node.rows())
            node.start()
        same(node, pg, db, f"SELECT {COLUMNS} FROM a", port="public.a")
        same(node, pg, db, f"SELECT {COLUMNS} FROM b", port="public.b")
        assert len(node.rows()) == 150003
        node.stop()


def test_kill_while_a_row_waits_for_its_large_value(pg, db, work, unique):
    pg.query("CREATE TABLE t (id int PRIMARY KEY, n int, v text); ALTER TABLE t ALTER v SET STORAGE EXTERNAL; "
             "INSERT INTO t VALUES (1, 0, repeat('x', 9000))", database=db)
    node = Driven(pg, db, f"{work}/node", slot=unique("slot"), arguments=["-c", "50"])
    writer, locker = pg.connect(db, autocommit=False), pg.connect(db, autocommit=False)
    with node:
        node.wait_rows(1)
        writer.cursor().execute("UPDATE t SET n = 1")
        # the lock is had the moment the update commits, so the value cannot be fetched
        waiter = threading.Thread(target=lambda: locker.cursor().execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE"))
        waiter.start()
        wait_until(lambda: pg.value("SELECT count(*) FROM pg_locks WHERE NOT granted") == 1, 10, "the lock to wait")
        writer.commit()
        waiter.join()
        wait_until(lambda: pg.value("SELECT count(*) FROM pg_locks WHERE NOT granted") == 1, 10, "the row to wait")
        before = os.stat(f"{node.folder}/state").st_ino
        wait_until(lambda: os.stat(f"{node.folder}/state").st_ino != before, 10, "a checkpoint meanwhile")
        time.sleep(0.2)
        assert len(node.rows()) == 1
        node.kill()
        locker.rollback()
        node.start()
        assert node.wait_rows(2)[1] == ("+U", ["1", "1", "x" * 9000])
        node.stop()


def test_killed_backends_and_a_killed_server(pg, db, work, unique):
    load = PgLoad(pg.dsn(db), rate=500).create()
    try:
        node = upper_booleans(Driven(pg, db, f"{work}/node", tables="load_rows", slot=unique("slot")))
        node.start()
        node.wait_rows(1000)
        load.start()
        for how in ("backends", "backends", "server", "backends"):
            time.sleep(1)
            if how == "server":
                pg.kill()
            else:
                pg.terminate_backends("application_name = 'leat'")
            assert node.wait_end() == 2, node.error()
            if how == "server":
                pg.start()
            node.start()
            count = len(node.rows())
            wait_until(lambda: len(node.rows()) > count, 20, "progress")
        load.stop()
        same(node, pg, db, LOADED, timeout=60)
        node.stop()
    finally:
        load.stop()
        node.kill()


def test_full_way_keeps_the_connection_and_memory(pg, db, work, unique):
    pg.query("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (0, 'first')", database=db)
    node = Driven(pg, db, f"{work}/node", slot=unique("slot"), arguments=["-b", "8000", "-q"],
                  **{"wal-sender.timeout": "2s", "scan.startup.mode": "latest-offset"})
    with node:
        wait_until(lambda: os.path.exists(f"{node.folder}/state"), 10, "the first checkpoint")
        slot = node.options["slot.name"]
        holder = ("SELECT active_pid FROM pg_replication_slots WHERE slot_name = %s", (slot,))
        pid = pg.value(*holder)
        pg.query("INSERT INTO t VALUES (-1, 'blocks')", database=db)
        time.sleep(0.5)
        before = memory(node)
        pg.query("INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 200000) i", database=db)
        time.sleep(6.5)  # three times wal_sender_timeout
        assert memory(node) - before < 10_000_000
        assert pg.value(*holder) == pid
        wait_until(lambda: pg.value("SELECT confirmed_flush_lsn >= (SELECT sent_lsn FROM pg_stat_replication) "
                                    "FROM pg_replication_slots WHERE slot_name = %s", (slot,)), 30, "the rest")
        assert pg.value(*holder) == pid
        assert memory(node) - before < 20_000_000
        node.stop()
        assert "200001 rows" in node.log()


def memory(node):
    if node.build == "asan":
        return 0  # whose allocator keeps what was freed
    with open(f"/proc/{node.process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_server_that_does_not_answer_and_a_cut_line(work):
    from leattest import Proxy
    with Postgres(f"{work}/pg") as pg:
        pg.query("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')")
        with Proxy(pg.port) as proxy:
            node = Driven(pg, "postgres", f"{work}/node")
            node.options["port"] = proxy.port
            with node:
                node.wait_rows(1)
                proxy.cut()
                assert node.wait_end() == 2
                node.start()
                pg.query("INSERT INTO t VALUES (2, 'b')")
                node.wait_rows(2)
                node.stop()
