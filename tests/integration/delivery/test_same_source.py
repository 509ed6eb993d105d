# SPDX-License-Identifier: Apache-2.0
"""Both sides of a join are tables of one source: neither may hold the other back, and every row finds its partner.

Seen to fail while the planner let the orders wait for the users: the channel filled, and the source, held back by it,
never came to the users.
"""
from leattest import Leat, wait_until
from leattest.pipeline import cdc_source, head, jdbc_sink

TIMEOUT = 120
ORDERS = 80000  # more than a channel holds

JOINED = """
[operators.joined]
operator = "sql"
query = '''
SELECT o.id, u.name, o.note FROM pg.public.orders AS o LEFT JOIN pg.public.users AS u ON o.user_id = u.id'''
"""
SHOULD = "SELECT o.id, u.name, o.note FROM orders o LEFT JOIN users u ON o.user_id = u.id ORDER BY 1"


def joined(pg, db, work, unique, parallelism):
    pg.query("CREATE TABLE orders (id int PRIMARY KEY, user_id int, note text); "
             "CREATE TABLE users (id int PRIMARY KEY, name text); "
             "CREATE TABLE target (id int PRIMARY KEY, name text, note text); "
             "INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 1000) i; "
             "INSERT INTO orders SELECT i, i % 1000 + 1, repeat('x', 100) "
             f"FROM generate_series(1, {ORDERS}) i", database=db)

    def same():
        return (pg.value("SELECT count(*) FROM target", database=db) == ORDERS
                and pg.query("SELECT * FROM target ORDER BY 1", database=db) == pg.query(SHOULD, database=db))
    text = (head("same", "200ms", {"parallelism.default": parallelism})
            + cdc_source("pg", pg, db, "orders|users", unique("slot")) + JOINED
            + jdbc_sink("out", "joined", pg, db, "public.target", "id"))
    with Leat(text, work) as leat:
        wait_until(same, 60, "every order beside its user", every=0.3)
        leat.kill()
        # more than a channel holds, of both sides, while nobody reads
        pg.query("UPDATE orders SET note = repeat('y', 100); UPDATE users SET name = name || ' renamed'", database=db)
        leat.start()
        wait_until(same, 60, "every order beside its renamed user", every=0.3)
        leat.terminate()


def test_a_join_of_two_tables_of_one_source(pg, db, work, unique):
    joined(pg, db, work, unique, 1)


def test_a_join_of_two_tables_of_one_source_in_two_instances(pg, db, work, unique):
    joined(pg, db, work, unique, 2)
