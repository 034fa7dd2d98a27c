"""The benchmarks of the whole program measure something, started as `make bench` starts them in a clone below /tmp."""
import re
import shutil

from lab import CACHE, ROOT, built, check, equal, need_java, test

SHORT = {
    "latency": (["--rounds", "1"], ["exec to first sample", "attach within it"]),
    "container": (["--rounds", "1"], ["container start to first sample"]),
    "coverage": (["--seconds", "12", "--interval", "3s", "--roll-over", "60s", "--threads", "1"],
                 ["coverage, 1 busy thread", "largest gap, 1 busy thread", "largest overlap, 1 busy thread"]),
    "scale": (["--jvms", "1", "2", "--seconds", "3", "--gap-seconds", "20", "--interval", "2s", "--rounds", "1"],
              ["smolder: 2 JVMs: CPU", "smolder: 2 JVMs: anonymous", "smolder: first attach p99",
               "smolder: attach p99", "smolder: roll-over p99", "smolder: gap of an interval p99"]),
    "footprint": (["--seconds", "6", "--interval", "2s", "--variant", "store"],
                  ["stripped binary", "with the store: RSS", "with the store: CPU"]),
    "processes": (["--many", "./many_processes", "--processes", "50", "--seconds", "2", "--settle", "1"],
                  ["50 processes, idle", "50 processes, awake", "50 processes, awake, all labels"]),
}


def clone(lab):
    """What the benchmarks need of a checkout, in the machine's /tmp; returns the build folder."""
    root = lab.machine.path("/tmp/clone")
    for folder in ("bench", "examples", "tests/receiver"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "build").mkdir()
    shutil.copy(lab.smolder, root / "build" / "smolder")
    return "/tmp/clone/build"


def figures(lab, name):
    """What one benchmark printed, called as `meson test` calls it: the program's path is relative to the build
    folder."""
    options, wanted = SHORT[name]
    java = f"{need_java(17)}/bin/java"
    root = clone(lab)
    shutil.copy(many_processes(), lab.machine.path(f"{root}/many_processes"))
    command = ["python3", f"/tmp/clone/bench/{name}.py", "--smolder", "./smolder", "--java", java, *options]
    status, text = lab.call(command, 120, cwd=root, env={"PYTHONDONTWRITEBYTECODE": "1"})
    equal(status, 0, f"exit status of {name}.py, which wrote {text}")
    for figure in wanted:
        check(re.search(rf"^{re.escape(figure)}.* \d", text, re.M), f"{name}.py has no figure for {figure}: {text}")


@test
def latency_is_measured_in_a_clone_below_tmp(lab):
    figures(lab, "latency")


@test
def container_is_measured_in_a_clone_below_tmp(lab):
    figures(lab, "container")


@test
def coverage_is_measured_in_a_clone_below_tmp(lab):
    figures(lab, "coverage")


@test
def scale_is_measured_in_a_clone_below_tmp(lab):
    figures(lab, "scale")


@test
def footprint_is_measured_in_a_clone_below_tmp(lab):
    figures(lab, "footprint")


def many_processes():
    source = ROOT / "bench" / "many_processes.c"
    return built(CACHE / "many_processes", [source], ["cc", "-O1", str(source)])


@test
def processes_are_measured_in_a_clone_below_tmp(lab):
    figures(lab, "processes")
