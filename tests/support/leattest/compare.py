# SPDX-License-Identifier: Apache-2.0
"""Two tables are the same, or the first row in which they differ is shown."""
import itertools


def compare_tables(source, source_query, target, target_query, context=""):
    """Runs both queries (each with an ORDER BY over a key, and under the same collation) on psycopg2 connections and
    compares the results row by row without holding them in memory. Returns the number of rows."""
    missing = object()
    count = 0
    rows = itertools.zip_longest(_stream(source, source_query), _stream(target, target_query), fillvalue=missing)
    for left, right in rows:
        if left != right:
            raise AssertionError("\n".join(filter(None, [
                f"tables differ in row {count + 1}",
                context,
                f"  source: {'no more rows' if left is missing else left}",
                f"  target: {'no more rows' if right is missing else right}",
                f"  source has {_count(source, source_query)} rows, target {_count(target, target_query)}",
                f"  source query: {source_query}",
                f"  target query: {target_query}"])))
        count += 1
    return count


def _stream(connection, query):
    """A cursor on the server needs a transaction, and the connection may be in autocommit mode: WITH HOLD spares it."""
    cursor = connection.cursor(name="leattest_compare", withhold=True)
    cursor.itersize = 5000
    try:
        cursor.execute(query)
        yield from cursor
    finally:
        cursor.close()


def _count(connection, query):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({query}) AS counted")
        return cursor.fetchone()[0]
