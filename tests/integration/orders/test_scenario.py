# SPDX-License-Identifier: Apache-2.0
"""The scenario of the demo: every layer has the expected bytes, with one task for each node and with more."""
from flow import RESULT, Flow
from leattest import orders

KAFKA = ("3.9.1", "4.1.0")
TIMEOUT = 240


def scenario(work, kafka, parallelism, partitions):
    flow = Flow(work, kafka, parallelism, partitions).start()
    flow.initial()
    flow.life(2006)
    if partitions == 1:
        counts = flow.check()
        assert counts == {"ods_orders": 8, "ods_users": 5, "dwd_orders": 8, RESULT: 8, orders.TARGET: 8}, counts
    flow.leat.terminate(timeout=10)
    layers = flow.bytes()
    flow.pg.stop("immediate")
    return layers


def test_every_layer_is_the_same_with_any_parallelism(work, kafka):
    once = scenario(f"{work}/1", kafka, 1, 1)
    same(scenario(f"{work}/2", kafka, 2, 1), once)
    parted = scenario(f"{work}/3", kafka, 2, 2)
    # with partitions dwd_orders has a key, so that the states of an order stay in order
    parted["dwd_orders"] = sorted((b"", value) for _, value in parted["dwd_orders"])
    same(parted, once)


def same(layers, expected):
    for name, rows in expected.items():
        assert layers[name] == rows, f"{name} differs\n  {layers[name]}\n  {rows}"
