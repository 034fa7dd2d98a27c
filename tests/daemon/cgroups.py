"""Cgroups of a test's own, named as container runtimes and systemd name theirs."""
import contextlib
import os
import pathlib
import threading

from lab import Skip, wait_for


def cgroup_root():
    """Where cgroups can be made, seen from here."""
    for line in open("/proc/self/mounts", encoding="utf-8"):
        _, where, kind, options = line.split()[:4]
        if kind == "cgroup2" and "rw" in options.split(","):
            return pathlib.Path(where)
    raise Skip("no cgroup2 that can be written to")


@contextlib.contextmanager
def cgroups():
    """place(jvm, path) moves a JVM into a cgroup below place.top, a tree of its own, which ends with the JVMs."""
    top = cgroup_root() / f"smolder-test-{os.getpid()}-{threading.get_ident()}"  # tests run side by side
    placed = []

    def place(jvm, path):
        folder = top / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup.procs").write_text(str(jvm.pid))
        placed.append(jvm)
    place.top = top
    try:
        yield place
    finally:
        for jvm in placed:
            jvm.kill()
        folders = sorted((p for p in top.rglob("*") if p.is_dir()), key=lambda p: -len(p.parts))
        wait_for("empty cgroups", lambda: not any((p / "cgroup.procs").read_text() for p in folders))
        for folder in [*folders, top]:
            folder.rmdir()
