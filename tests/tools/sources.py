#!/usr/bin/env python3
"""tools/sources lists what is there, and no list goes stale unnoticed.

usage: tests/tools/sources.py TOOL    works on a small tree of its own
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

failed = []


def equal(got, wanted, what):
    if got != wanted:
        failed.append(f"{what}: {got!r}, expected {wanted!r}")


def put(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


DEFINITION = "const struct component_def %s = {\n    .name = 0,\n};\n"


def check(root, tool):
    shutil.copy(tool, root / "tools")
    for name in ("base/a.c", "base/b.cc", "base/b.h", "base/.#a.c", "base/sub/c.c", "base/own/d.c", "base/own/meson.build",
                 "components/shared.c", "components/x_y_part.c"):
        put(root / "src" / name)
    put(root / "src/components/x_y.c", DEFINITION % "x_y")
    for name in ("test_a.c", "test_b_c.c", "fixture.h", "helper.c"):
        put(root / "tests/unit/base" / name)

    def run(*args, cwd=root):
        done = subprocess.run([root / "tools" / "sources", *args], cwd=cwd, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    equal(run("src/base"), (0, "a.c\nb.cc\nsub/c.c\n", ""), "sources")
    equal(run("--tests", "tests/unit/base"), (0, "a\nb_c\n", ""), "tests")
    registry = run("--registry")[1]
    equal(registry.count("x_y"), 2, "mentions of the component in the registry")
    equal("part" in registry or "shared" in registry, False, "parts in the registry")

    build = root / "build"
    put(build / "sources.list", run("--all")[1])
    equal(run("--check", "sources.list", cwd=build), (0, "", ""), "check of a fresh list")
    for change, undo, said in (
            (lambda: put(root / "src/base/new.c"), lambda: (root / "src/base/new.c").unlink(), "new:  src/base/new.c"),
            (lambda: (root / "tests/unit/base/test_a.c").unlink(), lambda: put(root / "tests/unit/base/test_a.c"),
             "gone: tests/unit/base/test_a.c"),
            # A file that was there becomes a component.
            (lambda: put(root / "src/components/shared.c", DEFINITION % "shared"),
             lambda: put(root / "src/components/shared.c"), "new:      &shared,")):
        change()
        status, out, err = run("--check", "sources.list", cwd=build)
        equal((status, out, said in err and "meson setup --reconfigure" in err), (1, "", True), f"check says {said} in {err}")
        undo()
        equal(run("--check", "sources.list", cwd=build)[0], 0, "status when all is as it was")
    equal(run("--check", "none.list", cwd=build)[0], 1, "status without a list")


with tempfile.TemporaryDirectory() as folder:
    (pathlib.Path(folder) / "tools").mkdir()
    check(pathlib.Path(folder), sys.argv[1])
print("\n".join(failed) or "ok")
sys.exit(bool(failed))
