# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that stands between leat and a server and makes the network misbehave on demand."""
import select
import socket
import struct
import threading
import time

from .process import free_port

RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards 127.0.0.1:port to the target. What it does to the connections can be changed at any time:

        delay        seconds that each piece of data is held back, in each direction
        black_hole() data is taken and nothing is passed on, connections stay open and new ones are accepted
        pause()      data is not taken any more: the sender meets back-pressure
        heal()       back to passing on; what the black hole swallowed is lost, as its connections then are
        cut()        every connection ends with FIN; reset() ends them with RST
        refuse()     new connections are refused until accept() is called

    One thread serves all of it, which is enough for tests and keeps the order of events simple."""

    def __init__(self, target_port, target_host="127.0.0.1", port=None):
        self.target = (target_host, target_port)
        self.host = "127.0.0.1"
        self.port = port or free_port()
        self.delay = 0.0
        self.bytes = 0
        self.connections = 0
        self._mode = "pass"
        self._lock = threading.Lock()
        self._pairs = []
        self._listener = None
        self._running = True
        self._wake_read, self._wake_write = socket.socketpair()
        self.accept()
        self._thread = threading.Thread(target=self._serve, name=f"proxy-{self.port}", daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def accept(self):
        with self._lock:
            if self._listener is None:
                self._listener = socket.socket()
                self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                self._listener.bind(("127.0.0.1", self.port))
                self._listener.listen(64)
                self._listener.setblocking(False)
        self._wake()

    def refuse(self):
        with self._lock:
            if self._listener is not None:
                self._listener.close()
                self._listener = None
        self._wake()

    def black_hole(self):
        self._set_mode("swallow")

    def pause(self):
        self._set_mode("pause")

    def heal(self):
        with self._lock:
            swallowed = [pair for pair in self._pairs if pair.lost]
        self._end(swallowed, reset=True)
        self._set_mode("pass")

    def cut(self):
        """Ends every connection as a closing peer would; returns how many there were."""
        return self._end(self._snapshot(), reset=False)

    def reset(self):
        """Ends every connection with RST; returns how many there were."""
        return self._end(self._snapshot(), reset=True)

    def close(self):
        self._running = False
        self._wake()
        self._thread.join(5)
        self.refuse()
        self.reset()

    def _snapshot(self):
        with self._lock:
            return list(self._pairs)

    def _set_mode(self, mode):
        with self._lock:
            self._mode = mode
        self._wake()

    def _wake(self):
        self._wake_write.send(b"x")

    def _end(self, pairs, reset):
        with self._lock:
            ended = [pair for pair in pairs if pair in self._pairs]
            for pair in ended:
                self._pairs.remove(pair)
                pair.end(reset)
        self._wake()
        return len(ended)

    def _serve(self):
        while self._running:
            with self._lock:
                readers = [self._wake_read] + ([self._listener] if self._listener else [])
                writers = []
                now = time.monotonic()
                timeout = 1.0
                for pair in self._pairs:
                    for way in pair.ways:
                        if way.wants_read() and self._mode != "pause":
                            readers.append(way.source)
                        due = way.due_in(now)
                        if due is not None and self._mode == "pass":
                            if due <= 0:
                                writers.append(way.target)
                            else:
                                timeout = min(timeout, due)
            try:
                ready_read, ready_write, _ = select.select(readers, writers, [], timeout)
            except (OSError, ValueError):
                continue  # a socket was closed by another thread in between
            self._turn(ready_read, ready_write)

    def _turn(self, ready_read, ready_write):
        with self._lock:
            if self._wake_read in ready_read:
                self._wake_read.recv(4096)
            if self._listener in ready_read:
                self._take()
            for pair in list(self._pairs):
                try:
                    for way in pair.ways:
                        if way.source in ready_read and way.source.fileno() >= 0:
                            self._read(pair, way)
                        if way.target in ready_write and way.target.fileno() >= 0:
                            way.write()
                    if all(way.finished() for way in pair.ways):
                        self._drop(pair, reset=False)
                except OSError:
                    self._drop(pair, reset=True)

    def _drop(self, pair, reset):
        if pair in self._pairs:
            self._pairs.remove(pair)
        pair.end(reset)

    def _take(self):
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        try:
            server = socket.create_connection(self.target, timeout=5)
        except OSError:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.close()
            return
        self.connections += 1
        self._pairs.append(_Pair(client, server))

    def _read(self, pair, way):
        data = way.source.recv(65536)
        self.bytes += len(data)
        if self._mode == "swallow":
            pair.lost = True
            return
        way.take(data, time.monotonic() + self.delay)


class _Pair:
    """Two sockets and the two ways between them."""

    def __init__(self, client, server):
        for end in (client, server):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lost = False
        self.ways = (_Way(client, server), _Way(server, client))

    def end(self, reset):
        for way in self.ways:
            if reset:
                try:
                    way.source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                except OSError:
                    pass
            way.source.close()


class _Way:
    """One direction: pieces wait in order until their time has come."""
    LIMIT = 1 << 20

    def __init__(self, source, target):
        self.source = source
        self.target = target
        self.pieces = []
        self.held = 0
        self.ended = False
        self.shut = False

    def wants_read(self):
        return not self.ended and self.held < self.LIMIT

    def due_in(self, now):
        return self.pieces[0][0] - now if self.pieces else None

    def take(self, data, due):
        if data:
            self.held += len(data)
        else:
            self.ended = True
        self.pieces.append((due, data))

    def write(self):
        due, data = self.pieces[0]
        if not data:
            self.target.shutdown(socket.SHUT_WR)
            self.shut = True
            self.pieces.pop(0)
            return
        sent = self.target.send(data)
        self.held -= sent
        if sent == len(data):
            self.pieces.pop(0)
        else:
            self.pieces[0] = (due, data[sent:])

    def finished(self):
        return self.shut
