# SPDX-License-Identifier: Apache-2.0
"""The server behind the address is another one than the checkpoint's, though its tables look the same: a promoted
standby, a restored backup. Nothing is guessed, nothing read anew, nothing made on the server."""
import os
import shutil
import subprocess

from driven import Driven
from leattest import Postgres, wait_until
from leattest.postgres import binaries

TIMEOUT = 180
TRANSIENT, FATAL = 2, 5  # exit codes of pgcdc_drive: the classes
SLOTS = "SELECT slot_name::text FROM pg_replication_slots WHERE slot_type = 'logical'"


def standby_of(primary, folder):
    standby = Postgres(folder)
    os.makedirs(folder)
    user = {"user": primary.user.pw_uid, "group": primary.user.pw_gid, "extra_groups": []} if primary.user else {}
    if primary.user:
        os.chown(folder, primary.user.pw_uid, primary.user.pw_gid)
    subprocess.run([f"{binaries()}/pg_basebackup", "-D", standby.data, "-R", "-X", "stream", "-c", "fast", "-U", "postgres",
                    "-h", primary.host, "-p", str(primary.port)], check=True, cwd=folder, timeout=60, **user)
    return standby.start()


def replayed(primary, standby):
    end = primary.value("SELECT pg_current_wal_flush_lsn()::text")
    wait_until(lambda: standby.value("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", (end,)), 30, "the standby")


def read_some(pg, folder):
    """A node that has read a snapshot and a change, and was stopped."""
    pg.query("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    node = Driven(pg, "postgres", folder)
    with node:
        node.wait_rows(2)
        pg.query("INSERT INTO t VALUES (3, 'c')")
        node.wait_rows(3)
        node.stop()
    return node


def refused(node, code, *words):
    node.start()
    ended = node.wait_end(60)
    assert ended == code, f"ended with {ended}: {node.error()}"
    for word in words:
        assert word in node.error(), f"{word!r} is not in {node.error()}"
    assert len(node.rows()) == 3, node.rows()


def test_a_promoted_standby_is_refused(work):
    with Postgres(f"{work}/primary") as primary:
        node = read_some(primary, f"{work}/node")
        with standby_of(primary, f"{work}/standby") as standby:
            primary.query("INSERT INTO t VALUES (4, 'd')")
            replayed(primary, standby)
            node.options["port"] = standby.port
            refused(node, TRANSIENT, "LEAT-G0101", "standby")
            primary.stop("immediate")
            standby.query("SELECT pg_promote()")
            wait_until(lambda: not standby.value("SELECT pg_is_in_recovery()"), 30, "the promotion")
            standby.query("INSERT INTO t VALUES (5, 'e')")
            refused(node, FATAL, "LEAT-G0205", "timeline 1", "timeline 2", "failover", "--forget-state pg")
            assert standby.query(SLOTS) == []
            # not even where somebody made a slot of that name
            standby.query("SELECT pg_create_logical_replication_slot('leat_slot', 'pgoutput')")
            refused(node, FATAL, "LEAT-G0205", "timeline 2")
            # the way out that it names: another state and the new server's own slot
            standby.query("SELECT pg_drop_replication_slot('leat_slot')")
            with Driven(standby, "postgres", f"{work}/anew") as anew:
                anew.wait_table(standby, "postgres", "SELECT id::text, v FROM t")
                anew.stop()


def test_a_restored_backup_is_refused(work):
    """A cold copy has system identifier, timeline and even the slot; its log ends before our position."""
    with Postgres(f"{work}/pg") as pg:
        node = read_some(pg, f"{work}/node")
        pg.stop()
        subprocess.run(["cp", "-a", pg.data, f"{work}/backup"], check=True)
        shutil.copy(f"{node.folder}/state", f"{work}/old-state")
        pg.start()
        pg.query("INSERT INTO t VALUES (4, 'd')")
        with node:
            node.wait_rows(4)
            node.stop()
        os.truncate(f"{node.folder}/rows", 0)
        with open(f"{node.folder}/rows", "w") as rows:
            rows.write("".join(f"public.t\x1f+I\x1f{i}\x1fx\x1e\n" for i in range(3)))
        shutil.copy(f"{node.folder}/state", f"{work}/new-state")
        # an old checkpoint: the slot has gone on
        shutil.copy(f"{work}/old-state", f"{node.folder}/state")
        refused(node, FATAL, "LEAT-G0204", "beyond the checkpoint")
        # an old server: its log is shorter than the position
        pg.stop()
        shutil.rmtree(pg.data)
        os.rename(f"{work}/backup", pg.data)
        pg.start()
        shutil.copy(f"{work}/new-state", f"{node.folder}/state")
        refused(node, FATAL, "LEAT-G0205", "beyond the end of the server's log", "restore")
        # and it fits its own checkpoint: a backup of both goes on
        shutil.copy(f"{work}/old-state", f"{node.folder}/state")
        pg.query("INSERT INTO t VALUES (5, 'e')")
        with node:
            assert node.wait_rows(4)[3] == ("+I", ["5", "e"])
            node.stop()
