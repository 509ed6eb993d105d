# SPDX-License-Identifier: Apache-2.0
"""Keys of every kind: values fetched by them, keys that PostgreSQL stores out of line, and keys that a TRUNCATE deletes."""
from driven import Driven
from leattest import wait_until

TIMEOUT = 120
LARGE = "(SELECT string_agg(md5({}::text || j::text), '') FROM generate_series(1, 288) j)"
# longer than a page and without a pattern, so that it is stored out of line whatever its storage
LONG = ("(SELECT substr(string_agg(encode(sha256((random()::text || j)::bytea), 'base64'), ''), 1, 2500) "
        "FROM generate_series(1, 90) j)")

# Three keys each; where a type cuts or rounds, the first would become the second.
KEYS = (
    ("char(5)", "abc", "a", "xyz"), ("character", "a", "b", "c"), ("bpchar", "abc ", "a", ""), ("bit(4)", "1010", "1000", "0001"),
    ("bit varying(8)", "1010", "1", ""), ("bit", "1", "0", None), ("varchar(5)", "abcde", "a", ""), ("text", "it's", "a\\b\n\t", ""),
    ("name", "abc", "a", '"'), ('"char"', "a", "b", "c"), ("boolean", "t", "f", None), ("smallint", "10", "1", "-1"),
    ("bigint", "9223372036854775807", "1", "-1"), ("oid", "4294967295", "1", "2"), ("real", "1.1", "1", "-0.1"),
    ("double precision", "0.1", "0.30000000000000004", "0.3"), ("numeric", "1.50", "1", "-0.001"),
    ("numeric(10,2)", "1.50", "1", "-0.1"), ("date", "2025-07-11", "1969-12-31", "0001-01-01"),
    ("time(6)", "23:59:59.123456", "23:59:59.123", "0:0"), ("timestamp", "2025-07-11 17:25:55.123456", "2025-07-11 17:25:55.123",
                                                            "2025-07-11"),
    ("timestamptz(6)", "2025-07-11 17:25:55.123456+08", "2025-07-11 17:25:55+08", "2025-07-11 17:25:55+02"),
    ("interval", "1 day 02:03:04.5", "1 day", "-1 mon"), ("timetz", "10:00+02", "10:00+01", "10:00:00.1+02"),
    ("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12", "00000000-0000-0000-0000-000000000000"),
    ("bytea", "\\xdeadbeef", "\\xde", "\\x"), ("inet", "10.0.0.1/8", "10.0.0.1", "::1"), ("jsonb", '{"a": 1}', '"a"', "1"),
    ("int4range", "[1,5)", "[1,4)", "empty"), ("citext", "Abc", "a", "xyz"), ("hstore", '"a"=>"1"', '"a"=>NULL', ""),
    ("mood", "sad", "happy", "so so"), ('other."My.Type"', "it's", "b", "c"), ("fixed", "ab", "a", "b"),
    ("fixed2", "ab", "a", "b"), ("bits", "101", "100", "001"), ("text COLLATE nocase", "Abc", "a", "xyz"),
)


def create_types(pg, db):
    pg.query("CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE SCHEMA other; "
             "CREATE TYPE mood AS ENUM ('sad', 'happy', 'so so'); CREATE TYPE other.\"My.Type\" AS ENUM ('it''s', 'b', 'c'); "
             "CREATE DOMAIN fixed AS char(3); CREATE DOMAIN fixed2 AS fixed; CREATE DOMAIN bits AS bit(3); "
             "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)", database=db)


def test_values_are_fetched_and_deleted_by_keys_of_every_type(pg, db, work, unique):
    create_types(pg, db)
    for number, (kind, *keys) in enumerate(KEYS):
        pg.query(f'CREATE TABLE k{number} ("a ""key"", ünique." {kind} PRIMARY KEY, n int, v text, large text); '
                 f"ALTER TABLE k{number} ALTER large SET STORAGE EXTERNAL", database=db)
        for n, key in enumerate(keys):
            if key is not None:
                cast = "::bit varying" if kind.startswith("bit") else ""
                pg.query(f"INSERT INTO k{number} VALUES (%s{cast}, {n}, 'one', {LARGE.format(n)})", [key], database=db)
    total = sum(key is not None for _, *keys in KEYS for key in keys)
    with Driven(pg, db, f"{work}/node", tables="k.*", slot=unique("slot"), **{"on-truncate": "delete"}) as node:
        node.wait_rows(total)
        for number in range(len(KEYS)):
            pg.query(f"UPDATE k{number} SET v = 'two'", database=db)
        node.wait_rows(2 * total)
        for number, (kind, *_) in enumerate(KEYS):
            rows = node.rows(f"public.k{number}")
            first = {row[0]: (row[1], row[3]) for what, row in rows if what == "+I"}
            then = {row[0]: (row[1], row[3]) for what, row in rows if what == "+U"}
            assert then == first, f"{kind}: {[(key, n) for key, (n, _) in then.items()]}"
        node.stop()
        for number in range(len(KEYS)):
            pg.query(f"TRUNCATE k{number}", database=db)
        node.start()
        node.wait_rows(3 * total)
        for number, (kind, *_) in enumerate(KEYS):
            assert not node.table(f"public.k{number}"), kind
        node.stop()


def test_tables_and_columns_of_any_name(pg, db, work, unique):
    names = ('"a.b"."c"', '"a"."b.c"', '"a"."B.C"', '"ü ""x"""."select"', '"a"."it\'s \\"')
    for number, name in enumerate(names):
        schema = name.split('".')[0] + '"'
        pg.query(f'CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE {name} ("the ""key\\" int PRIMARY KEY, "a.b" text, '
                 f"large text); ALTER TABLE {name} ALTER large SET STORAGE EXTERNAL; "
                 f"INSERT INTO {name} VALUES ({number}, 'one', {LARGE.format(number)})", database=db)
    with Driven(pg, db, f"{work}/node", tables=".*", schema='a|ü "x"|a\\.b', slot=unique("slot")) as node:
        # "a.b".c and a."b.c" would be one input
        assert node.wait_end() == 1 and "a.b.c" in node.error(), node.error()
    pg.query('ALTER TABLE a."b.c" RENAME TO "b.d"', database=db)
    with Driven(pg, db, f"{work}/other", tables=".*", schema='a|ü "x"|a\\.b', slot=unique("slot")) as node:
        node.wait_rows(5)
        for name in names:
            name = name.replace('b.c"', 'b.d"')
            pg.query(f'UPDATE {name} SET "a.b" = \'two\'', database=db)
        for kind, row in node.wait_rows(10)[5:]:
            assert kind == "+U" and row[1] == "two" and len(row[2]) == 9216, row[:2]
        node.stop()


def test_key_that_is_stored_out_of_line(pg, db, work, unique):
    pg.query(f"CREATE TABLE t (url text PRIMARY KEY, v text, w int); INSERT INTO t VALUES ({LONG}, 'one', 1)", database=db)
    pg.query(f"ALTER TABLE t ALTER url SET STORAGE EXTERNAL; INSERT INTO t VALUES ({LONG}, 'one', 2)", database=db)
    query = "SELECT url, v, w::text FROM t"
    with Driven(pg, db, f"{work}/node", slot=unique("slot"), **{"on-truncate": "delete"}) as node:
        node.wait_rows(2)
        pg.query("UPDATE t SET v = 'two'", database=db)
        node.wait_table(pg, db, query)
        pg.query("INSERT INTO t VALUES ('x', 'three', 3); UPDATE t SET v = 'four'; DELETE FROM t WHERE w = 1", database=db)
        node.wait_table(pg, db, query)
        pg.query("UPDATE t SET url = url || 'x' WHERE w = 2", database=db)
        node.wait_table(pg, db, query)
        pg.query("TRUNCATE t", database=db)
        node.wait_table(pg, db, query)
        node.stop()


def test_part_of_a_key_that_is_stored_out_of_line(pg, db, work, unique):
    pg.query("CREATE TABLE t (url text, n int, v text, large text, PRIMARY KEY (url, n)); "
             "ALTER TABLE t ALTER url SET STORAGE EXTERNAL; ALTER TABLE t ALTER large SET STORAGE EXTERNAL; "
             f"INSERT INTO t VALUES ({LONG}, 1, 'one', {LARGE.format(1)}), ({LONG}, 1, 'one', {LARGE.format(2)})", database=db)
    query = "SELECT url, n::text, v, large FROM t"
    with Driven(pg, db, f"{work}/node", slot=unique("slot"), **{"on-truncate": "delete"}) as node:
        node.wait_rows(2)
        pg.query("UPDATE t SET n = 2", database=db)
        node.wait_table(pg, db, query, key=(0, 1))
        pg.query("UPDATE t SET v = 'two', n = 3 WHERE large = (SELECT max(large) FROM t)", database=db)
        node.wait_table(pg, db, query, key=(0, 1))
        pg.query("DELETE FROM t WHERE n = 3", database=db)
        node.wait_table(pg, db, query, key=(0, 1))
        pg.query("TRUNCATE t; INSERT INTO t VALUES ('x', 1, 'last', '')", database=db)
        node.wait_table(pg, db, query, key=(0, 1))
        node.stop()


def test_key_stored_out_of_line_with_other_identities(pg, db, work, unique):
    for name, identity in (("whole", "FULL"), ("wide", "USING INDEX wide_more")):
        pg.query(f"CREATE TABLE {name} (url text NOT NULL PRIMARY KEY, n int NOT NULL, v text); "
                 f"CREATE UNIQUE INDEX {name}_more ON {name} (n, url); ALTER TABLE {name} ALTER url SET STORAGE EXTERNAL; "
                 f"ALTER TABLE {name} REPLICA IDENTITY {identity}; INSERT INTO {name} VALUES ({LONG}, 1, 'one')", database=db)
    with Driven(pg, db, f"{work}/node", tables="whole|wide", slot=unique("slot"), **{"changelog-mode": "upsert"}) as node:
        node.wait_rows(2)
        for name in ("whole", "wide"):
            port, query = f"public.{name}", f"SELECT url, n::text, v FROM {name}"
            for change in ("UPDATE {} SET v = 'two'", "UPDATE {} SET n = 2", "UPDATE {} SET url = 'x' || url",
                           "INSERT INTO {} VALUES ('y', 3, 'y')", "DELETE FROM {} WHERE n = 2"):
                pg.query(change.format(name), database=db)
                node.wait_table(pg, db, query, port=port)
        node.stop()


def test_keys_whose_texts_differ_though_they_are_equal(pg, db, work, unique):
    create_types(pg, db)
    changes = {"numeric": ("1.0", "1.00"), "citext": ("abc", "ABC"), "text COLLATE nocase": ("abc", "ABC"),
               "double precision": ("0", "-0"), "interval": ("1 day", "24:00:00"), "bpchar": ("a", "a ")}
    for number, (kind, (before, after)) in enumerate(changes.items()):
        table, port = f"e{number}", f"public.e{number}"
        pg.query(f"CREATE TABLE {table} (id {kind} PRIMARY KEY, n int, large text); "
                 f"ALTER TABLE {table} ALTER large SET STORAGE EXTERNAL; "
                 f"INSERT INTO {table} VALUES ('{before}', 0, {LARGE.format(1)})", database=db)
        with Driven(pg, db, f"{work}/{table}", tables=table, slot=unique(table), **{"on-truncate": "delete"}) as node:
            node.wait_rows(1)
            pg.query(f"BEGIN; UPDATE {table} SET n = 1; UPDATE {table} SET id = '{after}'; UPDATE {table} SET n = 2; COMMIT",
                     database=db)
            wait_until(lambda: any(row[1] == "2" for _, row in node.rows(port)), 20, f"the last row of {kind}")
            rows = list(node.table(port).values())
            assert len(rows) == 1 and rows[0][1] == "2" and len(rows[0][2]) == 9216, f"{kind}: {rows[0][:2]}"
            pg.query(f"TRUNCATE {table}", database=db)
            wait_until(lambda: not node.table(port), 20, f"an empty table of {kind}")
            node.stop()


def test_a_snapshot_without_a_stream_reads_only_what_is_used(pg, db, work, unique):
    from leattest import Leat
    from leattest.pipeline import cdc_source, head, jdbc_sink
    pg.query("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'); "
             "CREATE TABLE u (id int PRIMARY KEY, n numeric(10,2)); INSERT INTO u VALUES (0, 'NaN'); "
             "CREATE TABLE target (id int PRIMARY KEY, v text)", database=db)
    text = (head("p", "100ms") + cdc_source("pg", pg, db, "t|u", unique("slot"), {"scan.startup.mode": "snapshot"})
            + jdbc_sink("out", "pg.public.t", pg, db, "target", "id"))
    leat = Leat(text, work)
    leat.launch()
    wait_until(lambda: pg.query("SELECT * FROM target", database=db) == [(1, "a")], 20, "the row")
    assert leat.child.wait(timeout=20) == 0, leat.child.log_tail(15)
