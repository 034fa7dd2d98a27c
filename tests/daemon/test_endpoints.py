"""Pushes over connections that misbehave: HTTP/2 and HTTP/1.1 behind a front that speaks them frame by frame."""
import signal
import time

import soak_outage
from lab import check, config, equal, test, wait_for
from outages import FAST, Front, stored_twice


def arrive(receiver, what):
    """Waits for profiles of three more pushes."""
    seen = len(receiver.profiles())
    wait_for(f"profiles after {what}", lambda: len(receiver.profiles()) >= seen + 6, 60)


def misbehave(front, receiver, agent, modes):
    for mode in modes:
        front.behave(mode)
        arrive(receiver, mode)
        equal(agent.metric("smolder_dropped_profiles_total"), 0, f"dropped profiles after {mode}")
    equal(stored_twice(receiver), [], "profiles stored twice")
    receiver.check_valid()


@test
def pushes_use_http2_and_survive_what_servers_do(lab):
    """One connection for all; it is given up (GOAWAY), refuses a stream, asks with PING, drips, or says no more."""
    receiver = lab.receiver()
    front = Front(lab)
    lab.jvm()
    agent = lab.agent(config=config(url=front.url, endpoint=front.endpoint()))
    arrive(receiver, "the start")
    equal(front.stats()["http1"], 0, "requests over HTTP/1.1")
    # A second request may begin while the first one still shakes hands.
    check(front.stats()["connections"] <= 2, f"connections: {front.stats()}")
    misbehave(front, receiver, agent, ["ping", "refuse", "farewell", "drip"])
    check(front.stats()["pings"] > 0, "PINGs that were answered")
    equal(agent.lines("level=warn.*push"), [], "warnings")
    before = front.stats()["connections"]
    misbehave(front, receiver, agent, ["stall"])
    check(front.stats()["connections"] > before, "the half-open connection was used again")
    warnings = agent.lines("level=warn.*push")
    misbehave(front, receiver, agent, ["goaway"])
    equal(agent.lines("level=warn.*push"), warnings, "warnings")
    equal(front.stats()["http1"], 0, "requests over HTTP/1.1")


@test
def pushes_use_http1_where_http2_is_not_wanted(lab):
    receiver = lab.receiver()
    front = Front(lab)
    lab.jvm()
    agent = lab.agent(config=config(url=front.url, endpoint=front.endpoint("enable_http2 = false")))
    arrive(receiver, "the start")
    misbehave(front, receiver, agent, ["farewell", "drip", "stall"])
    equal(front.stats()["http2"], 0, "requests over HTTP/2")


@test
def a_server_that_stands_still_costs_nothing(lab):
    """Its kernel takes connections and bytes, and nobody answers: the peer of a half-open connection."""
    receiver = lab.receiver()
    front = Front(lab)
    lab.jvm()
    agent = lab.agent(f"--storage.path={lab.dir / 'data'}",
                      config=config(url=front.url, endpoint=front.endpoint("max_backoff_retries = 1", FAST)))
    arrive(receiver, "the start")
    for _ in range(2):
        front.process.signal(signal.SIGSTOP)
        wait_for("profiles on disk", lambda: agent.metric("smolder_spool_bytes") > 0, 60)
        seen = len(receiver.profiles())
        begun = time.monotonic()
        wait_for("a longer outage", lambda: time.monotonic() - begun > 3, 30)
        equal(len(receiver.profiles()), seen, "profiles that passed a server that stands still")
        front.process.signal(signal.SIGCONT)
        wait_for("an empty spool", lambda: agent.metric("smolder_spool_bytes") == 0, 60)
        arrive(receiver, "the server goes on")
    equal(agent.metric("smolder_dropped_profiles_total"), 0, "dropped profiles")
    receiver.check_valid()


@test
def outages_of_every_kind_lose_nothing(lab):
    """A short version of soak_outage.py: `make soak` runs the long one."""
    soak_outage.run(lab, jvms=2, seconds=20, seed=7)
