# SPDX-License-Identifier: Apache-2.0
"""Rude clients of the server, all at once, while a pipeline runs: memory stays bounded, and no row is late for it."""
import resource
import socket
import time

from leattest import Leat, wait_until
from leattest.pipeline import counter, head, sink

TIMEOUT = 180
CONNECTIONS = 10000
RATE = 5000
NODES = counter("numbers", RATE) + sink("out", "numbers", "blackhole")
GET = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def connect(leat):
    s = socket.socket()
    s.settimeout(5)
    s.connect(("127.0.0.1", leat.port))
    return s


def say(leat, text):
    """Everything that comes back until the other side closes, is silent for a moment or has had enough."""
    with connect(leat) as s:
        answer = b""
        try:
            s.sendall(text)
            while piece := s.recv(65536):
                answer += piece
                s.settimeout(1)
        except OSError:
            pass
        return answer


def status(answer):
    return int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def flood(leat, send):
    """Opens connections that stay, as many as there may be descriptors for, and says something on each."""
    held, opened = [], 0
    limit = min(2000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)
    while opened < CONNECTIONS:
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", leat.port))
        held.append(s)
        opened += 1
        if len(held) == limit:
            for other in held:
                try:
                    other.send(send)
                except OSError:
                    pass  # refused, or closed already
            for other in held[:limit // 2]:
                other.close()
            held = held[limit // 2:]
    return held


def rows(leat):
    return leat.metric("leat_rows_out_total", node="numbers")


def test_rude_clients_harm_nobody(work):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    with Leat(head("rude") + NODES, work) as leat:
        wait_until(lambda: rows(leat) > RATE, 15, "rows")
        before, count, began = leat.memory(), rows(leat), time.monotonic()

        held = flood(leat, b"GET /health HTTP/1.1\r\nHost: 127.0")  # slow lorises: no end comes
        peak = leat.memory()
        for s in held:
            s.close()
        wait_until(lambda: leat.get("/health/live")[0] == 200, 15, "room for an honest client")

        many = b"".join(b"X-%d: y\r\n" % n for n in range(100000))
        assert status(say(leat, GET + many + b"\r\n")) in (0, 431)
        assert status(say(leat, GET + b"X: " + b"y" * 10_000_000)) in (0, 431)
        assert status(say(leat, b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n")) in (0, 414, 431)
        assert status(say(leat, b"\x16\x03\x01" + bytes(100000))) in (0, 400)
        assert say(leat, (GET + b"\r\n") * 10000).count(b"HTTP/1.1 200") > 0
        for bad in (b"Host: evil.example", b"Host: 127.0.0.1\r\nHost: evil.example", b"Host: 127.0.0.1@evil.example"):
            assert status(say(leat, b"GET /health HTTP/1.1\r\n" + bad + b"\r\n\r\n")) in (400, 403, 421), bad
        for origin in (b"https://evil.example", b"null"):
            answer = say(leat, GET + b"Origin: " + origin + b"\r\nConnection: close\r\n\r\n")
            assert b"access-control-allow" not in answer.lower()

        peak = max(peak, leat.memory())
        passed, took = rows(leat) - count, time.monotonic() - began
        print(f"{peak - before >> 10} KiB more than {before >> 10}, {passed / took:.0f} rows/s in {took:.1f} s")
        assert peak - before < 16 << 20, "what rude clients may hold is bounded"
        assert passed > 0.8 * RATE * took, f"only {passed / took:.0f} rows/s passed"
        assert leat.metric("leat_job_restarts_total") == 0 and leat.ready()
        leat.terminate()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
