# SPDX-License-Identifier: Apache-2.0
"""Lookup joins on a real PostgreSQL: every row once, with what the table held, whatever is killed or late."""
import time

from leattest import Leat, Proxy, wait_until
from leattest.pipeline import cdc_source, head, jdbc_lookup, jdbc_sink, jdbc_url

TIMEOUT = 120

ORDERS = """
[sources.orders]
connector = "datagen"
rows-per-second = {rate}
fields.order_id.kind = "sequence"
fields.order_id.start = 1
fields.order_id.end = {rows}
fields.user_id.min = 1
fields.user_id.max = {users}
fields.user_id.null-rate = {nulls}
seed = 7
[sources.orders.schema]
order_id = "BIGINT"
user_id = "INT"
proc_time = "AS PROCTIME()"
"""
JOINED = """
[operators.joined]
operator = "sql"
query = '''
{query}'''
"""

LEFT = """
SELECT o.order_id, o.user_id, u.name, u.city
FROM orders AS o
LEFT JOIN users FOR SYSTEM_TIME AS OF o.proc_time AS u ON o.user_id = u.user_id"""
INNER = LEFT.replace("LEFT JOIN", "JOIN")

TABLES = """
CREATE TABLE users (user_id bigint PRIMARY KEY, name text, city text);
INSERT INTO users SELECT i, 'user-' || i, CASE WHEN i % 10 <> 0 THEN 'city-' || i % 7 END
FROM generate_series(1, 100) i;
CREATE TABLE joined (order_id bigint PRIMARY KEY, user_id integer, name text, city text)"""

WRONG = """
SELECT count(*) FROM joined j LEFT JOIN users u ON u.user_id = j.user_id
WHERE (j.name, j.city) IS DISTINCT FROM (u.name, u.city)"""


def pipeline(pg, db, query=LEFT, rows=1000, rate=100000, users=120, nulls=0.1, options={}, users_pg=None):
    return (head("lookups", "200ms") + ORDERS.format(rows=rows, rate=rate, users=users, nulls=nulls)
            + lookup("users", users_pg or pg, db, options) + JOINED.format(query=query)
            + jdbc_sink("out", "joined", pg, db, "joined", "order_id"))


def lookup(table, pg, db, options={}):
    return jdbc_lookup(table, pg, db, table, {"url": jdbc_url(pg, db) + "?ApplicationName=leat-lookup"} | options)


def count(pg, db, where="true"):
    return pg.value(f"SELECT count(*) FROM joined WHERE {where}", database=db)


def wait_rows(pg, db, rows, timeout=40):
    wait_until(lambda: count(pg, db) == rows, timeout, lambda: f"{rows} rows, there are {count(pg, db)}")


FOREVER = 10**9


def at_least(pg, db, rows, timeout=40, where="true"):
    wait_until(lambda: count(pg, db, where) >= rows, timeout,
               lambda: f"{rows} rows where {where}, there are {count(pg, db, where)}")


def test_left_join_keeps_misses_and_nulls(work, pg, db):
    pg.query(TABLES, database=db)
    with Leat(pipeline(pg, db, rows=20000), work) as leat:
        leat.wait_end()
    assert count(pg, db) == 20000
    assert pg.value(WRONG, database=db) == 0
    assert count(pg, db, "user_id IS NULL AND name IS NULL") > 1000
    assert count(pg, db, "user_id > 100 AND name IS NULL") > 1000
    assert count(pg, db, "user_id <= 100 AND name IS NULL") == 0


def test_inner_join_leaves_them_out(work, pg, db):
    pg.query(TABLES, database=db)
    query = INNER + " AND u.city IS NOT NULL WHERE o.order_id <= 5000"
    with Leat(pipeline(pg, db, query, rows=20000), work) as leat:
        leat.wait_end()  # the rows before the end are not lost
    assert pg.value(WRONG, database=db) == 0
    assert count(pg, db, "name IS NULL OR city IS NULL OR user_id IS NULL OR order_id > 5000") == 0
    assert 3000 < count(pg, db) < 4500


def test_the_cache_spares_questions_until_it_expires(work, pg, db):
    pg.query(TABLES, database=db)
    options = {"lookup.cache": "PARTIAL", "lookup.partial-cache.max-rows": 1000,
               "lookup.partial-cache.expire-after-write": "2s"}
    with Leat(pipeline(pg, db, rows=FOREVER, rate=2000, options=options), work) as leat:
        at_least(pg, db, 1000)
        hits, misses = (leat.metric(f"leat_jdbc_lookup_cache_{what}_total") for what in ("hits", "misses"))
        assert misses <= 240 and hits >= 100, (hits, misses)
        pg.query("UPDATE users SET name = name || ' b'", database=db)
        at_least(pg, db, 100, where="name LIKE '% b'")
        assert leat.metric("leat_jdbc_lookup_keys_total") < leat.metric("leat_rows_in_total", node="joined")


def test_without_a_cache_a_change_is_seen_at_once(work, pg, db):
    pg.query(TABLES, database=db)
    with Leat(pipeline(pg, db, rows=FOREVER, rate=1000), work):
        at_least(pg, db, 500)
        pg.query("UPDATE users SET name = name || ' b'", database=db)
        last = pg.value("SELECT max(order_id) FROM joined", database=db)
        at_least(pg, db, last + 1500)
        assert count(pg, db, f"order_id > {last + 1000} AND name NOT LIKE '% b'") == 0


def test_a_killed_backend_costs_no_row(work, pg, db):
    pg.query(TABLES, database=db)
    with Leat(pipeline(pg, db, rows=30000, rate=10000), work) as leat:
        at_least(pg, db, 2000)
        for _ in range(8):
            pg.terminate_backends("application_name = 'leat-lookup'")
            time.sleep(0.15)
        leat.wait_end(60)
    assert count(pg, db) == 30000
    assert pg.value(WRONG, database=db) == 0


def test_a_question_that_is_broken_off_is_asked_again(work, pg, db):
    pg.query(TABLES, database=db)
    with Leat(pipeline(pg, db, rows=500, rate=500), work) as leat:
        # the table is locked: a question is under way until its backend is killed
        with pg.connect(db, autocommit=False) as lock:
            lock.cursor().execute("LOCK TABLE users")
            asking = "application_name = 'leat-lookup' AND wait_event_type = 'Lock'"
            wait_until(lambda: pg.value(f"SELECT count(*) FROM pg_stat_activity WHERE {asking}"), 20, "a question")
            pg.terminate_backends(asking)
            leat.wait_logged("attempt 1 of 3 follows")
            lock.rollback()
        leat.wait_end(60)
    assert count(pg, db) == 500
    assert pg.value(WRONG, database=db) == 0


def test_a_database_that_is_late_is_waited_for(work, pg, db):
    pg.query(TABLES, database=db)
    with Proxy(pg.port) as proxy:
        proxy.refuse()
        leat = Leat(pipeline(pg, db, rows=1000, users_pg=proxy), work).launch()
        try:
            leat.wait_logged("refused|could not connect", 20)
            proxy.accept()
            leat.wait_end(60)
        finally:
            leat.__exit__()
    assert count(pg, db) == 1000
    assert pg.value(WRONG, database=db) == 0


def test_a_lost_database_is_waited_for(work, pg, db):
    pg.query(TABLES, database=db)
    with Proxy(pg.port) as proxy:
        text = pipeline(pg, db, rows=40000, rate=10000, users_pg=proxy, options={"lookup.max-retries": 1})
        with Leat(text, work) as leat:
            at_least(pg, db, 1000)
            proxy.refuse()
            proxy.cut()
            leat.wait_logged("attempt 1 of 1 follows", 20)
            time.sleep(2)
            proxy.accept()
            leat.wait_end(60)
    assert count(pg, db) == 40000
    assert pg.value(WRONG, database=db) == 0


def test_two_instances_ask_for_themselves(work, pg, db):
    pg.query(TABLES, database=db)
    text = pipeline(pg, db, rows=FOREVER, rate=20000).replace('operator = "sql"', 'operator = "sql"\nparallelism = 2')
    with Leat(text, work) as leat:
        at_least(pg, db, 20000)
        assert pg.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leat-lookup'") == 2
        leat.terminate()
    assert pg.value(WRONG, database=db) == 0
    assert count(pg, db) == pg.value("SELECT max(order_id) FROM joined", database=db)


def test_kill_nine_loses_nothing(work, pg, db):
    pg.query(TABLES, database=db)
    with Leat(pipeline(pg, db, rows=60000, rate=20000), work) as leat:
        for turn in range(4):
            at_least(pg, db, (turn + 1) * 8000)
            leat.kill()
            leat.start()
        leat.wait_end(60)
    assert count(pg, db) == 60000
    assert pg.value(WRONG, database=db) == 0


def test_several_partners_and_two_lookups(work, pg, db):
    pg.query(TABLES, database=db)
    pg.query("""CREATE TABLE tags (user_id bigint, tag text);
             INSERT INTO tags SELECT i, 'tag-' || k FROM generate_series(1, 100) i, generate_series(1, i % 4) k;
             CREATE TABLE pairs (order_id bigint, user_id integer, city text, tag text)""", database=db)
    query = """
SELECT o.order_id, o.user_id, u.city, t.tag
FROM (SELECT *, PROCTIME() AS now FROM orders) AS o
LEFT JOIN users FOR SYSTEM_TIME AS OF o.now AS u ON o.user_id = u.user_id AND u.city <> 'city-3'
LEFT JOIN tags FOR SYSTEM_TIME AS OF o.now AS t ON t.user_id = o.user_id AND t.tag <> 'tag-2' AND u.city = 'city-1'"""
    text = pipeline(pg, db, query, rows=20000) + lookup("tags", pg, db)
    text = text.replace('table-name = "joined"\nprimary-key = ["order_id"]', 'table-name = "pairs"')
    with Leat(text, work) as leat:
        leat.wait_end(60)
    assert pg.value("SELECT count(DISTINCT order_id) FROM pairs", database=db) == 20000
    wrong = """
WITH orders AS (SELECT DISTINCT order_id, user_id FROM pairs), expected AS (
SELECT o.order_id, o.user_id, u.city, t.tag FROM orders o
LEFT JOIN users u ON o.user_id = u.user_id AND u.city <> 'city-3'
LEFT JOIN tags t ON t.user_id = o.user_id AND t.tag <> 'tag-2' AND u.city = 'city-1')
SELECT count(*) FROM ((TABLE expected EXCEPT ALL TABLE pairs) UNION ALL (TABLE pairs EXCEPT ALL TABLE expected)) x"""
    assert pg.value(wrong, database=db) == 0
    assert pg.value("SELECT count(*) FROM pairs WHERE tag IS NOT NULL", database=db) > 1000


CHANGED = """
SELECT o.order_id, o.user_id, u.name, u.city
FROM orders AS o
{join} users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON o.user_id = u.user_id
WHERE o.order_id % 7 <> 0"""

DIFFERENT = """
WITH expected AS (SELECT o.order_id, o.user_id, u.name, u.city FROM orders o
{join} users u ON o.user_id = u.user_id WHERE o.order_id % 7 <> 0)
SELECT count(*) FROM ((TABLE expected EXCEPT ALL TABLE joined) UNION ALL (TABLE joined EXCEPT ALL TABLE expected)) x"""


def changes(work, pg, db, unique, join):
    pg.query(TABLES, database=db)
    pg.query("""CREATE TABLE orders (order_id bigint PRIMARY KEY, user_id integer);
             INSERT INTO orders SELECT i, i % 130 FROM generate_series(1, 3000) i""", database=db)
    text = (head("changes", "200ms") + cdc_source("orders", pg, db, "orders", unique("slot"))
            + jdbc_lookup("users", pg, db, "users") + JOINED.format(query=CHANGED.format(join=join))
            + jdbc_sink("out", "joined", pg, db, "joined", "order_id"))
    with Leat(text, work):
        at_least(pg, db, 1000)
        for i in range(20):
            pg.query(f"""UPDATE orders SET user_id = (user_id + 50) % 130 WHERE order_id % 20 = {i};
                     DELETE FROM orders WHERE order_id % 25 = {i};
                     INSERT INTO orders SELECT 3000 + k, k % 140 FROM generate_series({i} * 50 + 1, {i} * 50 + 50) k;
                     UPDATE orders SET order_id = order_id + 100000 WHERE order_id % 90 = {i}""", database=db)
        sql = DIFFERENT.format(join=join)
        wait_until(lambda: pg.value(sql, database=db) == 0, 40,
                   lambda: f"the same rows, {pg.value(sql, database=db)} differ")


def test_changes_of_a_table_become_upserts(work, pg, db, unique):
    changes(work, pg, db, unique, "LEFT JOIN")


def test_changes_that_lose_their_partner_are_deleted(work, pg, db, unique):
    changes(work, pg, db, unique, "JOIN")
