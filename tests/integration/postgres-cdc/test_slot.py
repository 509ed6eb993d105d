# SPDX-License-Identifier: Apache-2.0
"""The slot: first starts, refusals, rights, and what is confirmed when."""
import os
import signal
import time

from driven import Driven
from leattest import Leat, Postgres, wait_until
from leattest.pipeline import cdc_source, head, jdbc_sink

TIMEOUT = 120
CONFIG, TRANSIENT, FATAL = 1, 2, 5  # exit codes of pgcdc_drive: the classes


def table(pg, db, rows=2):
    pg.query(f"CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, {rows}) i",
             database=db)


def confirmed(pg, slot):
    return pg.value("SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = %s", (slot,))


def refused(node, code, *words):
    node.start()
    ended = node.wait_end()
    assert ended == code, f"ended with {ended}: {node.error()}"
    for word in words:
        assert word in node.error(), f"{word!r} is not in {node.error()}"


def test_existing_slot_is_refused_unless_reused(pg, db, work, unique):
    slot = unique("slot")
    table(pg, db)
    pg.query("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,), database=db)
    node = Driven(pg, db, f"{work}/node", slot=slot)
    refused(node, CONFIG, "LEAT-G0202", slot, "pg_drop_replication_slot", "slot.reuse")
    pg.query("INSERT INTO t VALUES (3, 'three')", database=db)
    with Driven(pg, db, f"{work}/snapshot", slot=slot, **{"slot.reuse": "snapshot"}) as node:
        node.wait_table(pg, db, "SELECT id::text, v FROM t")
        node.stop()
    with Driven(pg, db, f"{work}/continue", slot=slot, **{"slot.reuse": "continue"}) as node:
        pg.query("INSERT INTO t VALUES (4, 'four')", database=db)
        node.wait_rows(1)
        node.stop()
        assert node.rows()[-1] == ("+I", ["4", "four"])
        assert ("+I", ["1", "v1"]) not in node.rows()


def test_slot_gone_ahead_or_anew_is_refused(pg, db, work, unique):
    slot = unique("slot")
    table(pg, db)
    node = Driven(pg, db, f"{work}/node", slot=slot)
    with node:
        node.wait_rows(2)
        node.stop()
    pg.query("INSERT INTO t VALUES (3, 'x')", database=db)
    pg.query("SELECT pg_replication_slot_advance(%s, pg_current_wal_lsn())", (slot,), database=db)
    refused(node, FATAL, "LEAT-G0204", "beyond the checkpoint")
    pg.query("SELECT pg_drop_replication_slot(%s)", (slot,), database=db)
    refused(node, FATAL, "LEAT-G0203", "does not exist any more")
    pg.query("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,), database=db)
    refused(node, FATAL, "LEAT-G0204")


def test_another_server_is_refused(pg, db, work, unique):
    slot = unique("slot")
    table(pg, db)
    node = Driven(pg, db, f"{work}/node", slot=slot)
    with node:
        node.wait_rows(2)
        node.stop()
    with Postgres(f"{work}/other") as other:
        other.create_database(db)
        table(other, db)
        node.options["port"] = other.port
        refused(node, FATAL, "LEAT-G0205", "system")


def test_idle_slot_moves_on_and_never_trips_the_check(pg, db, work, unique):
    slot = unique("slot")
    table(pg, db)
    pg.query("CREATE TABLE other (id int)", database=db)
    node = Driven(pg, db, f"{work}/node", slot=slot)
    with node:
        node.wait_rows(2)
        before = confirmed(pg, slot)
        for _ in range(3):
            pg.query("INSERT INTO other SELECT generate_series(1, 10000)", database=db)
        end = pg.value("SELECT pg_current_wal_lsn()::text")
        wait_until(lambda: pg.value("SELECT confirmed_flush_lsn >= %s FROM pg_replication_slots WHERE slot_name = %s",
                                    (end, slot)), 15, "the idle slot to move")
        assert confirmed(pg, slot) != before
        node.kill()
        node.start()
        pg.query("INSERT INTO t VALUES (9, 'nine')", database=db)
        node.wait_rows(3)
        node.stop()


def test_dropped_publication_is_refused(pg, db, work, unique):
    slot = unique("slot")
    table(pg, db)
    node = Driven(pg, db, f"{work}/node", slot=slot)
    with node:
        node.wait_rows(2)
        node.stop()
    pg.query(f"DROP PUBLICATION {slot}", database=db)
    refused(node, FATAL, "LEAT-G0201", "was dropped")
    pg.query("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot + "x",), database=db)
    refused(Driven(pg, db, f"{work}/other", slot=slot + "x", **{"slot.reuse": "continue"}), FATAL, "LEAT-G0201")


def test_lost_slot_is_refused(work):
    with Postgres(f"{work}/pg", settings={"max_slot_wal_keep_size": "16MB", "min_wal_size": "32MB",
                                          "max_wal_size": "32MB"}) as pg:
        table(pg, "postgres")
        node = Driven(pg, "postgres", f"{work}/node")
        with node:
            node.wait_rows(2)
            node.stop()
        pg.query("CREATE TABLE fill (v text)")
        for _ in range(5):
            pg.query("INSERT INTO fill SELECT repeat('x', 2000) FROM generate_series(1, 10000)")
            pg.query("SELECT pg_switch_wal()")
            pg.query("CHECKPOINT")
        refused(node, FATAL, "LEAT-G0203", "invalidated")


def test_rights_that_are_missing_are_named(pg, db, work, unique):
    role, slot = unique("role"), unique("slot")
    table(pg, db)
    pg.query(f"CREATE SCHEMA s; CREATE TABLE s.t (id int PRIMARY KEY); CREATE ROLE {role} LOGIN; "
             f"REVOKE ALL ON SCHEMA public FROM PUBLIC", database=db)
    node = Driven(pg, db, f"{work}/node", schema="s", slot=slot)
    node.options["username"] = role
    # all at once
    refused(node, CONFIG, "LEAT-G0102", "4 things", f'ALTER ROLE "{role}" REPLICATION', f'GRANT USAGE ON SCHEMA "s" TO "{role}"',
            f'GRANT SELECT ON "s"."t" TO "{role}"', f'CREATE PUBLICATION "{slot}" FOR TABLE "s"."t"')
    pg.query(f"ALTER ROLE {role} REPLICATION")
    refused(node, CONFIG, "3 things", f'GRANT USAGE ON SCHEMA "s" TO "{role}"')
    assert "REPLICATION" not in node.error(), node.error()
    pg.query(f"GRANT USAGE ON SCHEMA s TO {role}; GRANT SELECT ON s.t TO {role}", database=db)
    refused(node, CONFIG, "is not the owner", "CREATE PUBLICATION", "publication.autocreate.mode")
    pg.query(f"ALTER TABLE s.t OWNER TO {role}", database=db)
    refused(node, CONFIG, f'GRANT CREATE ON DATABASE "{db}" TO "{role}"')
    pg.query("ALTER TABLE s.t OWNER TO postgres", database=db)
    pg.query(f'GRANT SELECT ON s.t TO {role}', database=db)
    # more than a message holds
    for i in range(12):
        pg.query(f"CREATE TABLE s.a_table_with_a_rather_long_name_{i} (id int PRIMARY KEY)", database=db)
    node.options["table-name"] = ".*"
    refused(node, CONFIG, "13 things", "The log names the statement for each")
    node.options["table-name"] = "t"
    pg.query(f"CREATE PUBLICATION {slot} FOR TABLE s.t", database=db)
    pg.query("INSERT INTO s.t VALUES (1)", database=db)
    node.options["publication.autocreate.mode"] = "disabled"
    with node:
        node.wait_rows(1)
        node.stop()
    pg.query(f'REVOKE ALL ON DATABASE "{db}" FROM {role}', database=db)


def test_settings_that_are_missing_are_named_at_once(work):
    with Postgres(f"{work}/pg", settings={"wal_level": "replica", "max_replication_slots": "0", "max_wal_senders": "0"}) as pg:
        table(pg, "postgres")
        pg.query("CREATE ROLE plain LOGIN")
        node = Driven(pg, "postgres", f"{work}/node")
        refused(node, CONFIG, "LEAT-G0101", "3 things", "wal_level = logical", "max_replication_slots = 10",
                "max_wal_senders = 10")
        node.options["username"] = "plain"
        refused(node, CONFIG, "6 things", "wal_level = logical", 'ALTER ROLE "plain" REPLICATION')
        pg.settings.update({"wal_level": "logical", "max_replication_slots": "1", "max_wal_senders": "4"})
        pg.restart()
        pg.query("SELECT pg_create_logical_replication_slot('other', 'pgoutput')")
        node.options["username"] = "postgres"
        refused(node, TRANSIENT, "LEAT-G0101", "all replication slots are in use")


def test_tables_that_cannot_be_captured_are_refused(pg, db, work, unique):
    cases = {
        "nokey": ("CREATE TABLE {} (v int)", {}, "REPLICA IDENTITY FULL"),
        "nothing": ("CREATE TABLE {0} (id int PRIMARY KEY); ALTER TABLE {0} REPLICA IDENTITY NOTHING", {}, "REPLICA IDENTITY"),
        "asked_all": ("CREATE TABLE {} (id int PRIMARY KEY)", {"changelog-mode": "all"},
                      'ALTER TABLE "public"."asked_all" REPLICA IDENTITY FULL'),
        "late_key": ("CREATE TABLE {} (id int PRIMARY KEY DEFERRABLE)", {}, "DEFERRABLE"),
        "late_upsert": ("CREATE TABLE {0} (id int PRIMARY KEY DEFERRABLE); ALTER TABLE {0} REPLICA IDENTITY FULL",
                        {"changelog-mode": "upsert"}, "leave changelog-mode out"),
        "unlogged": ("CREATE UNLOGGED TABLE {} (id int PRIMARY KEY)", {}, "unlogged"),
        "parts": ("CREATE TABLE {} (id int PRIMARY KEY) PARTITION BY RANGE (id)", {}, "partitioned"),
        "arrays": ("CREATE TABLE {} (id int PRIMARY KEY, v int[])", {}, "arrays are not supported yet"),
    }
    for name, (create, options, words) in cases.items():
        pg.query(create.format(name), database=db)
        refused(Driven(pg, db, f"{work}/{name}", tables=name, slot=unique(name), **options), CONFIG, words, name)
    refused(Driven(pg, db, f"{work}/none", tables="no_such_table", slot=unique("none")), TRANSIENT, "LEAT-G0103")


def test_what_is_refused_leaves_nothing_on_the_server(pg, db, work, unique):
    left = "SELECT (SELECT count(*) FROM pg_replication_slots WHERE database = %s) + (SELECT count(*) FROM pg_publication)"
    pg.query("CREATE TABLE t (id int PRIMARY KEY, v text); ALTER TABLE t REPLICA IDENTITY FULL; "
             "CREATE TABLE target (id int PRIMARY KEY, v int)", database=db)
    node = Driven(pg, db, f"{work}/node", slot=unique("slot"), **{"on-truncate": "delete"})
    refused(node, CONFIG, "LEAT-G0308", "public.t")
    assert pg.value(left, (db,), database=db) == 0
    text = (head("refused") + cdc_source("t", pg, db, "t", unique("slot"))
            + jdbc_sink("out", "t", pg, db, "target", "id"))
    leat = Leat(text, f"{work}/leat").launch()
    wait_until(lambda: "LEAT-J0104" in leat.log_text(), 20, "the refusal")
    leat.kill()
    assert pg.value(left, (db,), database=db) == 0


def test_publication_is_ours_before_the_slot_and_grows(pg, db, work, unique):
    slot = unique("slot")
    table(pg, db)
    pg.query("CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1)", database=db)
    node = Driven(pg, db, f"{work}/node", slot=slot)
    with node:
        node.wait_rows(2)
        node.stop()
    tables = "SELECT tablename FROM pg_publication_tables WHERE pubname = %s ORDER BY 1"
    assert pg.query(tables, (slot,), database=db) == [("t",)]
    pg.query("INSERT INTO u VALUES (2); INSERT INTO t VALUES (3, 'c')", database=db)
    node.options["table-name"] = "t|u"
    with node:
        node.wait_table(pg, db, "SELECT id::text FROM u", port="public.u")
        node.wait_table(pg, db, "SELECT id::text, v FROM t", port="public.t")
        pg.query("INSERT INTO u VALUES (3)", database=db)
        node.wait_table(pg, db, "SELECT id::text FROM u", port="public.u")
        assert len(node.rows("public.t")) == 3, "the first table must not be read again"
        node.stop()
    assert pg.query(tables, (slot,), database=db) == [("t",), ("u",)]


def test_busy_slot_is_waited_for_and_its_holder_named(pg, db, work, unique):
    slot = unique("slot")
    table(pg, db)
    first = Driven(pg, db, f"{work}/node", slot=slot, **{"wal-sender.timeout": "2s"})
    with first:
        first.wait_rows(2)
        # the rows are the snapshot's: it takes the slot when they are out
        pid = wait_until(lambda: pg.value("SELECT active_pid FROM pg_replication_slots WHERE slot_name = %s", (slot,)),
                         10, "the slot to be held")
        second = Driven(pg, db, f"{work}/node", slot=slot)
        refused(second, TRANSIENT, "LEAT-G0206", str(pid))
        # a holder that does not answer any more loses the slot after its wal_sender_timeout
        first.process.send_signal(signal.SIGSTOP)
        begin = time.monotonic()
        with second:
            pg.query("INSERT INTO t VALUES (3, 'c')", database=db)
            second.wait_rows(3)
            assert time.monotonic() - begin < 10
            second.stop()
        os.kill(first.process.pid, signal.SIGCONT)


def test_startup_modes(pg, db, work, unique):
    table(pg, db)
    with Driven(pg, db, f"{work}/latest", slot=unique("latest"), **{"scan.startup.mode": "latest-offset"}) as node:
        wait_until(lambda: "state" in os.listdir(node.folder), 10, "the first checkpoint")
        pg.query("INSERT INTO t VALUES (3, 'c')", database=db)
        assert node.wait_rows(1) == [("+I", ["3", "c"])]
        node.stop()
    refused(Driven(pg, db, f"{work}/committed", slot=unique("none"), **{"scan.startup.mode": "committed-offset"}), CONFIG,
            "LEAT-G0207")
    node = Driven(pg, db, f"{work}/snapshot", slot=unique("never"), **{"scan.startup.mode": "snapshot"})
    assert node.start().wait_end() == 0
    assert len(node.rows()) == 3
    assert pg.value("SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE 'never%%'") == 0


def test_fast_shutdown_is_not_held_up(work):
    with Postgres(f"{work}/pg") as pg:
        table(pg, "postgres")
        node = Driven(pg, "postgres", f"{work}/node", arguments=["-c", "100000"])  # nothing is ever confirmed
        with node:
            node.wait_rows(2)
            pg.query("INSERT INTO t VALUES (3, 'c')")
            node.wait_rows(2)
            begin = time.monotonic()
            pg.stop("fast")
            assert time.monotonic() - begin < 5
            assert node.wait_end() == TRANSIENT
