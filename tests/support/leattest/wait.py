# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition, never for a time."""
import time


def wait_until(condition, timeout, what, every=0.02):
    """Polls `condition` until it returns something true, which is returned. After `timeout` seconds it fails and says
    what was waited for and what the condition last said. Exceptions of `condition` pass through."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise TimeoutError(f"waited {timeout:g} s for {what() if callable(what) else what}; last seen: {value!r}")
        time.sleep(every)
