# SPDX-License-Identifier: Apache-2.0
"""ALTER TABLE: what changes values that are not in the server's log is said, whether leat was running or not."""
from contextlib import contextmanager

from driven import Driven
from leattest import wait_until

TIMEOUT = 120
COLUMNS = "id int PRIMARY KEY, v text, w text, n numeric(10,2), ts timestamp(3), i interval, c varchar(9)"
ROW = "1, 'v1', 'w1', 1.26, '2020-01-01 00:00:00.6', '1.6 s', 'abc  '"


def create(pg, db, name):
    pg.query(f"CREATE TABLE {name} ({COLUMNS}); INSERT INTO {name} VALUES ({ROW})", database=db)


@contextmanager
def started(pg, db, work, unique, name):
    with Driven(pg, db, f"{work}/{name}", tables=name, slot=unique(name)) as node:
        node.wait_rows(1)
        yield node


# what rewrites values: the change, the column that is named, what it is said to be
REWRITES = {
    "time": ("ALTER ts TYPE timestamp(0)", "ts", "precision"), "scale": ("ALTER n TYPE numeric(10,1)", "n", "scale"),
    "interval": ("ALTER i TYPE interval(0)", "i", "precision"), "cut": ("ALTER c TYPE varchar(3)", "c", "length"),
    "computed": ("ALTER v TYPE varchar(50) USING upper(v)", "v", "type"),
    "again": ("DROP v, ADD v text", "v", "dropped and added again"),
}


def test_values_that_are_rewritten_stop_the_job(pg, db, work, unique):
    for name, (change, column, how) in REWRITES.items():
        name = "r_" + name
        create(pg, db, name)
        with started(pg, db, work, unique, name) as node:
            for part in (f"INSERT INTO {name} (id) VALUES (2)", f"ALTER TABLE {name} {change}", f"INSERT INTO {name} (id) VALUES (3)"):
                pg.query(part, database=db)
            assert node.wait_end() == 5, name
            assert "LEAT-G0302" in node.error() and f'column "{column}"' in node.error() and how in node.error(), node.error()
            assert len(node.rows()) == 2
            node.start()  # the way on: nothing is left out, and it is said that old values stay
            node.wait_rows(3)
            node.stop()
            assert f'column "{column}" of table "public.{name}"' in node.log() and "column-altered" in node.log(), node.log()


def test_harmless_changes_go_on(pg, db, work, unique):
    create(pg, db, "t")
    with started(pg, db, work, unique, "t") as node:
        for i, change in enumerate(("ALTER n TYPE numeric(8,2)", "ALTER v SET DEFAULT 'x'", "ALTER w SET NOT NULL",
                                    "ALTER w SET STATISTICS 10")):
            pg.query(f"ALTER TABLE t {change}; INSERT INTO t (id, w) VALUES ({i + 2}, 'w')", database=db)
            node.wait_rows(i + 2)
        node.stop()
        node.start()
        pg.query("INSERT INTO t (id, w) VALUES (9, 'w')", database=db)
        node.wait_rows(6)
        node.stop()
        assert "column-altered" not in node.log(), node.log()


def test_columns_that_are_swapped_are_named(pg, db, work, unique):
    create(pg, db, "t")
    with started(pg, db, work, unique, "t") as node:
        pg.query("ALTER TABLE t RENAME v TO x; ALTER TABLE t RENAME w TO v; ALTER TABLE t RENAME x TO w; "
                 "INSERT INTO t (id) VALUES (2)", database=db)
        assert node.wait_end() == 5
        assert 'column "v" of table "public.t" was dropped and added again, or its name given' in node.error(), node.error()


def test_what_was_altered_while_down_is_said(pg, db, work, unique):
    changes = {"swap": ("RENAME v TO x| RENAME w TO v| RENAME x TO w", "took the name of another one|was renamed", "vw"),
               "again": ("DROP v, ADD v text", "was dropped and added again", "v"),
               "retype": ("ALTER v TYPE varchar(50)", "was given another type", "v"),
               "round": ("ALTER ts TYPE timestamp(0)", "was given another type, length or precision", ["ts"]),
               "new": ("ADD z int DEFAULT 7", "was added", "z"), "named": ("RENAME v TO y", "was renamed", "y")}
    for name, (change, how, columns) in changes.items():
        name = "d_" + name
        create(pg, db, name)
        with started(pg, db, work, unique, name) as node:
            node.stop()
            pg.query(f"INSERT INTO {name} (id, v) VALUES (2, 'of before')", database=db)
            for part in change.split("|"):
                pg.query(f"ALTER TABLE {name} {part}", database=db)
            pg.query(f"INSERT INTO {name} (id) VALUES (3)", database=db)
            node.start()
            wait_until(lambda: "column-altered" in node.log(), 10, "the warning")
            for column in columns:
                assert any(f'column "{column}" of table "public.{name}" {text}' in node.log() for text in how.split("|")), node.log()
            node.kill()


def test_rows_of_a_text_that_became_a_short_one_while_down(pg, db, work, unique):
    create(pg, db, "t")
    with started(pg, db, work, unique, "t") as node:
        node.stop()
        pg.query("INSERT INTO t (id, v, c) VALUES (2, 'short', 'abc'); ALTER TABLE t ALTER v TYPE varchar(50), ALTER c TYPE varchar(3); "
                 "UPDATE t SET v = 'later' WHERE id = 1", database=db)
        node.start()
        node.wait_rows(3)
        pg.query("INSERT INTO t (id, v) VALUES (4, 'last')", database=db)
        assert [row[1] for _, row in node.wait_rows(4)[1:]] == ["short", "later", "last"]
        node.stop()
        pg.query("UPDATE t SET v = repeat('é', 50) WHERE id = 2; UPDATE t SET v = 'x' WHERE id = 2; "
                 "ALTER TABLE t ALTER v TYPE varchar(49)", database=db)
        node.start()
        assert node.wait_end() == 3, node.error()
        assert "LEAT-G0304" in node.error() and "the text is longer" in node.error(), node.error()


def test_added_columns_are_named(pg, db, work, unique):
    create(pg, db, "t")
    with started(pg, db, work, unique, "t") as node:
        pg.query('ALTER TABLE t ADD new_one int, ADD "another one" int; INSERT INTO t (id) VALUES (2)', database=db)
        node.wait_rows(2)
        node.stop()
        assert 'table "public.t" has 2 new columns, not read until leat is restarted: "new_one", "another one"' in node.log(), node.log()
