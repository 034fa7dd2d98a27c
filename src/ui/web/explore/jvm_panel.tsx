/* The JVMs of this host, beside the graph. */
import type { Answer } from "../shared/api";
import { useNow } from "../shared/clock";
import { plural } from "../shared/format";
import { JvmList, isProfiled, jvmMeta, profilesJava, remedyText } from "../shared/jvms";
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

function Rows({ list, at, service }: { list: JvmList; at: number; service: string }) {
  const since = useNow() - at;
  return (
    <ul id="jvms">
      {list.jvms.map(j => (
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
    </ul>
  );
}

export function JvmPanel({ answer, service }: { answer: Answer<JvmList>; service: string }) {
  const list = answer.data,
    all = list ? list.jvms : [],
    running = all.filter(j => j.state !== "gone").length;
  return (
    <section class="panel" aria-label="JVMs">
      <div class="bar">
        <h2>JVMs on this host</h2>
        <span class="sum" id="jvm-count">
          {all.length ? plural(all.filter(isProfiled).length, "profiled", "profiled") + " of " + running : ""}
        </span>
      </div>
      {list && all.length > 0 && <Rows list={list} at={answer.at} service={service} />}
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
