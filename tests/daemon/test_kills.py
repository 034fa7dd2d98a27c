"""A short version of soak_kills.py: `make soak` runs the long one."""
import os

import soak_kills
from lab import check, test


@test(weight=4)
def random_kills_leave_nothing_behind(lab):
    """Agents, guards, helpers, their children, parsers and JVMs are killed at random for a minute; as many JVMs as two
    cores start in a few seconds each."""
    killed = soak_kills.run(lab, jvms=6 * (os.cpu_count() or 1), seconds=60, seed=7)
    kinds = ("agent", "guard", "helper", "parser", "jvm")
    check(all(killed[kind] for kind in kinds), f"killed: {killed}")
