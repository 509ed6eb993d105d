# SPDX-License-Identifier: Apache-2.0
"""What the benches stand on: the form of a bench (form), its servers (bed), CPU and memory of whole processes
(measure), the rows that are moved (shapes), the table (report)."""
from .bed import Bed
from .form import Bench, Measure, Sample, at_least, at_most, ratio_at_least
from .measure import Meter, Timed, run_timed
from .shapes import NARROW, ORDER, SHAPES, WIDE

__all__ = ["Bed", "Bench", "Measure", "Meter", "NARROW", "ORDER", "SHAPES", "Sample", "Timed", "WIDE", "at_least",
           "at_most", "ratio_at_least", "run_timed"]
