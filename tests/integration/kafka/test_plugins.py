# SPDX-License-Identifier: Apache-2.0
"""The connectors kafka and upsert-kafka alone, in testhost, against real brokers: the cases of tests/unit/kafka/broker.c
and broker_topics.c."""
import os
import subprocess

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
KAFKA = ("3.9.1", "4.1.0")
TIMEOUT = 300


def run(program, kafka):
    result = subprocess.run([f"{ROOT}/build/tests/{program}"], env={**os.environ, "KAFKA_BOOTSTRAP": kafka.bootstrap}, cwd=ROOT,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT)
    assert result.returncode == 0, result.stdout


def test_connectors_alone(kafka):
    run("kafka_broker", kafka)


def test_topics_that_change(kafka):
    run("kafka_broker_topics", kafka)
