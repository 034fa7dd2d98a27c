"""pyroscope.scrape against a real Go program with net/http/pprof."""
import shutil

from lab import CACHE, ROOT, Skip, built, check, debug_value, equal, test, wait_for

SCRAPE = """
pyroscope.scrape "go" {
  targets         = [{"__address__" = "127.0.0.1:6060", "service_name" = "gateway"}]
  forward_to      = [pyroscope.write.out.receiver]
  scrape_interval = "3s"
  scrape_timeout  = "20s"
  delta_profiling_duration = "2s"
%s
}
pyroscope.write "out" {
  endpoint {
    url = "http://127.0.0.1:4040"
  }
}
"""


def gateway(lab):
    if not shutil.which("go"):
        raise Skip("no Go compiler in PATH")
    folder = ROOT / "tests" / "apps" / "gateway"
    binary = built(CACHE / "gateway", [folder / "main.go", folder / "go.mod"], ["go", "build"], folder)
    own = lab.dir / "gateway"
    shutil.copy(binary, own)
    process = lab.run([own, "127.0.0.1:6060"], name="gateway")
    wait_for("the Go program", lambda: "ready" in process.text())
    return process


def targets(agent):
    return debug_value(agent.component("pyroscope.scrape.go")["debugInfo"])["target"]


@test
def a_go_program_is_scraped(lab):
    receiver = lab.receiver()
    gateway(lab)
    agent = lab.agent(config=SCRAPE % "")
    for name, frame, types in (("process_cpu", "main.bake", ["samples/count", "cpu/nanoseconds"]),
                               ("memory", "main.wrapParcel", ["alloc_objects/count", "alloc_space/bytes",
                                                              "inuse_objects/count", "inuse_space/bytes"]),
                               ("mutex", "main.openVault", ["contentions/count", "delay/nanoseconds"]),
                               ("block", "main.waitForMail", ["contentions/count", "delay/nanoseconds"]),
                               ("goroutine", "main.main", ["goroutine/count"])):
        receiver.wait_stack(frame, type=name, service="gateway", seconds=60)
        equal(receiver.profiles(type=name)[0]["sample_types"], types, f"sample types of {name}")
    labels = receiver.profiles(type="memory")[0]["labels"]
    equal({k: v for k, v in labels.items() if k != "otel.scope.version"},
          {"__name__": "memory", "__delta__": "false", "service_name": "gateway", "job": "pyroscope.scrape.go",
           "instance": "127.0.0.1:6060", "otel.scope.name": "com.grafana.alloy/pyroscope.scrape"}, "labels")
    check("__delta__" not in receiver.profiles(type="process_cpu")[0]["labels"], "a CPU profile says it was compared")
    # Compared: each has what was allocated since the one before, and not everything since the start.
    receiver.wait(4, type="memory", seconds=60)
    spaces = [p["sums"][1] for p in receiver.profiles(type="memory")]
    total = sum(spaces)
    check(all(0 < s < 0.8 * total for s in spaces), f"allocated bytes of the profiles: {spaces}")
    check(all(t["health"] == "up" for t in targets(agent) if t["last_scrape"]), str(targets(agent)))
    # Goroutines are counted at one moment, which the judge does not expect of anything else.
    problems = [p for p in receiver.stats()["problems"] if not ("__name__:goroutine" in p and "duration 0" in p)]
    check(not problems, f"the receiver found: {problems[:3]}")
    agent.stop()


@test
def a_program_that_is_not_there_is_reported(lab):
    lab.receiver()
    agent = lab.agent(config=SCRAPE % """
  profiling_config {
    profile.custom "missing" {
      enabled = true
      path    = "/missing"
    }
  }""")
    agent.wait_log("cannot scrape.*127.0.0.1:6060", 30)
    wait_for("health", lambda: all(t["health"] == "down" and t["last_error"] for t in targets(agent)), 60)
    gateway(lab)
    agent.wait_log("scraping works again", 60)
    wait_for("all but one", lambda: sorted(t["health"] for t in targets(agent)) == ["down"] + ["up"] * 5, 60)
    # It may have been asked for the last time before the program was there.
    wait_for("its answer", lambda: ["HTTP status (404)" in t["last_error"] for t in targets(agent)
                                    if t["health"] == "down"] == [True], 60)
    equal(agent.http("GET", "/-/healthy")[0], 200, "health of the agent")
    agent.stop()
