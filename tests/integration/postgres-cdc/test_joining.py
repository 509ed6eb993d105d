# SPDX-License-Identifier: Apache-2.0
"""Tables that join a slot which is already read, while a transaction that is older than their publication is open."""
import os
import signal
import time

from driven import Driven
from leattest import wait_until

TIMEOUT = 120
QUERY = "SELECT id::text, v FROM u"


def create(pg, db):
    for name in "tu":
        pg.query(f"CREATE TABLE {name} (id int PRIMARY KEY, v text); INSERT INTO {name} VALUES (1, 'a')", database=db)


def older(pg, db):
    """A transaction that has written to u and is open."""
    connection = pg.connect(db, autocommit=False)
    connection.cursor().execute("INSERT INTO u VALUES (2, 'of an older transaction')")
    return connection


def begun(pg, db, work, unique):
    """A node that has read t and was stopped; then u is added."""
    node = Driven(pg, db, f"{work}/node", slot=unique("slot"))
    with node:
        node.wait_rows(1)
        node.stop()
    node.options["table-name"] = "t|u"
    return node


def commits_late(pg, db, node, transaction):
    """The node waits for the transaction, and has its row in the end."""
    with node:
        time.sleep(1)
        assert node.running() and not node.rows("public.u"), node.error()
        transaction.commit()
        node.wait_table(pg, db, QUERY, port="public.u")
        pg.query("INSERT INTO u VALUES (3, 'later'); DELETE FROM u WHERE id = 1", database=db)
        node.wait_table(pg, db, QUERY, port="public.u")
        node.stop()
    transaction.close()


def test_killed_between_the_publication_and_the_wait(pg, db, work, unique):
    create(pg, db)
    node = begun(pg, db, work, unique)
    transaction = older(pg, db)
    for point in ("pgcdc-after-publication", "pgcdc-in-wait", "pgcdc-in-wait:3"):
        node.fault = point
        assert node.start().wait_end() == -signal.SIGKILL, point
    node.fault = None
    commits_late(pg, db, node, transaction)


def test_table_that_was_published_by_hand(pg, db, work, unique):
    create(pg, db)
    node = begun(pg, db, work, unique)
    node.options["publication.autocreate.mode"] = "disabled"
    transaction = older(pg, db)
    pg.query(f"ALTER PUBLICATION {node.options['slot.name']} ADD TABLE u", database=db)
    commits_late(pg, db, node, transaction)


def test_slot_that_is_taken_over(pg, db, work, unique):
    create(pg, db)
    for by_hand in (False, True):
        slot = unique("hand" if by_hand else "ours")
        pg.query("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,), database=db)
        transaction = older(pg, db)
        if by_hand:
            pg.query(f"CREATE PUBLICATION {slot} FOR TABLE t, u", database=db)
        node = Driven(pg, db, f"{work}/{slot}", tables="t|u", slot=slot, **{"slot.reuse": "snapshot"})
        for point in ("pgcdc-in-wait",) if by_hand else ("pgcdc-after-publication", "pgcdc-in-wait:2"):
            node.fault = point
            assert node.start().wait_end() == -signal.SIGKILL, point
        node.fault = None
        commits_late(pg, db, node, transaction)
        pg.query("TRUNCATE u; INSERT INTO u VALUES (1, 'a')", database=db)


def test_marker_that_cannot_be_written(pg, db, work, unique):
    create(pg, db)
    node = Driven(pg, db, f"{work}/node", slot=unique("slot"))
    os.mkdir(f"{node.folder}/postgres-cdc.pg.slot")
    assert node.start().wait_end() == 4
    assert "LEAT-G0208" in node.error() and "postgres-cdc.pg.slot" in node.error() and "directory" in node.error(), node.error()
    os.rmdir(f"{node.folder}/postgres-cdc.pg.slot")
    with node:
        wait_until(lambda: node.rows(), 10, "the row")
        node.stop()
