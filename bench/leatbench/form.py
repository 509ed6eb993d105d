# SPDX-License-Identifier: Apache-2.0
"""The form of a bench: what it measures, against whom, and what would be good enough.

A bench is an object in the list BENCHES of a module bench/<folder>/bench.py. The runner calls setup() once and then,
round by round, rival() and leat() in turn, the first of them changing with each round; every call returns a Sample.
"""


class Sample:
    """One side of one round. `seconds` is the wall time of `rows`, `cpu` the CPU seconds of the measured process and
    `rss` its peak resident bytes; `servers` is {name: CPU seconds} of the servers meanwhile. Further numbers, such as
    percentiles, are given by name. What was not measured stays None."""

    def __init__(self, rows=None, seconds=None, cpu=None, rss=None, servers=None, **more):
        self.rows = rows
        self.seconds = seconds
        self.cpu = cpu
        self.rss = rss
        self.servers = servers or {}
        self.more = more
        self.foreign = None  # share of all cores that programs of others took meanwhile; the runner fills it in

    def __getitem__(self, key):
        derived = {"rate": (self.rows, self.seconds), "rows_per_cpu": (self.rows, self.cpu),
                   "cpu_per_row": (self.cpu, self.rows)}
        if key in derived:
            over, under = derived[key]
            return over / under if over is not None and under else None
        return self.more[key] if key in self.more else getattr(self, key, None)

    def as_dict(self):
        found = {"rows": self.rows, "seconds": self.seconds, "cpu": self.cpu, "rss": self.rss,
                 "servers": self.servers, "foreign": self.foreign, **self.more}
        return {key: value for key, value in found.items() if value not in (None, {})}


class Budget:
    """What would be good enough: `text` for the table and met(leat, ratio, result), which answers True or False, or None
    when there is nothing to compare with. `leat` is the median as shown, `result` a report.Result."""

    def __init__(self, text, met):
        self.text = text
        self.met = met


def ratio_at_least(bound):
    """leat reaches this multiple of the rival (for "less is better": the rival needs this multiple of leat)."""
    return Budget(f"≥ {bound:g} ×", lambda leat, ratio, result: None if ratio is None else ratio >= bound)


def at_least(bound, unit=""):
    return Budget(f"≥ {bound:g} {unit}".rstrip(), lambda leat, ratio, result: leat >= bound)


def at_most(bound, unit=""):
    return Budget(f"≤ {bound:.3g} {unit}".rstrip(), lambda leat, ratio, result: leat <= bound)


class Measure:
    """One line of the table. `key` is a field of Sample, `rate` (rows a second), `rows_per_cpu` (rows a CPU second),
    `cpu_per_row` or the name of a further number; `scale` divides it for showing. The ratio is always "how many times
    better is leat"."""

    def __init__(self, key="rate", unit="rows/s", budget=None, better="more", scale=1):
        self.key = key
        self.unit = unit
        self.budget = budget
        self.better = better
        self.scale = scale


class Bench:
    """Override what differs. Class attributes may be set on the object, so that one class gives several benches.

    name      how ONLY= finds it: words joined by "-", first the folder's
    title     what is measured, as in the table
    rival_is  who the rival is; None without one
    recorded  {measure key: number} of a rival that cannot run here, with `rival_is` saying where it was taken
    measures  the lines of the table
    targets   cmake targets to build first
    rounds    how many rounds unless the command line says otherwise
    timeout   seconds for one call of leat() or rival()
    """
    name = None
    title = None
    rival_is = None
    recorded = None
    measures = (Measure(),)
    targets = ()
    rounds = 5
    timeout = 300

    def __init__(self, **attributes):
        for key, value in attributes.items():
            if not hasattr(type(self), key):
                raise TypeError(f"a bench has no attribute \"{key}\"")
            setattr(self, key, value)

    def setup(self, bed):
        """Makes what all rounds share: tables, topics, slots."""

    def leat(self, bed):
        raise NotImplementedError

    def rival(self, bed):
        """Not called when the class does not override it."""
        raise NotImplementedError

    def teardown(self, bed):
        """Takes away what would disturb the next bench: slots, large tables and topics. Not called after a failure: the
        next bench has new servers then."""

    @classmethod
    def has_rival(cls):
        return cls.rival is not Bench.rival
