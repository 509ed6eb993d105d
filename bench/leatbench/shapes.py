# SPDX-License-Identifier: Apache-2.0
"""The rows that are moved: the order row of the guide (about 180 bytes of JSON), a narrow one (two integers) and a wide
one (60 columns, about 2 KB). Each shape makes the same rows as SQL, as JSON and as a leat schema.

Row n is a function of n alone, so that any side of any bench can make it or know it.
"""
import json


class Shape:
    """`columns` is [(name, SQL type, leat type, expression of generate_series' n)]; the first column is the key."""

    def __init__(self, name, columns, row):
        self.name = name
        self.columns = columns
        self.row = row
        self.key = columns[0][0]

    def create(self, table):
        """CREATE TABLE with the primary key."""
        body = ", ".join(f"{name} {kind}" for name, kind, _, _ in self.columns)
        return f"CREATE TABLE {table} ({body}, PRIMARY KEY ({self.key}))"

    def insert(self, table, first, last):
        """INSERT of the rows first … last in one statement."""
        body = ", ".join(expression for _, _, _, expression in self.columns)
        return f"INSERT INTO {table} SELECT {body} FROM generate_series({first}::bigint, {last}::bigint) AS n"

    def insert_one(self, table):
        """INSERT of row n, where n is a variable."""
        return f"INSERT INTO {table} SELECT {', '.join(expression for _, _, _, expression in self.columns)}"

    def schema(self):
        """{column: type} of a pipeline file."""
        return {name: f"{kind} NOT NULL" if name == self.key else kind for name, _, kind, _ in self.columns}

    def json(self, n):
        """Row n as leat's json format writes it, in bytes."""
        return json.dumps(self.row(n), ensure_ascii=False, separators=(",", ":")).encode()

    def json_key(self, n):
        return f'{{"{self.key}":{n}}}'.encode()


CATEGORIES = ("电子产品", "服装鞋帽", "家居用品", "图书", "食品")
STATES = ("PENDING", "SHIPPED", "COMPLETED", "CANCELLED")
USERS = 10000  # user_id is 1001 … 1000 + USERS


def _order_row(n):
    price, quantity = n % 9000 + 1, n % 3 + 1
    seconds = n % 86400
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return {"order_id": n, "user_id": n % USERS + 1001, "product_name": f"Product {n % 500} of the guide",
            "product_category": CATEGORIES[n % 5], "quantity": quantity, "unit_price": price,
            "total_amount": price * quantity, "order_status": STATES[n % 4],
            "order_time": f"2025-07-11 {clock}", "updated_at": f"2025-07-12 {clock}"}


def _array(words):
    return "(ARRAY[" + ",".join(f"'{word}'" for word in words) + "])"


ORDER = Shape("order", [
    ("order_id", "bigint", "BIGINT", "n"),
    ("user_id", "bigint", "BIGINT", f"n % {USERS} + 1001"),
    ("product_name", "varchar(200)", "STRING", "'Product ' || n % 500 || ' of the guide'"),
    ("product_category", "varchar(100)", "STRING", f"{_array(CATEGORIES)}[n % 5 + 1]"),
    ("quantity", "int", "INT", "n % 3 + 1"),
    ("unit_price", "decimal(10,2)", "DECIMAL(10,2)", "n % 9000 + 1"),
    ("total_amount", "decimal(10,2)", "DECIMAL(10,2)", "(n % 9000 + 1) * (n % 3 + 1)"),
    ("order_status", "varchar(20)", "STRING", f"{_array(STATES)}[n % 4 + 1]"),
    ("order_time", "timestamp(3)", "TIMESTAMP(3)", "timestamp '2025-07-11' + n % 86400 * interval '1 s'"),
    ("updated_at", "timestamp(3)", "TIMESTAMP(3)", "timestamp '2025-07-12' + n % 86400 * interval '1 s'"),
], _order_row)

NARROW = Shape("narrow", [("id", "bigint", "BIGINT", "n"), ("v", "int", "INT", "n % 1000")],
               lambda n: {"id": n, "v": n % 1000})


def _wide_row(n):
    row = {"id": n}
    row.update((f"i{c}", (n + c) % 100000) for c in range(1, 20))
    row.update((f"t{c}", f"text {c} of row {n % 1000} goes on for a while so that it is wide") for c in range(20, 50))
    row.update((f"d{c}", n % 90000 + c) for c in range(50, 60))
    return row


WIDE = Shape("wide", [("id", "bigint", "BIGINT", "n")]
             + [(f"i{c}", "int", "INT", f"(n + {c}) % 100000") for c in range(1, 20)]
             + [(f"t{c}", "text", "STRING",
                 f"'text {c} of row ' || n % 1000 || ' goes on for a while so that it is wide'") for c in range(20, 50)]
             + [(f"d{c}", "decimal(12,2)", "DECIMAL(12,2)", f"n % 90000 + {c}") for c in range(50, 60)], _wide_row)

SHAPES = {shape.name: shape for shape in (ORDER, NARROW, WIDE)}
