# SPDX-License-Identifier: Apache-2.0
"""A captured column that is lost while the connection is lost too: the job that starts again by itself must not take the
new catalogue as if nothing had been.

Seen to fail before discoveries were compared: the job went on, and rows lost the column's value in the topic.
"""
from leattest import Leat, TopicTable, stage_one, wait_until

TIMEOUT = 180
CHANGES = {"dropped": "DROP v", "renamed": "RENAME v TO w", "retyped": "ALTER v TYPE int USING 7"}
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def test_a_lost_column_stops_the_job_also_when_the_connection_is_lost(pg, db, kafka, work, unique):
    for name, change in CHANGES.items():
        topic = unique(name)
        pg.query(f"CREATE TABLE {name} (id int PRIMARY KEY, v text); INSERT INTO {name} VALUES (1, 'a')", database=db)
        with Leat(stage_one(pg, db, kafka, topic, unique(f"{name}_slot"), table=name), f"{work}/{name}") as leat:
            table = TopicTable(kafka, topic)
            wait_until(lambda: table.poll() is not None and table.rows, 30, "the first row")
            pg.query(f"ALTER TABLE {name} {change}; {CUT}", database=db)
            pg.query(f"INSERT INTO {name} VALUES (2); DELETE FROM {name} WHERE id = 2; UPDATE {name} SET id = 3", database=db)
            wait_until(lambda: "LEAT-G0" in leat.get("/health")[1] and '"v\\"' in leat.get("/health/ready")[1], 60,
                       lambda: leat.get("/health")[1], every=0.2)
            table.catch_up()
            assert [row for row in table.rows.values()] == [b'{"id":1,"v":"a"}'], table.rows
            leat.terminate(code=1)
            table.close()


def test_a_column_that_became_wider_is_taken_by_a_restart(pg, db, kafka, work, unique):
    topic = unique("wider")
    pg.query("CREATE TABLE wider (id int PRIMARY KEY, v int); INSERT INTO wider VALUES (1, 1)", database=db)
    with Leat(stage_one(pg, db, kafka, topic, unique("slot"), table="wider"), work) as leat:
        table = TopicTable(kafka, topic)
        wait_until(lambda: table.poll() is not None and len(table.rows) == 1, 30, "the first row")
        leat.kill()
        pg.query("INSERT INTO wider VALUES (2, 2); ALTER TABLE wider ALTER v TYPE bigint; "
                 "INSERT INTO wider VALUES (3, 99999999999)", database=db)
        leat.start()
        wait_until(lambda: table.poll() is not None and len(table.rows) == 3, 30, lambda: leat.get("/health")[1])
        assert sorted(table.rows.values())[1:] == [b'{"id":2,"v":2}', b'{"id":3,"v":99999999999}']
        leat.terminate()
        table.close()
