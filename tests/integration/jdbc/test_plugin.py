# SPDX-License-Identifier: Apache-2.0
"""The jdbc plugin alone, in testhost, against a real PostgreSQL: the programs of tests/unit/jdbc."""
import os
import subprocess

from leattest.leat import ROOT

TIMEOUT = 180


def run(program, pg, db):
    build = os.environ.get("LEAT_BUILD", f"{ROOT}/build")
    env = dict(os.environ, JDBC_HOST=pg.host, JDBC_PORT=str(pg.port), JDBC_DATABASE=db)
    result = subprocess.run([f"{build}/tests/{program}"], env=env, cwd=ROOT, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT)
    assert result.returncode == 0, result.stdout


def test_sink(pg, db):
    run("jdbc_sink", pg, db)


def test_copy(pg, db):
    run("jdbc_copy", pg, db)


def test_lookup(pg, db):
    run("jdbc_lookup", pg, db)
