# SPDX-License-Identifier: Apache-2.0
"""What rows come out: kinds, keys, large values, types, TRUNCATE, ALTER TABLE."""
from driven import Driven
from leattest import wait_until

TIMEOUT = 120


def driven(pg, db, work, unique, **more):
    return Driven(pg, db, f"{work}/node", slot=unique("slot"), **more)


def test_upsert_kinds_with_the_default_identity(pg, db, work, unique):
    pg.query("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, NULL)", database=db)
    with driven(pg, db, work, unique) as node:
        assert sorted(node.wait_rows(2)) == [("+I", ["1", "a"]), ("+I", ["2", "NULL"])]
        pg.query("INSERT INTO t VALUES (3, 'c'); UPDATE t SET v = 'b' WHERE id = 1; UPDATE t SET id = 4 WHERE id = 3; "
                 "DELETE FROM t WHERE id = 4", database=db)
        assert node.wait_rows(7)[2:] == [("+I", ["3", "c"]), ("+U", ["1", "b"]), ("-D", ["3", "ABSENT"]),
                                         ("+I", ["4", "c"]), ("-D", ["4", "ABSENT"])]
        node.stop()


def test_all_kinds_with_identity_full(pg, db, work, unique):
    pg.query("CREATE TABLE t (id int PRIMARY KEY, v text); ALTER TABLE t REPLICA IDENTITY FULL; "
             "INSERT INTO t VALUES (1, 'a')", database=db)
    with driven(pg, db, work, unique) as node:
        node.wait_rows(1)
        pg.query("UPDATE t SET v = 'b'; UPDATE t SET id = 2; DELETE FROM t", database=db)
        assert node.wait_rows(6)[1:] == [("-U", ["1", "a"]), ("+U", ["1", "b"]), ("-D", ["1", "b"]), ("+I", ["2", "b"]),
                                         ("-D", ["2", "b"])]
        node.stop()


def test_keys_that_move_within_one_statement(pg, db, work, unique):
    pg.query("CREATE TABLE t (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v int); "
             "INSERT INTO t SELECT i, i FROM generate_series(1, 10000) i", database=db)
    pg.query("ALTER TABLE t REPLICA IDENTITY FULL", database=db)
    with driven(pg, db, work, unique) as node:
        node.wait_rows(10000)
        pg.query("UPDATE t SET id = id + 1", database=db)
        rows = node.wait_rows(30000)[10000:]
        assert {kind for kind, _ in rows} == {"-D", "+I"}
        # applied as a signed multiset
        count = {}
        for kind, row in node.rows():
            count[tuple(row)] = count.get(tuple(row), 0) + (1 if kind == "+I" else -1)
        assert sorted((int(k[0]), int(k[1])) for k, n in count.items() if n) == [(i + 1, i) for i in range(1, 10001)]
        node.stop()


def test_large_value_that_an_update_left_out_is_fetched(pg, db, work, unique):
    pg.query("CREATE TABLE t (id int PRIMARY KEY, n int, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL; "
             "INSERT INTO t VALUES (1, 0, repeat('x', 9000)), (2, 0, repeat('y', 9000))", database=db)
    with driven(pg, db, work, unique) as node:
        node.wait_rows(2)
        pg.query("UPDATE t SET n = 1", database=db)
        rows = node.wait_rows(4)[2:]
        assert sorted(rows) == [("+U", ["1", "1", "x" * 9000]), ("+U", ["2", "1", "y" * 9000])]
        node.stop()
        # and with a restart between
        pg.query("UPDATE t SET n = 2 WHERE id = 1; UPDATE t SET n = 2 WHERE id = 2; DELETE FROM t WHERE id = 2",
                 database=db)
        node.start()
        rows = node.wait_rows(6)[4:]
        assert rows == [("+U", ["1", "2", "x" * 9000]), ("-D", ["2", "ABSENT", "ABSENT"])], rows[1][1][:2]
        node.stop()


def test_large_value_under_identity_full_comes_from_the_old_row(pg, db, work, unique):
    pg.query("CREATE TABLE t (id int PRIMARY KEY, n int, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL; "
             "ALTER TABLE t REPLICA IDENTITY FULL; INSERT INTO t VALUES (1, 0, repeat('x', 9000))", database=db)
    with driven(pg, db, work, unique, **{"unchanged.toast": "fail"}) as node:
        node.wait_rows(1)
        pg.query("UPDATE t SET n = 1", database=db)
        assert node.wait_rows(3)[1:] == [("-U", ["1", "0", "x" * 9000]), ("+U", ["1", "1", "x" * 9000])]
        node.stop()


TYPES = (
    ("boolean", "true", "TRUE"), ("smallint", "-5", "-5"), ("integer", "7", "7"),
    ("bigint", "9223372036854775807", "9223372036854775807"), ("real", "1.5", "1.5"), ("double precision", "-0.1", "-0.1"),
    ("numeric(10,2)", "5999", "5999.00"), ("numeric", "1.25", "1.250000000000000000"), ("text", "a\\b\tc\nd", "a\\b\tc\nd"),
    ("varchar(20)", "沙发", "沙发"), ("char(3)", "x", "x  "), ("date", "1969-12-31", "1969-12-31"),
    ("time(6)", "23:59:59.000001", "23:59:59.000001"), ("timestamp(3)", "2025-07-11 17:25:55.145", "2025-07-11 17:25:55.145"),
    ("timestamptz", "2025-07-11 17:25:55+08", "2025-07-11 09:25:55.000000"), ("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
     "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), ("inet", "10.0.0.1/8", "10.0.0.1/8"), ("jsonb", '{"a": [1, 2]}', '{"a": [1, 2]}'),
    ("mood", "happy", "happy"), ("money2", "12.5", "12.50"), ("interval", "1 day 02:03:04", "1 day 02:03:04"),
)


def test_types_are_the_same_in_snapshot_and_stream(pg, db, work, unique):
    columns = ", ".join(f"c{i} {name}" for i, (name, _, _) in enumerate(TYPES))
    pg.query("CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN money1 AS numeric(12,2); "
             f"CREATE DOMAIN money2 AS money1; CREATE TABLE t (id int PRIMARY KEY, {columns})", database=db)
    marks = ", ".join(["%s"] * (len(TYPES) + 1))
    pg.query(f"INSERT INTO t VALUES ({marks})", [1] + [text for _, text, _ in TYPES], database=db)
    with driven(pg, db, work, unique) as node:
        node.wait_rows(1)
        pg.query(f"INSERT INTO t VALUES ({marks})", [2] + [text for _, text, _ in TYPES], database=db)
        pg.query("INSERT INTO t (id) VALUES (3)", database=db)
        first, second, nulls = [row for _, row in node.wait_rows(3)]
        assert first[1:] == second[1:]
        node.stop()
        for (name, _, want), got in zip(TYPES, first[1:]):
            assert got.upper() == want.upper() if name == "boolean" else got.startswith(want), f"{name}: {got!r}"
        assert nulls[1:] == ["NULL"] * len(TYPES)


def test_values_without_a_place_stop_at_the_row(pg, db, work, unique):
    for number, (kind, value) in enumerate((("numeric", "NaN"), ("timestamp", "infinity"), ("date", "0044-03-15 BC"),
                                            ("numeric", "1e30"), ("time", "24:00:00"))):
        table = f"bad{number}"
        pg.query(f"CREATE TABLE {table} (id int PRIMARY KEY, v {kind})", database=db)
        node = Driven(pg, db, f"{work}/{table}", tables=table, slot=unique(table))
        with node:
            pg.query(f"INSERT INTO {table} VALUES (1, NULL)", database=db)
            node.wait_rows(1)
            pg.query(f"INSERT INTO {table} VALUES (2, %s)", (value,), database=db)
            assert node.wait_end() == 3
            assert "LEAT-G0304" in node.error() and table in node.error(), node.error()
            assert len(node.rows()) == 1


def test_truncate(pg, db, work, unique):
    pg.query("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)", database=db)
    with driven(pg, db, work, unique) as node:
        node.wait_rows(1)
        pg.query("INSERT INTO t VALUES (2)", database=db)
        pg.query("TRUNCATE t", database=db)
        assert node.wait_end() == 5
        assert "LEAT-G0303" in node.error()
        node.start()
        assert node.wait_end() == 5, "the position must stay before the TRUNCATE"
        node.options["on-truncate"] = "ignore"
        node.start()
        pg.query("INSERT INTO t VALUES (3)", database=db)
        wait_until(lambda: node.table().get(("3",)), 10, "the row behind the TRUNCATE")
        node.stop()


def test_truncate_as_deletes(pg, db, work, unique):
    pg.query("CREATE TABLE t (a int, b text, v int, PRIMARY KEY (b, a)); "
             "INSERT INTO t SELECT i, 'key ' || i, i FROM generate_series(1, 20000) i", database=db)
    query = "SELECT a::text, b, v::text FROM t"
    with driven(pg, db, work, unique, **{"on-truncate": "delete"}) as node:
        node.wait_rows(20000)
        pg.query("DELETE FROM t WHERE a % 3 = 0; UPDATE t SET a = -a WHERE a % 3 = 1", database=db)
        node.wait_table(pg, db, query, key=(0, 1))
        node.stop()  # the keys are in the state
        pg.query("BEGIN; INSERT INTO t VALUES (1, 'new', 1); TRUNCATE t; INSERT INTO t VALUES (2, 'new', 2); COMMIT", database=db)
        node.start()
        node.wait_table(pg, db, query, key=(0, 1))
        assert node.rows()[-1] == ("+I", ["2", "new", "2"])
        assert sum(kind == "-D" for kind, _ in node.rows()[-13336:-1]) == 13335
        pg.query("TRUNCATE t", database=db)
        node.wait_table(pg, db, query, key=(0, 1))
        node.kill()  # wherever that is
        node.start()
        pg.query("INSERT INTO t VALUES (3, 'c', 3)", database=db)
        node.wait_table(pg, db, query, key=(0, 1))
        node.stop()
    late = Driven(pg, db, f"{work}/late", slot=unique("late"))
    with late:
        late.wait_rows(1)
        late.stop()
    late.options["on-truncate"] = "delete"
    with late:
        assert late.wait_end() == 1 and "LEAT-G0308" in late.error()


def test_added_column_is_left_out_until_a_restart(pg, db, work, unique):
    pg.query("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')", database=db)
    with driven(pg, db, work, unique) as node:
        node.wait_rows(1)
        pg.query("ALTER TABLE t ADD w int DEFAULT 7", database=db)
        pg.query("INSERT INTO t VALUES (2, 'b', 8)", database=db)
        assert node.wait_rows(2)[1] == ("+I", ["2", "b"])
        node.stop()
        pg.query("INSERT INTO t VALUES (3, 'c', 9)", database=db)
        node.start()
        assert node.wait_rows(3)[2] == ("+I", ["3", "c", "9"])
        node.stop()


def test_rows_from_before_a_column_was_added_while_down(pg, db, work, unique):
    pg.query("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')", database=db)
    with driven(pg, db, work, unique) as node:
        node.wait_rows(1)
        node.stop()
        pg.query("INSERT INTO t VALUES (2, 'b')", database=db)
        pg.query("ALTER TABLE t ADD w int DEFAULT 7", database=db)
        pg.query("INSERT INTO t VALUES (3, 'c', 8)", database=db)
        node.start()
        assert node.wait_rows(3)[1:] == [("+I", ["2", "b", "7"]), ("+I", ["3", "c", "8"])]
        node.stop()


def test_lost_columns_stop_before_their_first_row(pg, db, work, unique):
    changes = {"dropped": "DROP v", "renamed": "RENAME v TO w", "retyped": "ALTER v TYPE bigint USING 1",
               "wider": "ALTER v TYPE varchar(30)"}
    for name, change in changes.items():
        pg.query(f"CREATE TABLE {name} (id int PRIMARY KEY, v varchar(20)); INSERT INTO {name} VALUES (1, 'a')", database=db)
        with Driven(pg, db, f"{work}/{name}", tables=name, slot=unique(name)) as node:
            node.wait_rows(1)
            pg.query(f"INSERT INTO {name} VALUES (2, 'b')", database=db)
            pg.query(f"ALTER TABLE {name} {change}", database=db)
            pg.query(f"INSERT INTO {name} VALUES (3)", database=db)
            assert node.wait_end() == 5, name
            assert "LEAT-G0302" in node.error() and '"v"' in node.error(), node.error()
            assert len(node.rows()) == 2, name
