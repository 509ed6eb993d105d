# SPDX-License-Identifier: Apache-2.0
"""The contract of sources and sinks, kept by the connectors that need a server: the programs of tests/contract, built with
the address sanitizer so that leaks are seen too."""
import os
import subprocess

from leattest.leat import ROOT

KAFKA = ("3.9.1", "4.1.0")
TIMEOUT = 300


def run(program, **servers):
    build = os.environ.get("LEAT_BUILD", f"{ROOT}/build-asan")
    env = dict({"ASAN_OPTIONS": "detect_leaks=1"}, **os.environ, **servers)
    result = subprocess.run([f"{build}/tests/{program}"], env=env, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=TIMEOUT)
    assert result.returncode == 0, result.stdout


def test_postgres(pg, db):
    run("contract_postgres", JDBC_HOST=pg.host, JDBC_PORT=str(pg.port), JDBC_DATABASE=db)


def test_kafka(kafka):
    run("contract_kafka", KAFKA_BOOTSTRAP=kafka.bootstrap)
