# SPDX-License-Identifier: Apache-2.0
"""leat plan --connect: what only the servers know, without making anything there."""
from leattest import Leat, Proxy, wait_until
from leattest.leat import run_verb
from leattest.pipeline import cdc_source, jdbc_lookup, sink

TIMEOUT = 60

JOINED = """
[operators.joined]
operator = "sql"
query = '''
SELECT o.id, u.name FROM orders AS o
LEFT JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON o.user_id = u.id AND (u.id > 3 OR u.name IS NULL)
WHERE o.id > 1 AND {column} < 9'''
[sinks.out]
input = "joined"
connector = "print"
"""

TABLES = """CREATE TABLE orders (id bigint PRIMARY KEY, user_id int);
CREATE TABLE users (id int PRIMARY KEY, name text)"""


def plan(work, pg, db, unique, *arguments, column="o.id"):
    with open(f"{work}/shop.toml", "w") as file:
        file.write('[pipeline]\nname = "shop"\n' + cdc_source("orders", pg, db, "orders", unique("slot"))
                   + jdbc_lookup("users", pg, db, "users") + JOINED.format(column=column))
    return run_verb("plan", *arguments, f"{work}/shop.toml")


def test_one_of_several_tables_must_be_named(work, pg, db, unique):
    pg.query(TABLES, database=db)
    with open(f"{work}/shop.toml", "w") as file:
        file.write('[pipeline]\nname = "shop"\n' + cdc_source("shop", pg, db, "(orders|users)", unique("slot"))
                   + sink("out", "shop", "print"))
    done = run_verb("plan", "--connect", f"{work}/shop.toml")
    assert done.returncode == 1 and '"shop" gives several tables: say which one [LEAT-G0011]' in done.stderr, done.stderr
    assert "It gives: shop.public.orders, shop.public.users." in done.stderr, done.stderr


def test_the_servers_columns_are_shown(work, pg, db, unique):
    pg.query(TABLES, database=db)
    done = plan(work, pg, db, unique)
    assert done.returncode == 0 and "known only when connected" in done.stdout
    done = plan(work, pg, db, unique, "--connect")
    assert done.returncode == 0, done.stderr
    assert "user_id INT" in done.stdout and "answers  rows of a key" in done.stdout
    assert "id INT NOT NULL, name STRING\n" in done.stdout
    assert "keeps rows where o.id > 1 AND o.id < 9" in done.stdout
    assert "asks users by id = o.user_id; rows without partner stay; one partner at most" in done.stdout
    assert "partners where (u.id > 3 OR u.name IS NULL)" in done.stdout
    assert pg.value("SELECT count(*) FROM pg_replication_slots", database=db) == 0


def test_a_fault_that_the_columns_bring_has_its_place(work, pg, db, unique):
    pg.query(TABLES, database=db)
    done = plan(work, pg, db, unique, "--connect", column="o.nope")
    assert done.returncode == 1 and "column 'nope' does not exist" in done.stderr, done.stderr
    leat = Leat(open(f"{work}/shop.toml").read() + '[server]\nhttp.listen = "${LEAT_HTTP}"\n', work).launch()
    try:
        wait_until(lambda: "job-failed" in leat.log_text(), 20, "the job to be refused")
        line = [at for at, text in enumerate(open(leat.pipeline), 1) if "o.nope" in text][0]
        assert f"{leat.pipeline}:{line}:22." in leat.log_text(), leat.log_text()
    finally:
        leat.kill()


def test_columns_that_cannot_be_read_are_all_named(work, pg, db, unique):
    pg.query("CREATE TABLE orders (id bigint PRIMARY KEY, list int[], large numeric(50,2), user_id int); "
             "CREATE TABLE users (id int PRIMARY KEY, name text)", database=db)
    done = plan(work, pg, db, unique, "--connect")
    assert done.returncode == 1, done.stderr
    assert "2 things" in done.stderr and 'column "list"' in done.stderr and 'column "large"' in done.stderr, done.stderr


def test_a_server_that_is_not_there_is_named(work, pg, db, unique):
    with Proxy(pg.port) as proxy:
        proxy.refuse()
        done = plan(work, proxy, db, unique, "--connect")
    assert done.returncode == 3 and f":{proxy.port}" in done.stderr, done.stderr
    assert "known only when connected" in done.stdout
