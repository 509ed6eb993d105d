# SPDX-License-Identifier: Apache-2.0
"""leat sql as a user meets it: files, VALUES, what is wrong with either, and servers that are not there."""
import json
import subprocess

from leattest import Proxy
from leattest.process import free_port
from leattest.leat import binary, run_verb

TIMEOUT = 90


def ask(query, *arguments, cwd=None):
    done = run_verb("sql", *arguments, query, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(query, *arguments, cwd=None, code=1):
    done = run_verb("sql", *arguments, query, cwd=cwd)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stderr


def write(work, name, text):
    with open(f"{work}/{name}", "w") as file:
        file.write(text)


def test_values_in_from():
    assert ask("SELECT id, UPPER(name) AS n FROM (VALUES (1, 'a'), (2, 'bc')) AS t(id, name) WHERE id > 1") == \
        "id\tn\n2\tBC\n"
    assert ask("WITH v(a) AS (VALUES 1, 2.5) SELECT a * 2 AS b FROM v UNION ALL VALUES 7") == "b\n2.0\n5.0\n7.0\n"
    assert ask("SELECT 1 AS x WHERE FALSE") == "x\n"
    assert "a row of VALUES has 1 columns, the first one has 2" in refused("VALUES (1, 2), (3)")


def test_a_row_that_cannot_be_computed_has_its_place():
    said = refused("SELECT a,\n '中' || CAST(7 / a AS STRING) FROM (VALUES (1), (0)) AS t(a)")
    assert said.startswith("query:2:16: error: division by zero: 7 / a [LEAT-S0201]\n"), said
    assert said.splitlines()[2].index("^") == said.splitlines()[1].index("7 / a") + 1, said  # 中 takes two columns


def test_the_whole_word_of_a_fault_is_underlined():
    lines = refused("SELECT\n  naame\nFROM (VALUES (1)) AS t(name)").splitlines()
    assert lines[1:3] == ["    2 |   naame", "      |   ^~~~~"], lines


def test_a_table_comes_in_pages(work):
    write(work, "many.jsonl", "".join(json.dumps({"n": 10 ** (n // 1000), "name": "中" * (n // 1000)}) + "\n"
                                      for n in range(2500)))
    lines = ask("SELECT n, name FROM `many.jsonl`", "--table", cwd=work).splitlines()
    assert lines[:3] == [" n | name", "---+------", " 1 |     "] and lines[-1] == "(2500 rows)", lines[:3] + lines[-2:]
    assert lines[1002] == " 10 | 中  " and lines[2002] == " 100 | 中中" and len(lines) == 2503
    endless = subprocess.Popen([binary(), "sql", "--table", "-f", "/dev/stdin", "SELECT id FROM made"], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with endless:
        endless.stdin.write('[sources.made]\nconnector = "datagen"\nrows-per-second = 20\n'
                            'fields.id.kind = "sequence"\nfields.id.start = 1\nfields.id.end = 1000000\n'
                            '[sources.made.schema]\nid = "BIGINT"\n')
        endless.stdin.close()
        assert [endless.stdout.readline() for _ in range(4)] == [" id\n", "----\n", "  1\n", "  2\n"]
        endless.kill()


def test_numbers_of_a_file_are_exact(work):
    write(work, "a.jsonl", '{"id": 9223372036854775808, "d": 12345678901234567890.123, "e": 1e400, "s": "a\\u0000b"}\n'
          '{"id": -1, "d": 1.5, "e": 2, "s": "", "t": "NULL"}\n')
    assert ask("SELECT * FROM `a.jsonl`", cwd=work) == (
        "id\td\te\ts\tt\n"
        "9223372036854775808\t12345678901234567890.123\t1e400\ta\\x00b\t\\N\n"
        "-1\t1.500\t2\t\tNULL\n")
    rows = [json.loads(line) for line in ask("SELECT s, t FROM `a.jsonl`", "--json", cwd=work).splitlines()]
    assert rows == [{"s": "a\0b", "t": None}, {"s": "", "t": "NULL"}]


def test_a_file_that_cannot_be_read_is_named_with_its_place(work):
    write(work, "bad.jsonl", '{"a": 1}\n{"a": 1\n')
    write(work, "empty.jsonl", "\n")
    message = refused("SELECT *\nFROM `bad.jsonl`", cwd=work)
    assert "query:2:6:" in message and "line 2 of the file" in message and "',' or '}' is expected" in message
    assert "No such file" in refused("SELECT * FROM `no.jsonl`", cwd=work)
    assert "is a folder" in refused("SELECT * FROM `/tmp`", cwd=work)
    assert "it is empty" in refused("SELECT * FROM `empty.jsonl`", cwd=work)


PIPELINE = """
[pipeline]
name = "shop"
[sources.orders]
connector = "kafka"
topic = "orders"
properties.bootstrap.servers = "127.0.0.1:{port}"
format = "json"
scan.startup.mode = "earliest-offset"
[sources.orders.schema]
order_id = "BIGINT NOT NULL"
[sinks.written]
input = "orders"
connector = "blackhole"
"""


def test_a_sink_is_no_file(work):
    write(work, "shop.toml", PIPELINE.format(port=9092))
    write(work, "written", '{"a": 1}\n')
    assert "a sink of the pipeline file" in refused("SELECT * FROM written", "-f", "shop.toml", cwd=work)
    assert ask("SELECT * FROM `./written`", "-f", "shop.toml", cwd=work) == "a\n1\n"


def test_a_server_that_is_not_there_is_not_waited_for_for_ever(work):
    write(work, "shop.toml", PIPELINE.format(port=free_port()))
    message = refused("SELECT * FROM orders", "-f", "shop.toml", "--timeout", "2", cwd=work, code=3)
    assert "no answer within 2 s" in message and "orders: " in message and "refused" in message


def test_a_fault_is_told_once():
    message = refused("SELECT 1 / 0")
    assert message.count("division by zero") == 1, message


def test_a_reader_that_has_seen_enough_is_no_fault(work):
    write(work, "many.jsonl", "".join(f'{{"i": {i}}}\n' for i in range(200000)))
    done = subprocess.run(f"{binary()} sql 'SELECT i FROM `many.jsonl`' | head -3; echo ${{PIPESTATUS[0]}}",
                          shell=True, executable="/bin/bash", cwd=work, capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.stderr) == ("i\n0\n1\n0\n", "")


def test_a_lookup_is_asked_for_the_rows_of_a_file(work, pg, db):
    pg.query("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'ann'), (2, 'bo')",
             database=db)
    write(work, "keys.jsonl", '{"id": 2}\n{"id": 3}\n{"id": 1}\n')
    write(work, "shop.toml", f"""
[pipeline]
name = "shop"
[lookups.users]
connector = "jdbc"
url = "jdbc:postgresql://{pg.host}:{pg.port}/{db}"
username = "postgres"
table-name = "users"
""")
    query = """SELECT k.id, u.name FROM `keys.jsonl` AS k
LEFT JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON u.id = k.id"""
    assert ask(query, "-f", "shop.toml", cwd=work) == "id\tname\n2\tbo\n3\t\\N\n1\tann\n"
    with Proxy(pg.port) as proxy:
        proxy.refuse()
        write(work, "late.toml", f"""
[pipeline]
name = "shop"
[lookups.users]
connector = "jdbc"
url = "jdbc:postgresql://127.0.0.1:{proxy.port}/{db}"
username = "postgres"
table-name = "users"
""")
        assert "could not connect" in refused(query, "-f", "late.toml", "--timeout", "3", cwd=work, code=3)
