# SPDX-License-Identifier: Apache-2.0
"""Pieces of pipeline text that tests and benches share: a pipeline is their sum, head(…) + kafka_source(…) + ….

Each piece is a node with the options that nearly every test gives; `more` holds others by their names in the file, which
win over those given here. Text whose options are the point of a test stands in that test.

`pg` is a Postgres or a Proxy before one, `servers` is Kafka's list of them, `columns` is {column: SQL type}.
"""
import json


def section(path, options):
    """[path] and its options. Texts, numbers, booleans and lists of them are written in TOML as in JSON."""
    return f"\n[{path}]\n" + "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
                                     for name, value in options.items())


def head(name, interval=None, more={}, server={}):
    """The server and the pipeline, which find their address and their folder in the environment that Leat sets."""
    pace = {"checkpoint.interval": interval} if interval else {}
    return (section("server", {"http.listen": "${LEAT_HTTP}"} | server)
            + section("pipeline", {"name": name, "checkpoint.dir": "${LEAT_DATA}/checkpoints"} | pace | more))


def counter(name, rate, columns={}, more={}):
    """1, 2, 3 … as `id`, without an end."""
    return section(f"sources.{name}", {
        "connector": "datagen", "rows-per-second": rate, "fields.id.kind": "sequence", "fields.id.start": 1,
        "fields.id.end": 10**9} | more) + section(f"sources.{name}.schema", {"id": "BIGINT"} | columns)


def cdc_source(name, pg, database, table, slot, more={}):
    return section(f"sources.{name}", {
        "connector": "postgres-cdc", "hostname": pg.host, "port": pg.port, "username": "postgres",
        "database-name": database, "schema-name": "public", "table-name": table, "slot.name": slot} | more)


def kafka_source(name, servers, topic, columns, more={}):
    """Every record of the topic, as json."""
    return section(f"sources.{name}", {
        "connector": "kafka", "topic": topic, "properties.bootstrap.servers": servers, "format": "json",
        "scan.startup.mode": "earliest-offset"} | more) + section(f"sources.{name}.schema", columns)


def upsert_source(name, servers, topic, key, columns, more={}):
    """The table that a compacted topic means."""
    return section(f"sources.{name}", upsert(servers, topic, key) | more) + section(f"sources.{name}.schema", columns)


def upsert_sink(name, source, servers, topic, key, more={}):
    return section(f"sinks.{name}", {"input": source} | upsert(servers, topic, key) | more)


def upsert(servers, topic, key):
    return {"connector": "upsert-kafka", "topic": topic, "properties.bootstrap.servers": servers, "key.format": "json",
            "value.format": "json", "primary-key": [key]}


def sink(name, source, connector):
    """One that needs no options: print or blackhole."""
    return section(f"sinks.{name}", {"input": source, "connector": connector})


def jdbc_sink(name, source, pg, database, table, key, more={}):
    return section(f"sinks.{name}", {"input": source} | jdbc(pg, database, table) | {"primary-key": [key]} | more)


def jdbc_lookup(name, pg, database, table, more={}):
    return section(f"lookups.{name}", jdbc(pg, database, table) | more)


def jdbc(pg, database, table):
    return {"connector": "jdbc", "url": jdbc_url(pg, database), "username": "postgres", "table-name": table}


def jdbc_url(pg, database):
    return f"jdbc:postgresql://{pg.host}:{pg.port}/{database}"
