"""What reaches a receiver, and how often: limits, partial acceptance, outages, kills."""
import os
import shutil
import signal
import subprocess
import tempfile
import time

from lab import CACHE, Skip, check, config, equal, test, wait_for
from outages import Clocks, held, stored_twice

FAST = 'min_backoff_period = "200ms"\n    max_backoff_period = "1s"'


@test
def nobody_is_attached_to_for_nobody(lab):
    """Nothing is profiled while forward_to leads to no endpoint, and everything once it does."""
    jvm = lab.jvm()
    nowhere = config().replace('pyroscope.write "test" {\n  endpoint {\n    url = "http://127.0.0.1:4040"\n    \n  }',
                               'pyroscope.write "test" {')
    check("endpoint" not in nowhere, nowhere)
    agent = lab.agent(config=nowhere)
    agent.wait_log("nobody receives the profiles")
    time.sleep(2)  # an attach would have begun
    check(not agent.jvms(), f"sessions: {agent.jvms()}")
    check("asyncProfiler" not in open(f"/proc/{jvm.pid}/maps").read(), "the profiler was loaded into the JVM")
    health = agent.component("pyroscope.java.test")["health"]
    check(health["state"] == "unhealthy" and "nobody receives" in health["message"], f"health: {health}")
    receiver = lab.receiver()
    lab.file("config.alloy", config())
    equal(agent.reload()[0], 200, "status of the reload")
    receiver.wait_stack("Shop.bake", type="process_cpu")
    equal(agent.component("pyroscope.java.test")["health"]["state"], "healthy", "health")


@test
def a_rejection_is_the_state_of_the_jvm_it_concerns(lab):
    """A label that the receiver does not take: its JVM is degraded, the other one is not."""
    receiver = lab.receiver()
    receiver.refuse("unwanted")
    good, bad = lab.jvm(), lab.jvm()
    agent = lab.agent(config=config(rules=f"""rule {{
    source_labels = ["__process_pid__"]
    regex         = "{bad.inner}"
    target_label  = "service_name"
    replacement   = "unwanted"
  }}"""))
    agent.wait_reason(bad, "a server rejects profiles of this JVM: .*told to refuse")
    equal(agent.jvms()[bad.inner]["state"], "degraded", "state of the rejected JVM")
    equal(agent.jvms()[bad.inner]["reason_code"], "profiles_rejected", "code of the reason")
    receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(good.inner))
    agent.wait_state(good, "profiling")
    check(not receiver.profiles(service_name="unwanted"), "rejected profiles arrived")
    agent.wait_log("the server rejects profiles.*service=unwanted")
    equal(len(agent.lines("pushes succeed again")), 0, "lines that say it works again")


@test
def a_partly_accepted_request_counts_once(lab):
    """The receiver stores the good profiles of a request and answers 429 for the rest, as Pyroscope does."""
    receiver = lab.receiver()
    receiver.refuse("memory", 429)
    jvm = lab.jvm()
    agent = lab.agent(config=config(endpoint=FAST))
    receiver.wait(4, seconds=40, pid=str(jvm.inner), type="process_cpu")
    check(not receiver.profiles(type="memory"), "refused profiles were stored")
    receiver.refuse("")
    receiver.wait(2, seconds=40, pid=str(jvm.inner), type="memory")
    agent.stop()
    equal(stored_twice(receiver), [], "profiles stored twice")
    receiver.check_valid()


@test
def an_outage_and_a_kill_lose_nothing(lab):
    """The receiver fails from the start; the agent is killed meanwhile and started again; the receiver recovers."""
    receiver = lab.receiver(status=503)
    jvm = lab.jvm()
    storage = f"--storage.path={lab.dir / 'data'}"
    text = config(endpoint=FAST + "\n    max_backoff_retries = 1")
    agent = lab.agent(storage, config=text)
    wait_for("profiles on disk", lambda: held(agent)[0] >= 6 and held(agent)[1] > 0, 60)
    made, size = held(agent)
    wait_for("more of them", lambda: held(agent)[1] > size and held(agent)[0] > made + 1, 60)
    agent.signal(signal.SIGKILL)
    agent.wait(10)
    killed = time.time_ns()
    again = lab.agent(storage, config=text)
    wait_for("profiles of the next agent", lambda: held(again)[0] >= 4, 90)
    equal(again.metric("smolder_dropped_profiles_total"), 0, "dropped profiles")
    receiver.behave(status=0)
    wait_for("an empty spool", lambda: again.metric("smolder_spool_bytes") == 0, 60)
    equal(stored_twice(receiver), [], "profiles stored twice")
    old = [p for p in receiver.profiles(pid=str(jvm.inner)) if p["time_nanos"] + p["duration_nanos"] < killed]
    check(len(old) >= made, f"{len(old)} profiles from before the kill, of {made}")
    equal(again.metric("smolder_dropped_profiles_total"), 0, "dropped profiles")
    check(again.metric("smolder_replayed_profiles_total") > 0, "nothing was replayed")
    again.wait_log("pushes succeed again")
    again.stop()
    receiver.check_valid()
    equal(os.listdir(lab.dir / "data" / "spool"), [], "spools left behind")


def check_delivered(receiver, jvm, made, before, agent):
    """All that was made before that time arrived, and once."""
    wait_for("an empty spool", lambda: agent.metric("smolder_spool_bytes") == 0, 120)
    old = [p for p in receiver.profiles(pid=str(jvm.inner)) if p["time_nanos"] + p["duration_nanos"] < before]
    check(len(old) >= made, f"{len(old)} profiles of {made}")
    equal(stored_twice(receiver), [], "profiles stored twice")
    equal(agent.metric("smolder_dropped_profiles_total"), 0, "dropped profiles")
    receiver.check_valid()


@test
def half_an_hour_of_429_with_a_kill_in_it_loses_nothing(lab):
    """The clocks are set forward, three minutes at a time; the agent is killed after fifteen and started again."""
    receiver, clocks = lab.receiver(status=429), Clocks(lab)
    jvm = lab.jvm()
    storage = f"--storage.path={lab.dir / 'data'}"
    text = config(endpoint='max_backoff_retries = 1\n    max_backoff_period = "2m"')
    agent = lab.agent(storage, config=text, env=clocks.env)

    def quarter_of_an_hour():
        for _ in range(5):
            made, size = held(agent)
            wait_for("more profiles on disk", lambda: held(agent)[0] > made and held(agent)[1] > size, 60)
            attempts = agent.metric("smolder_pushes_total", result="retry")
            clocks.jump(wall=180, monotonic=180)
            wait_for("another attempt", lambda: agent.metric("smolder_pushes_total", result="retry") > attempts, 60)

    quarter_of_an_hour()
    made, _ = held(agent)
    wait_for("all of it on disk", lambda: held(agent)[0] > made, 60)
    agent.signal(signal.SIGKILL)
    agent.wait(10)
    killed = time.time_ns()
    agent = lab.agent(storage, config=text, env=clocks.env)
    wait_for("profiles of the next agent", lambda: held(agent)[0] >= 4, 90)
    quarter_of_an_hour()
    receiver.behave(status=0)
    clocks.jump(wall=600, monotonic=600)
    check_delivered(receiver, jvm, made, killed, agent)
    agent.wait_log("pushes succeed again")


@test
def a_clock_that_is_set_makes_no_profile_older(lab):
    """An outage, the time of day two hours ahead in it, then a day behind."""
    receiver, clocks = lab.receiver(status=503), Clocks(lab)
    jvm = lab.jvm()
    agent = lab.agent(f"--storage.path={lab.dir / 'data'}", config=config(endpoint=FAST), env=clocks.env)
    for jump in (2 * 3600, -26 * 3600):
        made, size = held(agent)
        wait_for("more profiles on disk", lambda: held(agent)[0] > made and held(agent)[1] > size, 60)
        clocks.jump(wall=jump)
    made, jumped = held(agent)[0], time.time_ns()
    wait_for("profiles after the jumps", lambda: held(agent)[0] > made + 4, 60)
    receiver.behave(status=0)
    check_delivered(receiver, jvm, made - 4, jumped, agent)


def oauth2_server():
    """oauth2-mock-server, which signs real tokens and checks its requests; installed once, as a whole."""
    folder = CACHE / "oauth2-mock-server-9"
    if not folder.exists():
        if not shutil.which("npm"):
            raise Skip("npm is not installed, so there is no oauth2-mock-server")
        CACHE.mkdir(parents=True, exist_ok=True)
        half = tempfile.mkdtemp(dir=CACHE)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", half, "oauth2-mock-server@9"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise Skip(f"oauth2-mock-server cannot be installed: {done.stderr.strip()[-200:]}")
        try:
            os.rename(half, folder)
        except OSError:
            shutil.rmtree(half)
            check(folder.exists(), "cannot put oauth2-mock-server in place")
    return folder / "node_modules" / "oauth2-mock-server" / "dist" / "oauth2-mock-server.mjs"


@test
def pushes_carry_a_token_of_a_real_oauth2_server(lab):
    script = oauth2_server()
    server = lab.run(["node", script, "-a", "127.0.0.1", "-p", "8081"], name="oauth2")
    wait_for("the OAuth2 server", lambda: "listening" in server.text(), 60)
    receiver = lab.receiver()
    lab.jvm()
    secret = lab.file("secret", "s3cret\n")
    agent = lab.agent(config=config(endpoint=f"""oauth2 {{
      client_id          = "smolder"
      client_secret_file = "{secret}"
      scopes             = ["profiles:write"]
      token_url          = "http://127.0.0.1:8081/token"
    }}"""))
    receiver.wait(4)
    authorization = receiver.stats()["last_request"]["Authorization"]
    check(authorization.startswith("Bearer ey") and authorization.count(".") == 2, f"no token: {authorization[:20]}")
    check(authorization.split()[1] not in agent.text(), "the token is in the log")
