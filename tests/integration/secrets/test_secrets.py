# SPDX-License-Identifier: Apache-2.0
"""Secrets are planted wherever a pipeline can hold one, and every output of every verb and of every address of HTTP is
searched for them: while connections fail, so that the words of libpq and librdkafka are in it, and with broken files, so
that the lines around a fault are shown."""
import json
import os
import re
import signal
import time
import urllib.parse

from leattest import Leat, free_port, run_verb, wait_until

TIMEOUT = 180

VARIABLES = {"CANARY_PG": "canary-variable-of-pg", "CANARY_JDBC": 'canary "quoted" \\ of-jdbc',
             "CANARY_KEY": "canary-key-password"}
FILES = {"token": "canary-http-token-0123456789abcdef", "database": "canary_database_from_file",
         "host": "canary-host.invalid", "topic": "canary-topic-from-file", "kafka": "canary-sasl-password"}
IN_URL = "canary@in:url"
IN_CLEAR = "canary-in-clear"
JAAS = "canary-jaas-password"


def planted():
    return [*VARIABLES.values(), *FILES.values(), IN_URL, urllib.parse.quote(IN_URL, safe=""), IN_CLEAR, JAAS,
            json.dumps(VARIABLES["CANARY_JDBC"])[1:-1]]


def pipeline(folder, pg, broker, log_format):
    secret = {name: f"${{file:{folder}/{name}}}" for name in FILES}
    for name, text in FILES.items():
        with open(f"{folder}/{name}", "w") as file:
            file.write(text + "\n")
    return f"""
[server]
http.listen = "${{LEAT_HTTP}}"
http.token  = "{secret['token']}"
log.format  = "{log_format}"
log.level   = "debug"

[pipeline]
name = "secrets"
checkpoint.dir = "${{LEAT_DATA}}/checkpoints"
restart-strategy.exponential-delay.initial-backoff = "200ms"

[sources.pg]
connector = "postgres-cdc"
hostname = "127.0.0.1"
port = {pg.port}
username = "postgres"
password = "${{CANARY_PG}}"
database-name = "{secret['database']}"
schema-name = "public"
table-name = "orders"
slot.name = "canary"

[sources.away]
connector = "postgres-cdc"
hostname = "{secret['host']}"
username = "postgres"
password = "{IN_CLEAR}"
database-name = "db"
schema-name = "public"
table-name = "orders"
slot.name = "away"

[sources.topic]
connector = "kafka"
topic = "{secret['topic']}"
format = "json"
scan.startup.mode = "earliest-offset"
properties.bootstrap.servers = "127.0.0.1:{broker}"
properties.security.protocol = "SASL_PLAINTEXT"
properties.sasl.mechanism = "PLAIN"
properties.sasl.jaas.config = '''org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="{JAAS}";'''

[sources.topic.schema]
id = "BIGINT"

[sources.made]
connector = "datagen"
rows-per-second = 10

[sources.made.schema]
id = "BIGINT NOT NULL"

[sinks.pg_out]
input = "pg"
connector = "blackhole"

[sinks.away_out]
input = "away"
connector = "blackhole"

[sinks.table]
input = "topic"
connector = "jdbc"
url = "jdbc:postgresql://127.0.0.1:{pg.port}/{secret['database']}?user=postgres&password={urllib.parse.quote(IN_URL, safe='')}"
table-name = "t"

[sinks.table_too]
input = "made"
connector = "jdbc"
url = "jdbc:postgresql://127.0.0.1:{pg.port}/{secret['database']}"
username = "postgres"
password = "${{CANARY_JDBC}}"
table-name = "t"
primary-key = ["id"]

[sinks.copy]
input = "made"
connector = "kafka"
topic = "{secret['topic']}"
format = "json"
properties.bootstrap.servers = "127.0.0.1:{broker}"
properties.security.protocol = "SASL_PLAINTEXT"
properties.sasl.mechanism = "PLAIN"
properties.sasl.username = "somebody"
properties.sasl.password = "{secret['kafka']}"
"""


def search(where, text, wanted=()):
    found = [canary for canary in planted() if canary in text]
    assert not found, f"{where} shows {found}:\n" + "\n".join(l for l in text.splitlines() if any(c in l for c in found))
    for words in wanted:
        assert words in text, f"{where} does not hold {words!r}, so the test proves nothing:\n{text[-3000:]}"


def run(work, pg, log_format, crashes):
    folder = f"{work}/{log_format}"
    os.makedirs(folder)
    leat = Leat(pipeline(folder, pg, free_port(), log_format), folder, env=VARIABLES).launch()
    wait_until(lambda: leat.logged("does not exist") and leat.logged("resolve"), 30, lambda: leat.log_text()[-3000:])
    time.sleep(3)  # the clients' own log lines; nothing shorter says that there are no more of them
    for path in ("/health", "/health/live", "/health/ready", "/metrics", "/", "/api/v1/jobs", "/nowhere"):
        wanted = ("******",) if path == "/health" else ()
        search(path, leat.get(path)[1], wanted)
    if crashes:
        os.kill(leat.pid, signal.SIGSEGV)
        assert leat.wait_end() == -signal.SIGSEGV
    else:
        leat.terminate()
    words = ("******", "does not exist") + (("crashed by SIGSEGV",) if crashes else ())
    search(f"the log as {log_format}", leat.log_text(), words)
    return leat.pipeline


def test_no_output_shows_a_secret(work, pg):
    for log_format, crashes in (("text", False), ("json", True)):
        file = run(work, pg, log_format, crashes)
    environment = {**VARIABLES, "LEAT_HTTP": "127.0.0.1:0", "LEAT_DATA": work}
    for verb in (["check"], ["check", "--json"], ["plan"], ["plan", "--json"], ["plan", "--dot"]):
        done = run_verb(*verb, file, env=environment)
        assert done.returncode == 0, done.stderr
        search(" ".join(verb), done.stdout + done.stderr)
    for verb in (["plan", "--connect", file], ["sql", "-f", file, "SELECT * FROM made LIMIT 1"],
                 ["sql", "--timeout", "5", "-f", file, "SELECT * FROM pg"]):
        done = run_verb(*verb, env=environment)
        search(" ".join(verb), done.stdout + done.stderr)
    done = run_verb("plugins", "--json", env=environment)
    search("plugins", done.stdout + done.stderr)


def test_no_fault_shows_a_secret(work, pg):
    """Each line of the file in turn is broken in a few ways: the faults show lines, values and hints."""
    folder = f"{work}/broken"
    os.makedirs(folder)
    lines = pipeline(folder, pg, free_port(), "text").split("\n")
    environment = {**VARIABLES, "LEAT_HTTP": "127.0.0.1:0", "LEAT_DATA": work}
    changes = (lambda l: re.sub(r"^(\S+)(\s*=)", r"\1x\2", l), lambda l: re.sub(r"=\s*(.*)$", r"= [\1]", l),
               lambda l: re.sub(r"^(\S+)(\s*=)", r"nothing-like-it\2", l), lambda l: l + " oops",
               lambda l: re.sub(r"=\s*(['\"].*)$", r"= { a = \1 }", l))
    for number, line in enumerate(lines):
        if not any(word in line for word in ("file:", "canary", "CANARY", "password", "url")):
            continue
        for change in changes:
            if "nothing-like-it" in change(line) and (IN_CLEAR in line or JAAS in line or "url" in line):
                continue  # what is written in clear for an option that nobody knows is not known to be secret
            path = f"{folder}/broken.toml"
            with open(path, "w") as file:
                file.write("\n".join(lines[:number] + [change(line)] + lines[number + 1:]))
            for form in ([], ["--json"]):
                done = run_verb("check", *form, path, env=environment)
                assert done.returncode in (0, 1), f"line {number}: {change(line)}\n{done.stdout}{done.stderr}"
                search(f"check of {change(line)!r}", done.stdout + done.stderr)
