# SPDX-License-Identifier: Apache-2.0
"""What an operator sees: lag while other tables are busy, and a login that is refused."""
import os
import signal

from leattest import Leat, Postgres, wait_until
from leattest.pipeline import cdc_source, head, section

TIMEOUT = 120


def captured(pg, db, slot, more={}):
    return (head("numbers", "200 ms") + cdc_source("pg", pg, db, "t", slot, {"wal-sender.timeout": "5s"} | more)
            + section("sinks.out", {"input": "pg", "connector": "blackhole"}))


def lag(leat):
    return leat.metric("leat_source_lag_bytes"), leat.metric("leat_source_lag_milliseconds")


def test_lag_while_other_tables_are_busy(pg, db, work, unique):
    """The walsender stands still, as it would over a long stretch of log that holds nothing for us."""
    pg.query("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (v text)", database=db)
    with Leat(captured(pg, db, unique("slot")), work) as leat:
        pg.query("INSERT INTO t VALUES (1)", database=db)
        wait_until(lambda: leat.metric("leat_rows_in_total") == 1 and lag(leat) == (0, 0), 30, lambda: f"no lag: {lag(leat)}")
        sender, = pg.walsender_pids()
        os.kill(sender, signal.SIGSTOP)
        try:
            pg.query("INSERT INTO other SELECT repeat('x', 1000) FROM generate_series(1, 2000)", database=db)
            wait_until(lambda: lag(leat)[0] > 2000000 and lag(leat)[1] > 1500, 10, lambda: f"the lag to show: {lag(leat)}")
            first = lag(leat)[1]
            wait_until(lambda: lag(leat)[1] > first + 1000, 10, lambda: f"the lag to grow: {lag(leat)}")
        finally:
            os.kill(sender, signal.SIGCONT)
        wait_until(lambda: lag(leat) == (0, 0), 20, lambda: f"no lag: {lag(leat)}")
        leat.terminate()


def test_a_refused_login_is_an_error_at_once(work, unique):
    with Postgres(f"{work}/pg") as pg:
        pg.query("CREATE TABLE t (id int PRIMARY KEY); CREATE ROLE reader LOGIN SUPERUSER PASSWORD 'right'")
        with open(f"{pg.data}/pg_hba.conf") as file:
            rules = file.read()
        with open(f"{pg.data}/pg_hba.conf", "w") as file:
            file.write("host all reader 127.0.0.1/32 scram-sha-256\n" + rules)
        pg.query("SELECT pg_reload_conf()")
        leat = Leat(captured(pg, "postgres", unique("slot"), {"username": "reader", "password": "${READER}"}), f"{work}/leat",
                    env={"READER": "mended"})
        try:
            leat.launch()
            leat.wait_logged('ERROR .*refuses the login: password authentication failed for user "reader" '
                             'code=LEAT-Q0005 option=password hint="Check username and password')
            assert "mended" not in leat.log_text()
            status, reason = leat.get("/health/ready")
            assert status == 503 and "LEAT-Q0005" in reason and "password authentication failed" in reason, reason
            pg.query("ALTER ROLE reader PASSWORD 'mended'")
            leat.wait_ready()
            leat.terminate()
        finally:
            leat.kill()
