# SPDX-License-Identifier: Apache-2.0
"""The support for tests is tested first: when this fails, no other result of the integration tests means anything."""
import os
import signal
import socket
import threading
import time

from leattest import Kafka, PgLoad, Postgres, Proxy, compare_tables, free_port, process, wait_until

KAFKA = ("3.9.1", "4.1.0")
TIMEOUT = 120


def test_wait_until_returns_the_value_and_names_what_it_waited_for():
    values = iter([0, 0, 7])
    assert wait_until(lambda: next(values), 5, "the third value") == 7
    try:
        wait_until(lambda: 0, 0.05, "the impossible")
    except TimeoutError as error:
        assert "the impossible" in str(error)
    else:
        raise AssertionError("no timeout")


def test_free_ports_differ_and_can_be_bound():
    ports = {free_port() for _ in range(20)}
    assert len(ports) == 20
    for port in ports:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))


def test_child_is_logged_stopped_and_measured(work):
    child = process.Child("shell", ["sh", "-c", "echo started; exec sleep 100"], f"{work}/log")
    wait_until(lambda: "started" in child.log_text(), 5, "the output")
    assert child in process.children()
    wait_until(lambda: child.memory() > 100_000, 5, "memory of what the shell has become")  # it has none on the way
    assert child.cpu_seconds() >= 0
    assert child.stop() == -signal.SIGTERM
    assert child not in process.children()


def test_postgres_starts_fast_and_is_logical(work):
    begin = time.monotonic()
    with Postgres(f"{work}/pg") as pg:
        took = time.monotonic() - begin
        assert took < 8, f"the start took {took:.1f} s"
        assert pg.value("SHOW wal_level") == "logical"
        assert pg.value("SHOW server_encoding") == "UTF8"
        assert pg.psql("SELECT 1, 'ü'") == "1|ü\n"
        pid = pg.pid
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 5, "the end of PostgreSQL")


def test_postgres_survives_kill_and_restart(pg, db):
    pg.query("CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 1000)", database=db)
    pg.kill()
    pg.start()
    assert pg.value("SELECT count(*) FROM t", database=db) == 1000
    pg.restart("immediate")
    assert pg.value("SELECT count(*) FROM t", database=db) == 1000


def test_postgres_terminates_backends_and_drops_slots(pg, db):
    pg.query("SELECT pg_create_logical_replication_slot('one', 'pgoutput')", database=db)
    connection = pg.connect(db)
    connection.cursor().execute("SET application_name = 'victim'")
    assert pg.terminate_backends() == 1
    pg.drop_slots("o%")
    assert pg.value("SELECT count(*) FROM pg_replication_slots") == 0


def test_postgres_paused_does_not_answer(pg, db):
    connection = pg.connect(db)
    answered = threading.Event()

    def ask():
        connection.cursor().execute("SELECT 1")
        answered.set()

    pg.pause()
    try:
        thread = threading.Thread(target=ask)
        thread.start()
        assert not answered.wait(0.3)
    finally:
        pg.resume()
    thread.join(10)
    assert answered.is_set()


def test_compare_shows_the_first_difference(pg, db):
    pg.query("CREATE TABLE a (id int, v text); INSERT INTO a SELECT g, 'v' || g FROM generate_series(1, 6000) g;"
             "CREATE TABLE b AS SELECT * FROM a", database=db)
    left, right = pg.connect(db), pg.connect(db)
    assert compare_tables(left, "SELECT * FROM a ORDER BY id", right, "SELECT * FROM b ORDER BY id") == 6000
    pg.query("UPDATE b SET v = 'other' WHERE id = 5500; DELETE FROM b WHERE id = 6000", database=db)
    try:
        compare_tables(left, "SELECT * FROM a ORDER BY id", right, "SELECT * FROM b ORDER BY id")
    except AssertionError as error:
        assert "row 5500" in str(error) and "'other'" in str(error) and "6000 rows, target 5999" in str(error), error
    else:
        raise AssertionError("the difference was not seen")


def test_load_makes_every_kind_of_change_and_survives_a_kill(pg, db):
    load = PgLoad(pg.dsn(db), rate=1000, seed=7, large_every=0.5, large_rows=2000).create()
    pg.query("CREATE TABLE seen (op text); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
             "$$BEGIN INSERT INTO seen VALUES (TG_OP || CASE WHEN TG_OP = 'UPDATE' AND OLD.id <> NEW.id THEN ' key' "
             "ELSE '' END); RETURN NULL; END$$; CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON load_rows "
             "FOR EACH ROW EXECUTE FUNCTION note()", database=db)
    load.start()
    wait_until(lambda: load.changes > 3000, 30, lambda: f"3000 changes, now {load.changes}")
    pg.kill()
    pg.start()
    before = load.changes
    wait_until(lambda: load.changes > before + 1000, 30, "changes after the kill")
    statistics = load.stop()
    assert statistics["reconnects"] >= 1
    kinds = {row[0] for row in pg.query("SELECT DISTINCT op FROM seen", database=db)}
    assert kinds == {"INSERT", "UPDATE", "UPDATE key", "DELETE"}, kinds
    ids = sorted(row[0] for row in pg.query("SELECT id FROM load_rows", database=db))
    assert ids == sorted(load._ids)


def test_load_follows_from_its_seed(pg, db):
    tables = []
    for name in ("first", "second"):
        load = PgLoad(pg.dsn(db), table=name, seed=3).create()
        load.run_changes(500)
        tables.append(pg.query(f"SELECT id, version, name, amount, active FROM {name} ORDER BY id", database=db))
    assert tables[0] == tables[1]


def test_kafka_produces_and_reads(kafka, unique):
    topic = kafka.create_topic(unique("rows"), partitions=2, config={"cleanup.policy": "compact"})
    assert kafka.topics()[topic] == 2
    assert kafka.topic_config(topic)["cleanup.policy"] == "compact"
    before = time.time() * 1000
    kafka.produce(topic, [(f"k{i % 3}", f"v{i}") for i in range(100)], partition=1)
    kafka.produce(topic, [("k0", None), ("k1", "last")], partition=1)
    records = kafka.read_topic(topic)
    assert [(r.partition, r.offset) for r in records] == [(1, i) for i in range(102)]
    assert records[5].key == b"k2" and records[5].text == "v5" and records[100].value is None
    assert before - 5000 < records[0].timestamp < time.time() * 1000 + 5000
    assert kafka.last_by_key(topic) == {b"k1": b"last", b"k2": b"v98"}
    assert kafka.ends(topic) == {0: (0, 0), 1: (0, 102)}
    with kafka.reader(topic) as reader:
        assert len(reader.read_to_end()) == 102
        kafka.produce(topic, [("k", "more")], partition=0)
        more = []
        wait_until(lambda: more.extend(reader.poll()) or more, 10, "the new record")
        assert more[0].text == "more"


def test_kafka_survives_kill_restart_and_pause(kafka, unique):
    topic = kafka.create_topic(unique("kept"))
    kafka.produce(topic, [("a", "1")])
    kafka.kill()
    kafka.start()
    kafka.produce(topic, [("b", "2")])
    kafka.restart()
    kafka.pause()
    kafka.resume()
    assert [r.text for r in kafka.read_topic(topic)] == ["1", "2"]
    kafka.delete_topic(topic)
    assert topic not in kafka.topics()


def test_kafka_behind_a_proxy(work, unique):
    """A broker that advertises the proxy's address is reached through the proxy only."""
    port = free_port()
    broker = Kafka(f"{work}/kafka", advertised=f"127.0.0.1:{port}")
    with Proxy(broker.port, port=port) as proxy, broker:
        topic = broker.create_topic(unique("proxied"))
        broker.produce(topic, [("a", "1")])
        assert proxy.bytes > 0
        assert proxy.reset() >= 1
        broker.produce(topic, [("a", "2")])
        assert [r.text for r in broker.read_topic(topic)] == ["1", "2"]


def test_proxy_delays_cuts_resets_and_swallows(pg, db):
    with Proxy(pg.port) as proxy:
        def connect():
            import psycopg2
            return psycopg2.connect(host="127.0.0.1", port=proxy.port, user="postgres", dbname=db, connect_timeout=2)

        def ask(connection):
            begin = time.monotonic()
            with connection.cursor() as cursor:
                cursor.execute("SELECT repeat('x', 100000)")
                assert len(cursor.fetchone()[0]) == 100000
            return time.monotonic() - begin

        def fails(action):
            try:
                action()
            except Exception:
                return True
            return False

        connection = connect()
        ask(connection)
        proxy.delay = 0.2
        assert ask(connection) >= 0.4
        proxy.delay = 0.0
        for end in (proxy.cut, proxy.reset):
            connection = connect()
            assert end() >= 1
            assert fails(lambda: ask(connection))
        proxy.black_hole()
        assert fails(connect)
        proxy.heal()
        ask(connect())
        proxy.refuse()
        assert fails(connect)
        proxy.accept()
        ask(connect())
