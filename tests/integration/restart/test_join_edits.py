# SPDX-License-Identifier: Apache-2.0
"""The query of a join is edited between two runs: it goes on where its state fits, and is refused where it does not."""
from leattest import Leat
from leattest.pipeline import head

TIMEOUT = 90
NODES = """
[sources.orders]
connector = "filesystem"
path = "orders.json"
format = "json"
[sources.orders.schema]
id = "BIGINT"
user_id = "BIGINT"
amount = "INT"
[sources.users]
connector = "filesystem"
path = "users.json"
format = "json"
[sources.users.schema]
id = "BIGINT"
name = "STRING"
[operators.joined]
operator = "sql"
query = "{query}"
[sinks.out]
input = "joined"
connector = "print"
"""
JOIN = "FROM orders o JOIN users u ON o.user_id = u.id"


def run(leat, query, code=0, name="shop"):
    leat.write(head(name) + NODES.format(query=query))
    leat.launch()
    assert leat.wait_end() == code, leat.child.log_tail()
    return leat.log_text()


def append(leat, name, line):
    with open(f"{leat.folder}/{name}.json", "a") as file:
        file.write(line + "\n")


def test_a_join_goes_on_only_with_state_that_fits(work):
    leat = Leat(head("shop") + NODES.format(query="SELECT 1 AS x"), f"{work}/leat")
    append(leat, "orders", '{"id": 1, "user_id": 7, "amount": 5}')
    append(leat, "users", '{"id": 7, "name": "Ada"}')
    assert "Ada" in run(leat, f"SELECT o.id, u.name {JOIN}")

    said = run(leat, f"SELECT o.id, o.amount, u.name {JOIN}", code=1)
    assert "LEAT-T0007" in said and "--forget-state" in said, said
    assert "left columns kept was id BIGINT, is id BIGINT, amount INT" in said, said
    said = run(leat, "SELECT o.id, u.name FROM orders o JOIN users u ON o.id = u.id", code=1)
    assert "left join key was user_id BIGINT, is id BIGINT" in said, said
    said = run(leat, "SELECT o.id, u.name FROM users u JOIN orders o ON o.user_id = u.id", code=1)
    assert "left table was orders (inserts only), is users (inserts only)" in said, said

    append(leat, "orders", '{"id": 2, "user_id": 7, "amount": 6}')
    said = run(leat, f"SELECT o.id * 9 AS nine, CONCAT('so ', u.name) AS who {JOIN} WHERE CHAR_LENGTH(u.name) > o.id")
    assert "so Ada" in said, said
    said = run(leat, f"SELECT o.id, o.amount, u.name {JOIN}", name="anew")
    assert "Ada" in said, said
