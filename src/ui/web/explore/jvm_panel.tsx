/* The JVMs of this host, beside the graph. */
import type { Answer } from "../shared/api";
import { useNow } from "../shared/clock";
import { plural } from "../shared/format";
import { Jvm, JvmList, isProfiled, jvmMeta, profilesJava, remedyText } from "../shared/jvms";
import { choose } from "./state";

function NoJvm({ list }: { list: JvmList }) {
  if (!list.agent) return <p>This store runs without an agent; profiles are pushed to it.</p>;
  if (!profilesJava(list)) return <p>The configuration has no pyroscope.java component: no JVM is looked for.</p>;
  return (
    <>
      <p>No JVM is running on this host. New ones are detected within a second.</p>
      <p>
        Start the sample application with <code>make demo-app</code>.
      </p>
    </>
  );
}

/* The view of the JVMs has all of them. */
const ROWS_MAX = 50,
  ENDED_MS = 600000;

/* Without those that ended longer ago. */
function recent(list: JvmList): Jvm[] {
  return list.jvms.filter(j => !j.ended_ms || list.now_ms - j.ended_ms < ENDED_MS);
}

/* Those of the service come first where not all are shown. */
function firstOf(all: Jvm[], service: string): Jvm[] {
  if (all.length <= ROWS_MAX) return all;
  const own = all.filter(j => j.service_name === service);
  return [...own, ...all.filter(j => j.service_name !== service)].slice(0, ROWS_MAX);
}

function Rows({ list, all, at, service }: { list: JvmList; all: Jvm[]; at: number; service: string }) {
  const since = useNow() - at,
    shown = firstOf(all, service);
  return (
    <ul id="jvms">
      {shown.map(j => (
        <li key={j.component + j.pid + "-" + j.start_time}>
          <button
            title={remedyText(j)}
            aria-current={j.service_name === service}
            onClick={() => choose({ service: j.service_name })}
          >
            <span class="jvm-head">
              <b>{j.service_name || "pid " + j.pid}</b>
              <span class={"badge " + j.state}>{j.state.replace("_", " ")}</span>
            </span>
            <span class="meta">{jvmMeta(j, list.now_ms, since)}</span>
            {j.reason && <span class="reason">{j.reason}</span>}
          </button>
        </li>
      ))}
      {all.length > shown.length && (
        <li class="note">
          <a href="#view=jvms">{plural(all.length - shown.length, "more JVM", "more JVMs")}</a>
        </li>
      )}
    </ul>
  );
}

export function JvmPanel({ answer, service }: { answer: Answer<JvmList>; service: string }) {
  const list = answer.data,
    all = list ? recent(list) : [],
    running = all.filter(j => j.state !== "gone").length;
  return (
    <section class="panel" aria-label="JVMs">
      <div class="bar">
        <h2>JVMs on this host</h2>
        <span class="sum" id="jvm-count">
          {all.length ? plural(all.filter(isProfiled).length, "profiled", "profiled") + " of " + running : ""}
        </span>
      </div>
      {list && all.length > 0 && <Rows list={list} all={all} at={answer.at} service={service} />}
      {list && !all.length && (
        <div class="note" id="jvm-note">
          <NoJvm list={list} />
          {list.components
            .filter(c => c.health === "unhealthy")
            .map(c => (
              <p class="reason">{c.id + ": " + c.message}</p>
            ))}
        </div>
      )}
    </section>
  );
}
