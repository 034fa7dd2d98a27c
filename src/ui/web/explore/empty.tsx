/* Why there is no graph, and what helps. */
import type { ComponentChildren } from "preact";
import { ago, clock, plural, solid } from "../shared/format";
import { Jvm, JvmList, isProfiled, profilesJava } from "../shared/jvms";
import { Logo } from "../shared/logo";
import { State, TimeRange, chooseRange, rangeOf } from "./state";

interface Props {
  state: State;
  /* Of an answer that did not come. */
  error: string;
  loading: boolean;
  jvms: JvmList | null;
  /* Whether there are services in this time range. */
  others: boolean;
}

function P({ children }: { children: string }) {
  return <p>{solid(children)}</p>;
}

function Longer({ state, quiet = false }: { state: State; quiet?: boolean }) {
  if (state.range === "24h") return null;
  return (
    <button class={quiet ? "quiet" : ""} onClick={() => chooseRange(state, "24h")}>
      Show the last 24 hours
    </button>
  );
}

function First({ jvm }: { jvm: Jvm }) {
  const how = isProfiled(jvm)
    ? `being profiled; its first profile is due in about ${jvm.next_profile_seconds || 1} s`
    : "being attached to";
  return (
    <>
      <h3>{"Waiting for the first profile of " + jvm.service_name}</h3>
      <P>{`JVM ${jvm.pid} is ${how}. This page updates automatically.`}</P>
    </>
  );
}

/* JVMs are profiled, but this store has nothing of them. */
function Waiting({ busy, state, list, range }: { busy: Jvm[]; state: State; list: JvmList; range: TimeRange }) {
  const next = busy.reduce((a, b) => ((b.next_profile_seconds || 99) < (a.next_profile_seconds || 99) ? b : a)),
    since = Math.min(...busy.map(j => Date.parse(j.since) || list.now_ms)),
    many = plural(busy.length, "JVM is", "JVMs are"),
    taken = busy.some(j => {
      const last = Date.parse(j.last_profile);
      return last > range.from && list.now_ms - last > 10000;
    });
  return (
    <>
      <h3>{taken ? "No profiles received" : "Waiting for the first profile"}</h3>
      <P>
        {taken
          ? `${many} being profiled, but no profile was pushed to this store. ` +
            `Check that the url in pyroscope.write is ${location.origin}, and the log.`
          : `${many} being profiled, for ${ago(list.now_ms - since)} so far. ` +
            `The first profile is due in about ${next.next_profile_seconds || 1} s, ` +
            `from ${next.service_name} (PID ${next.pid}). This page updates automatically.`}
      </P>
      <Longer state={state} quiet />
    </>
  );
}

/* No service, and no JVM that is or will be profiled. */
function Nothing({ state, list }: { state: State; list: JvmList | null }) {
  if (list && list.jvms.length)
    return (
      <>
        <h3>No JVM is being profiled yet</h3>
        <P>The list of JVMs shows the reasons.</P>
      </>
    );
  if (list && list.agent && !profilesJava(list))
    return (
      <>
        <h3>No profiles in this time range</h3>
        <P>
          The configuration has no pyroscope.java component; profiles come from other components, or are pushed.
        </P>
        <Longer state={state} quiet />
      </>
    );
  if (list && list.agent)
    return (
      <>
        <h3>No JVM runs on this host</h3>
        <P>New JVMs are detected within a second. A sample application with CPU, allocation and lock load:</P>
        <pre>make demo-app</pre>
        <Longer state={state} quiet />
      </>
    );
  return (
    <>
      <h3>No profiles received yet</h3>
      <P>Configure an agent to push to this store:</P>
      <pre>{`pyroscope.write "here" {\n    endpoint {\n        url = "${location.origin}"\n    }\n}`}</pre>
    </>
  );
}

function Reason({ state, error, loading, jvms, others }: Props): ComponentChildren {
  const range = rangeOf(state),
    all = jvms ? jvms.jvms : [],
    busy = all.filter(j => isProfiled(j) || j.state === "attaching"),
    mine = busy.find(j => state.service && j.service_name === state.service && !Date.parse(j.last_profile)),
    when = `between ${clock(range.from, true)} and ${clock(range.until, true)}`;
  if (error)
    return (
      <>
        <h3>No answer</h3>
        <P>{error}</P>
      </>
    );
  if (loading) return <h3>{state.service ? "Loading " + state.service + "…" : "Loading…"}</h3>;
  if (state.range === "custom" && range.until < Date.now() - 60000)
    return (
      <>
        <h3>{"No profiles" + (state.service ? " of " + state.service : "") + " in this time range"}</h3>
        <P>{`The store has none ${when}.`}</P>
        <Longer state={state} />
      </>
    );
  if (mine) return <First jvm={mine} />;
  if (others || state.service)
    return (
      <>
        <h3>{"No profiles of " + (state.service || "this service") + " in this time range"}</h3>
        <P>{`No profiles were received ${when}.`}</P>
        <Longer state={state} />
      </>
    );
  if (jvms && busy.length) return <Waiting busy={busy} state={state} list={jvms} range={range} />;
  return <Nothing state={state} list={jvms} />;
}

export function Empty(props: Props) {
  return (
    <>
      <Logo pale />
      {Reason(props)}
    </>
  );
}
