# SPDX-License-Identifier: Apache-2.0
"""TLS, PLAIN and SCRAM against a real broker: who has the right secrets gets through, who has not is told, and no secret
shows anywhere."""
import json
import os
import subprocess

from leattest import Kafka, Leat, wait_until
from leattest.pipeline import head
from leattest.process import free_port

TIMEOUT = 300
PLAIN_PASSWORD, SCRAM_PASSWORD = "plain-s3cret", "scram-s3cret"

SOURCE = """
[sources.input]
connector = "kafka"
topic = "{source}"
format = "json"
scan.startup.mode = "earliest-offset"
{properties}
[sources.input.schema]
id = "BIGINT"
"""
SINK = """
[sinks.output]
input = "input"
connector = "kafka"
topic = "{target}"
format = "json"
{properties}
"""
NO_SINK = """
[sinks.output]
input = "input"
connector = "blackhole"
"""

# As a WITH clause of Flink has it, and by librdkafka's names.
JAVA = """
properties.bootstrap.servers = "localhost:{plain}"
properties.security.protocol = "SASL_PLAINTEXT"
properties.sasl.mechanism = "PLAIN"
properties.sasl.jaas.config = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="leat" password="{password}";'
"""
SCRAM = """
properties.bootstrap.servers = "localhost:{scram}"
properties.security.protocol = "SASL_SSL"
properties.sasl.mechanism = "SCRAM-SHA-512"
properties.sasl.username = "leat"
properties.sasl.password = "{password}"
properties.ssl.truststore.type = "PEM"
properties.ssl.truststore.location = "{ca}"
"""


def certificate(folder, name):
    """A certificate of localhost that signs itself: (file of key and certificate, file of the certificate)."""
    key, cert, both = (f"{folder}/{name}{end}" for end in (".key", ".crt", ".pem"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(both, "w") as out:
        for part in (key, cert):
            with open(part) as file:
                out.write(file.read())
    return both, cert


class SecureKafka(Kafka):
    """A broker with two more listeners: SASL_PLAINTEXT with PLAIN, and SASL_SSL with SCRAM."""

    def __init__(self, folder):
        super().__init__(f"{folder}/kafka")
        self.plain, self.scram = free_port(), free_port()
        store, self.ca = certificate(folder, "server")
        login = "org.apache.kafka.common.security"
        extra = f"SASL://localhost:{self.plain},TLS://localhost:{self.scram}"
        self.settings = {
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port},{extra}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port},{extra}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SASL_SSL",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.name.sasl.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.sasl.plain.sasl.jaas.config": f'{login}.plain.PlainLoginModule required user_leat="{PLAIN_PASSWORD}";',
            "listener.name.tls.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.tls.scram-sha-512.sasl.jaas.config": f"{login}.scram.ScramLoginModule required;",
            "listener.name.tls.ssl.keystore.type": "PEM",
            "listener.name.tls.ssl.keystore.location": store,
        }

    def add_user(self):
        subprocess.run(self._java("kafka.admin.ConfigCommand", "--bootstrap-server", self.bootstrap, "--alter", "--add-config",
                                  f"SCRAM-SHA-512=[password={SCRAM_PASSWORD}]", "--entity-type", "users", "--entity-name", "leat"),
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=100)


def said(leat):
    """All that leat tells anybody."""
    return leat.log_text() + leat.get("/health")[1] + leat.get("/metrics")[1]


def pipeline(source, target, properties, sink=SINK):
    return head("secure", "200ms") + (SOURCE + sink).format(source=source, target=target, properties=properties)


def copies(work, kafka, name, properties, *secrets):
    source, target = kafka.create_topic(f"{name}-in"), f"{name}-out"
    kafka.produce(source, [(None, json.dumps({"id": n})) for n in range(100)])
    with Leat(pipeline(source, target, properties), f"{work}/{name}") as leat:
        wait_until(lambda: target in kafka.topics() and len(kafka.read_topic(target)) == 100, 60, lambda: said(leat))
        leat.wait_ready()
        for secret in secrets:
            assert secret not in said(leat)
        leat.terminate()


def refused(work, kafka, name, properties, code, hint, secret):
    """The sink, which opens first, and a source alone: each says so once in the log, with what to do, and all the time in
    the reason for not being ready."""
    topic = kafka.create_topic(f"{name}-in")
    for node, sink in (("sink", SINK), ("source", NO_SINK)):
        leat = Leat(pipeline(topic, f"{name}-out", properties, sink), f"{work}/{name}-{node}").launch()
        try:
            wait_until(lambda: f"[{code}]" in leat.get("/health/ready")[1], 60, lambda: said(leat))
            wait_until(lambda: f"code={code}" in leat.log_text(), 10, lambda: said(leat))
            assert leat.log_text().count(f"code={code}") == 1 and leat.log_text().count(hint) == 1, said(leat)
            assert not leat.ready()
            assert secret not in said(leat)
        finally:
            leat.kill()


def test_logins_and_certificates(work):
    os.makedirs(work, exist_ok=True)
    _, other_ca = certificate(work, "other")
    with SecureKafka(work) as kafka:
        kafka.add_user()
        copies(work, kafka, "plain", JAVA.format(plain=kafka.plain, password=PLAIN_PASSWORD), PLAIN_PASSWORD)
        copies(work, kafka, "scram", SCRAM.format(scram=kafka.scram, password=SCRAM_PASSWORD, ca=kafka.ca), SCRAM_PASSWORD)
        refused(work, kafka, "wrong-plain", JAVA.format(plain=kafka.plain, password="not-the-passw0rd"), "LEAT-K0210",
                "Check properties.sasl.username", "not-the-passw0rd")
        refused(work, kafka, "wrong-scram", SCRAM.format(scram=kafka.scram, password="not-the-passw0rd", ca=kafka.ca), "LEAT-K0210",
                "Check properties.sasl.username", "not-the-passw0rd")
        refused(work, kafka, "wrong-ca", SCRAM.format(scram=kafka.scram, password=SCRAM_PASSWORD, ca=other_ca), "LEAT-K0211",
                "Name the certificate of the authority", SCRAM_PASSWORD)
        refused(work, kafka, "no-login", JAVA.format(plain=kafka.port, password=PLAIN_PASSWORD), "LEAT-K0210",
                "Compare properties.security.protocol", PLAIN_PASSWORD)
        refused(work, kafka, "no-tls", f'properties.bootstrap.servers = "localhost:{kafka.scram}"', "LEAT-K0212",
                "Compare properties.security.protocol", SCRAM_PASSWORD)
        refused(work, kafka, "no-name", 'properties.bootstrap.servers = "no-such-host.invalid:9092"', "LEAT-K0213",
                "Check the name", SCRAM_PASSWORD)
