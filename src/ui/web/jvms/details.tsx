/* All that is known of one JVM. */
import type { ComponentChildren } from "preact";
import { ago, amount, clock } from "../shared/format";
import { Jvm, keyOf, remedyText } from "../shared/jvms";
import type { Place } from "../shared/place";
import { RecordPanel, RecordResult } from "./record_panel";
import { agentShare } from "./rows";
import { deliveredText } from "./table";

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return children ? (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  ) : null;
}

function costText(j: Jvm, nowMs: number): string {
  const share = agentShare(j, nowMs),
    time = amount(j.agent_cpu_ms * 1e6, "nanoseconds");
  return share === null ? "" : `${time} of CPU time in the agent, ${share.toFixed(3)} % of a processor`;
}

function Facts({ j, nowMs }: { j: Jvm; nowMs: number }) {
  const count = (n: number) => n.toLocaleString("en-US");
  return (
    <dl class="facts">
      <Fact name="Process">{j.pid}</Fact>
      <Fact name="Program">{j.main}</Fact>
      <Fact name="JVM">{[j.version, j.vendor].filter(Boolean).join(" · ")}</Fact>
      <Fact name="Container">{j.container}</Fact>
      <Fact name="Component">{j.component}</Fact>
      <Fact name="Profiled for">
        {j.profiled_since_ms ? ago((j.ended_ms || nowMs) - j.profiled_since_ms) : ""}
      </Fact>
      <Fact name="Ended">{j.ended_ms ? clock(j.ended_ms, true) : ""}</Fact>
      <Fact name="Samples">{j.profiles ? `${count(j.samples)} in ${count(j.profiles)} profiles` : ""}</Fact>
      <Fact name="Last delivered">
        {deliveredText(j, nowMs) && `${deliveredText(j, nowMs)}, ${count(j.delivered)} confirmed by endpoints`}
      </Fact>
      <Fact name="Dropped">{j.dropped ? <span class="reason">{`${count(j.dropped)} profiles`}</span> : ""}</Fact>
      <Fact name="Lost">{j.lost ? <span class="reason">{`${count(j.lost)} chunks or intervals`}</span> : ""}</Fact>
      <Fact name="Recorded">{j.recorded_bytes ? amount(j.recorded_bytes, "bytes") : ""}</Fact>
      <Fact name="Overhead">
        {costText(j, nowMs) && (
          <>
            {costText(j, nowMs)}
            <br />
            <span class="meta">What sampling costs within the JVM is not counted by anything, and not in it.</span>
          </>
        )}
      </Fact>
      <Fact name="Profiler">
        {j.options && <code>{j.options}</code>}
      </Fact>
      <Fact name="Labels">
        {Object.entries(j.labels || {}).map(([name, value]) => (
          <code key={name} class="label">{`${name}=${value}`}</code>
        ))}
      </Fact>
    </dl>
  );
}

export function Details({ j, nowMs, place, onClose }: { j: Jvm; nowMs: number; place: Place; onClose(): void }) {
  const remedy = remedyText(j);
  return (
    <section class="panel jvm-details" id="jvm-details" aria-label={"Details of " + (j.service_name || "pid " + j.pid)}>
      <div class="bar">
        <h2>{j.service_name || "pid " + j.pid}</h2>
        <span class={"badge " + j.state}>{j.state.replace("_", " ")}</span>
        <span class="grow" />
        <button class="quiet" id="jvm-close" onClick={onClose} aria-label="Close details">
          ✕
        </button>
      </div>
      <div class="jvm-body">
        {j.reason && <p class="reason">{j.reason}</p>}
        {remedy && (
          <p>
            <b>Remedy:</b> {remedy}
          </p>
        )}
        {j.state !== "gone" && <RecordPanel j={j} place={place} />}
        <RecordResult of={keyOf(j)} />
        <Facts j={j} nowMs={nowMs} />
      </div>
    </section>
  );
}
