# SPDX-License-Identifier: Apache-2.0
"""What README promises in two commands: the demo, and the quickstart that needs no server."""
import os
import re
import signal
import subprocess
import urllib.request

import psycopg2

from leattest import Leat, wait_until
from leattest.leat import ROOT

TIMEOUT = 240


def demo(work, **env):
    """The demo's exit code and what it printed; its servers get a temporary folder below `work`."""
    os.chmod(work, 0o755)
    ran = subprocess.run([f"{ROOT}/ci/demo"], env=dict(os.environ, TMPDIR=work, **env), stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=200)
    return ran.returncode, ran.stdout


def test_the_demo_shows_each_layer_and_leaves_all_running_when_asked(work):
    code, text = demo(work, KEEP="1")
    pids = [int(pid) for pid in re.search(r"with: kill ([\d ]+);", text)[1].split()]
    try:
        assert code == 0, text
        assert "\033" not in text, "colours without a terminal"
        for layer, rows in (("ods_orders", 8), ("ods_users", 5), ("dwd_orders", 8), ("result_orders_with_user_info", 8),
                            ("result.orders_with_user_info", 8)):
            assert f"ok  {layer}: {rows} rows right\n" in text, text
        assert re.search(r"\n  end to end +(\d+\.\d +){2}\d+\.\d\n", text), text
        assert "all rows are there and right" in text
        port = re.search(r"psql -h 127.0.0.1 -p (\d+)", text)[1]
        connection = psycopg2.connect(host="127.0.0.1", port=port, user="postgres", dbname="sink_db")
        with connection.cursor() as cursor:
            cursor.execute("SELECT order_status FROM result.orders_with_user_info WHERE order_id = 2006")
            assert {row[0] for row in cursor} == {"PENDING", "SHIPPED", "COMPLETED"}
        connection.close()
        address = re.search(r"http://(127.0.0.1:\d+)/health", text)[1]
        with urllib.request.urlopen(f"http://{address}/health/ready", timeout=5) as answer:
            assert answer.status == 200
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), 30, "the end of what the demo left")


def test_the_demo_fails_when_leat_does(work):
    code, text = demo(work, LEAT_BINARY="/bin/false")
    assert code == 1 and "the demo failed" in text, text
    assert [name for name in os.listdir(work) if name.startswith("leat-demo-")] == [], "its folder is left"


def test_the_quickstart_prints_rows(work):
    leat = Leat(f"{ROOT}/etc/pipeline.toml", work).start()
    line = leat.wait_logged(r"\+I\[\d+, sensor-[1-4], \d+\.\d, (HOT|fine)\]")
    assert "warm" in line, line
    leat.terminate(timeout=5)
