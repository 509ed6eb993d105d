# SPDX-License-Identifier: Apache-2.0
"""A table that was not published for a while looks as before, but changes of meanwhile were not told: that is noticed."""
from driven import Driven
from leattest import wait_until

TIMEOUT = 120
FATAL = 5
BACK = {"whole": ("DROP TABLE {t}", "ADD TABLE {t}"), "kinds": ("SET (publish = 'insert')",
                                                               "SET (publish = 'insert,update,delete,truncate')")}


def create(pg, db, name):
    pg.query(f"CREATE TABLE {name} (id int PRIMARY KEY, v text); INSERT INTO {name} VALUES (1, 'a'), (2, 'b')", database=db)


def alter(pg, db, node, table, changes):
    for change in changes:
        pg.query(f"ALTER PUBLICATION {node.options['slot.name']} {change.format(t=table)}", database=db)
        pg.query(f"DELETE FROM {table} WHERE id = 1", database=db)


def test_gap_while_down(pg, db, work, unique):
    for name, changes in BACK.items():
        create(pg, db, name)
        node = Driven(pg, db, f"{work}/{name}", tables=name, slot=unique(name))
        with node:
            node.wait_rows(2)
            node.stop()
        alter(pg, db, node, name, changes)
        for _ in range(2):
            assert node.start().wait_end() == FATAL
            assert "LEAT-G0201" in node.error() and "may not have been told" in node.error(), node.error()
            assert "--forget-state" in node.error() and "slot.reuse" in node.error(), node.error()
        # the way on for one who knows better
        node = Driven(pg, db, f"{work}/{name}_on", tables=name, slot=node.options["slot.name"], **{"slot.reuse": "continue"})
        with node:
            pg.query(f"INSERT INTO {name} VALUES (3, 'c')", database=db)
            wait_until(lambda: ("+I", ["3", "c"]) in node.rows(), 10, "the new row")
            node.stop()


def test_gap_while_it_is_read(pg, db, work, unique):
    for name, changes in BACK.items():
        create(pg, db, name)
        with Driven(pg, db, f"{work}/{name}", tables=name, slot=unique(name), **{"heartbeat.interval.ms": "500ms"}) as node:
            node.wait_rows(2)
            alter(pg, db, node, name, changes)
            assert node.wait_end() == FATAL, node.error()
            assert "LEAT-G0201" in node.error() and "was altered" in node.error(), node.error()


def test_what_leaves_no_gap_goes_on(pg, db, work, unique):
    create(pg, db, "t")
    create(pg, db, "other")
    role = unique("role")
    pg.query(f"CREATE ROLE {role} SUPERUSER")
    with Driven(pg, db, f"{work}/node", slot=unique("slot"), **{"heartbeat.interval.ms": "300ms"}) as node:
        name = node.options["slot.name"]
        node.wait_rows(2)
        rows = 2
        for change in (f"ALTER PUBLICATION {name} ADD TABLE other", f"ALTER PUBLICATION {name} SET TABLE t, other",
                       f"ALTER PUBLICATION {name} DROP TABLE other", f"COMMENT ON PUBLICATION {name} IS 'x'",
                       "VACUUM FULL pg_publication_rel", "VACUUM FULL pg_publication", "VACUUM FREEZE pg_publication",
                       "ANALYZE t", "VACUUM FULL t", "CREATE INDEX ON t (v)", f"GRANT SELECT ON t TO {role}",
                       "ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME TO t"):
            pg.query(change, database=db)
            rows += 1
            pg.query(f"INSERT INTO t VALUES ({rows}, 'x')", database=db)
            node.wait_rows(rows)
        node.stop()
        node.start()  # the marks are compared with the saved ones
        pg.query("INSERT INTO t VALUES (98, 'x')", database=db)
        node.wait_rows(rows + 1)
        node.stop()
        assert "another owner" not in node.log(), node.log()
        pg.query(f"ALTER PUBLICATION {name} OWNER TO {role}", database=db)
        node.start()
        wait_until(lambda: "got another owner" in node.log(), 10, "the warning")
        pg.query("INSERT INTO t VALUES (99, 'x')", database=db)
        node.wait_rows(rows + 2)
        node.stop()
    pg.query(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}", database=db)
