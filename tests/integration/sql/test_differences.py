# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/guide/flink-differences.md: leat answers what the page says."""
import os
import re

from leattest.leat import run_verb

TIMEOUT = 120
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
ROW = re.compile(r"^\| `(SELECT .*)` \| (.*) \| (.*) \|$")


def test_the_values_are_what_the_page_says():
    with open(f"{ROOT}/docs/guide/flink-differences.md", encoding="utf-8") as page:
        rows = [match.groups() for match in map(ROW.match, page.read().splitlines()) if match]
    assert len(rows) >= 16
    for query, flink, leat in rows:
        done = run_verb("sql", "--no-header", query)
        if leat.startswith("error: "):
            assert done.returncode == 1 and leat[len("error: "):] in done.stderr, (query, done.stdout, done.stderr)
        else:
            assert done.stdout.rstrip("\n") == leat, (query, done.stdout, done.stderr)
        assert flink != leat, query


def test_nanoseconds_are_refused_by_name():
    done = run_verb("sql", "SELECT CAST('2024-02-29 12:34:56' AS TIMESTAMP(9))")
    assert done.returncode == 1 and "at most 6 digits of fraction, 9 were asked for" in done.stderr


def test_json_is_read_as_the_page_says(work):
    for name, column, record in (("priced", 'price = "DECIMAL(5, 2)"', '{"price": 123456.78}'),
                                 ("paid", 'paid = "BOOLEAN"', '{"paid": "yes"}'),
                                 ("timed", '"at" = "TIME(3)"', '{"at": "12:34:56.789"}')):
        with open(f"{work}/{name}.jsonl", "w") as file:
            file.write(record + "\n")
        with open(f"{work}/{name}.toml", "w") as file:
            file.write(f'''[pipeline]
name = "{name}"
[sources.{name}]
connector = "filesystem"
path = "{name}.jsonl"
format = "json"
[sources.{name}.schema]
{column}
''')
    said = [run_verb("sql", "--no-header", "-f", f"{name}.toml", f"SELECT * FROM {name}", cwd=work)
            for name in ("priced", "paid", "timed")]
    assert 'field "price" at byte 10: expected DECIMAL(5, 2), found 123456.78' in said[0].stderr
    assert 'field "paid" at byte 9: expected BOOLEAN, found "yes"' in said[1].stderr
    assert said[2].stdout == "12:34:56.789\n"
