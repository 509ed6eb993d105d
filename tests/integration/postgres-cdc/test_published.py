# SPDX-License-Identifier: Apache-2.0
"""Tables that are dropped, made anew, renamed or published in another way, while leat runs and while it does not."""
from driven import Driven
from leattest import Postgres, wait_until

TIMEOUT = 120
CONFIG, FATAL = 1, 5  # exit codes of pgcdc_drive: the classes
QUERY = "SELECT id::text, v FROM t"
BIG = "repeat(md5(id::text), 300)"


def create(pg, db, name="t", rows=2):
    pg.query(f"CREATE TABLE {name} (id int PRIMARY KEY, v text); "
             f"INSERT INTO {name} SELECT i, 'v' || i FROM generate_series(1, {rows}) i", database=db)


def driven(pg, db, work, unique, name="node", **more):
    return Driven(pg, db, f"{work}/{name}", slot=unique(name), **{"heartbeat.interval.ms": "1s", **more})


def ends(node, code, *words):
    ended = node.wait_end()
    assert ended == code, f"ended with {ended}: {node.error()}"
    for word in words:
        assert word in node.error(), f"{word!r} is not in {node.error()}"


def test_table_taken_out_of_the_publication_while_down(pg, db, work, unique):
    create(pg, db)
    node = driven(pg, db, work, unique)
    with node:
        node.wait_rows(2)
        node.stop()
    pg.query(f"ALTER PUBLICATION {node.options['slot.name']} DROP TABLE t", database=db)
    pg.query("INSERT INTO t VALUES (3, 'untold')", database=db)
    for _ in range(2):
        ends(node.start(), FATAL, "LEAT-G0201", "taken out of publication", "--forget-state")


def test_publication_altered_while_it_is_read(pg, db, work, unique):
    changes = ("DROP TABLE {t}", "SET (publish = 'insert')", "SET TABLE {t} WHERE (id > 5)")
    for number, change in enumerate(changes):
        create(pg, db, f"t{number}")
        create(pg, db, f"other{number}")
        with driven(pg, db, work, unique, f"n{number}", tables=f"t{number}|other{number}") as node:
            node.wait_rows(4)
            pg.query(f"ALTER PUBLICATION {node.options['slot.name']} {change.format(t=f't{number}')}", database=db)
            ends(node, FATAL, "LEAT-G0201", "was altered and may not have told all changes of table")


def test_publication_with_a_filter_or_without_columns_is_refused(pg, db, work, unique):
    create(pg, db)
    for number, (what, words) in enumerate((("t WHERE (id > 1)", "filters the rows"), ("t (id)", "leaves out the captured column"))):
        node = driven(pg, db, work, unique, f"n{number}")
        pg.query(f"CREATE PUBLICATION {node.options['slot.name']} FOR TABLE {what}", database=db)
        ends(node.start(), CONFIG, "LEAT-G0201", words)
    node = driven(pg, db, work, unique, "all")
    pg.query(f"CREATE PUBLICATION {node.options['slot.name']} FOR TABLE t (id, v)", database=db)
    with node:
        node.wait_table(pg, db, QUERY)
        node.stop()


def test_table_made_anew_while_down(pg, db, work, unique):
    create(pg, db)
    node = driven(pg, db, work, unique)
    with node:
        node.wait_rows(2)
        node.stop()
    pg.query("INSERT INTO t VALUES (3, 'of the former one'); DROP TABLE t", database=db)
    create(pg, db, rows=1)
    for _ in range(2):
        ends(node.start(), FATAL, "LEAT-G0303", "created anew", 'on-truncate = "ignore"')
    node.options["on-truncate"] = "ignore"
    with node:
        wait_until(lambda: len(node.rows()) == 3, 10, "the new table's row")
        pg.query("INSERT INTO t VALUES (4, 'new')", database=db)
        assert node.wait_rows(4)[2:] == [("+I", ["1", "v1"]), ("+I", ["4", "new"])]
        node.stop()


def test_table_made_anew_while_it_is_read(pg, db, work, unique):
    create(pg, db, "t")
    create(pg, db, "a")
    every = driven(pg, db, work, unique, "every", tables="a")
    pg.query(f"CREATE PUBLICATION {every.options['slot.name']} FOR ALL TABLES", database=db)
    with driven(pg, db, work, unique) as node, every:
        node.wait_rows(2)
        every.wait_rows(2)
        for name in "ta":
            pg.query(f"BEGIN; DROP TABLE {name}; CREATE TABLE {name} (id int PRIMARY KEY, v text); "
                     f"INSERT INTO {name} VALUES (3, 'new'); COMMIT", database=db)
        ends(node, FATAL, "LEAT-G0201", "was dropped")
        assert every.wait_end() == FATAL and "a" in every.error()
        assert len(every.rows()) == 2
        ends(node.start(), FATAL, "LEAT-G0303")
        ends(every.start(), FATAL, "LEAT-G0303")


def test_table_of_the_same_name_takes_the_place_of_a_renamed_one(pg, db, work, unique):
    create(pg, db)
    node = driven(pg, db, work, unique)
    with node:
        node.wait_rows(2)
        node.stop()
    create(pg, db, "t_new", rows=5)
    pg.query("ALTER TABLE t RENAME TO t_old; ALTER TABLE t_new RENAME TO t", database=db)
    ends(node.start(), FATAL, "LEAT-G0303", "renamed")


def test_table_that_is_renamed(pg, db, work, unique):
    create(pg, db)
    node = driven(pg, db, work, unique)
    with node:
        node.wait_rows(2)
        pg.query("ALTER TABLE t RENAME TO u", database=db)
        pg.query("INSERT INTO u VALUES (3, 'under another name')", database=db)
        ends(node, FATAL, "LEAT-G0302", 'table "public.t" was renamed', "Name it back")
    pg.query("ALTER TABLE u RENAME TO t", database=db)
    with node:
        node.wait_table(pg, db, QUERY)
        node.stop()
    # and there and back while down
    pg.query("ALTER TABLE t RENAME TO u", database=db)
    pg.query("INSERT INTO u VALUES (4, 'under another name'); DELETE FROM u WHERE id = 1", database=db)
    pg.query("ALTER TABLE u RENAME TO t", database=db)
    with node:
        node.wait_table(pg, db, QUERY)
        node.stop()


def test_partitions_and_their_root(pg, db, work, unique):
    pg.query("CREATE TABLE root (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); "
             "CREATE TABLE t PARTITION OF root FOR VALUES FROM (0) TO (100); "
             "CREATE TABLE t2 PARTITION OF root FOR VALUES FROM (100) TO (200); INSERT INTO root VALUES (1, 'a'), (101, 'b')",
             database=db)
    node = driven(pg, db, work, unique, "by_root")
    pg.query(f"CREATE PUBLICATION {node.options['slot.name']} FOR TABLE root WITH (publish_via_partition_root = true)", database=db)
    ends(node.start(), CONFIG, "LEAT-G0201", "under the name of their root")
    pg.query(f"ALTER PUBLICATION {node.options['slot.name']} SET (publish_via_partition_root = false)", database=db)
    with node:
        pg.query("INSERT INTO root VALUES (2, 'c'), (102, 'd'); UPDATE root SET id = 103 WHERE id = 1", database=db)
        node.wait_table(pg, db, QUERY)
        pg.query(f"ALTER PUBLICATION {node.options['slot.name']} SET (publish_via_partition_root = true)", database=db)
        ends(node, FATAL, "LEAT-G0201", "was altered")


def test_tables_of_one_name_in_two_schemas(pg, db, work, unique):
    pg.query("CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t (id int PRIMARY KEY, v text); "
             "CREATE TABLE b.t (id int PRIMARY KEY, v text); INSERT INTO a.t VALUES (1, 'a'); INSERT INTO b.t VALUES (1, 'b')",
             database=db)
    with driven(pg, db, work, unique, schema="a|b", **{"on-truncate": "delete"}) as node:
        node.wait_rows(2)
        pg.query("UPDATE a.t SET v = 'c'; INSERT INTO b.t VALUES (2, 'd'); TRUNCATE a.t; INSERT INTO a.t VALUES (3, 'e')",
                 database=db)
        node.wait_table(pg, db, "SELECT id::text, v FROM a.t", port="a.t")
        node.wait_table(pg, db, "SELECT id::text, v FROM b.t", port="b.t")
        node.stop()


def test_replica_identity_changed_while_it_is_read(pg, db, work, unique):
    pg.query(f"CREATE TABLE t (id int PRIMARY KEY, v text, n int NOT NULL UNIQUE); ALTER TABLE t ALTER v SET STORAGE EXTERNAL; "
             f"INSERT INTO t SELECT id, {BIG}, id FROM generate_series(1, 3) id", database=db)
    query = "SELECT id::text, v, n::text FROM t"
    with driven(pg, db, work, unique) as node:
        node.wait_rows(3)
        for identity in ("FULL", "DEFAULT", "FULL"):
            pg.query(f"UPDATE t SET n = n + 10; ALTER TABLE t REPLICA IDENTITY {identity}; UPDATE t SET n = n + 10; "
                     "UPDATE t SET id = id + 1 WHERE n % 10 = 3", database=db)
            node.wait_table(pg, db, query)
        pg.query("ALTER TABLE t REPLICA IDENTITY USING INDEX t_n_key", database=db)
        pg.query("UPDATE t SET id = id + 10", database=db)
        ends(node, FATAL, "LEAT-G0302", '"id"', "taken out of the replica identity")
        pg.query("ALTER TABLE t REPLICA IDENTITY DEFAULT", database=db)
        ends(node.start(), FATAL, "LEAT-G0302", "--forget-state")


def test_identity_full_taken_away(pg, db, work, unique):
    create(pg, db)
    pg.query("ALTER TABLE t REPLICA IDENTITY FULL", database=db)
    with driven(pg, db, work, unique) as node:
        node.wait_rows(2)
        pg.query("ALTER TABLE t REPLICA IDENTITY DEFAULT", database=db)
        pg.query("UPDATE t SET v = 'x'", database=db)
        ends(node, FATAL, "LEAT-G0104", "REPLICA IDENTITY FULL")


def test_another_primary_key_with_saved_keys(pg, db, work, unique):
    pg.query("CREATE TABLE t (id int PRIMARY KEY, v text, n int NOT NULL UNIQUE); INSERT INTO t VALUES (1, 'a', 11), (2, 'b', 12)",
             database=db)
    with driven(pg, db, work, unique, **{"on-truncate": "delete"}) as node:
        node.wait_rows(2)
        node.stop()
        pg.query("ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (n)", database=db)
        pg.query("TRUNCATE t", database=db)
        for _ in range(2):
            ends(node.start(), FATAL, "LEAT-G0308", "of other columns", "--forget-state")


def test_prepared_transactions(work, unique):
    with Postgres(f"{work}/pg", settings={"max_prepared_transactions": "10"}) as pg:
        db = "postgres"
        for name in "tu":
            pg.query(f"CREATE TABLE {name} (id int PRIMARY KEY, v text, n int); ALTER TABLE {name} ALTER v SET STORAGE EXTERNAL; "
                     f"INSERT INTO {name} SELECT id, {BIG}, 0 FROM generate_series(1, 3) id", database=db)
        query = "SELECT id::text, v, n::text FROM {}"
        node = driven(pg, db, work, unique)
        with node:
            node.wait_rows(3)
            pg.query("BEGIN; UPDATE t SET n = 1 WHERE id = 1; UPDATE t SET id = 12 WHERE id = 2; PREPARE TRANSACTION 'one'")
            pg.query("UPDATE t SET n = 2 WHERE id = 3")
            wait_until(lambda: node.table().get(("3",), ["", "", ""])[2] == "2", 10, "the row beside it")
            assert node.table()[("1",)][2] == "0"
            node.kill()
            node.start()
            pg.query("COMMIT PREPARED 'one'")
            node.wait_table(pg, db, query.format("t"))
            node.stop()
        pg.query("BEGIN; INSERT INTO u VALUES (4, 'prepared', 0); PREPARE TRANSACTION 'two'")
        node.options["table-name"] = "t|u"
        with node:
            try:
                wait_until(lambda: node.rows("public.u"), 1.5, "a row too early")
                raise AssertionError("did not wait for the prepared transaction")
            except TimeoutError:
                pg.query("COMMIT PREPARED 'two'")
            node.wait_table(pg, db, query.format("u"), port="public.u")
            node.stop()
