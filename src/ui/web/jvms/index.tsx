/* The JVMs of this host: state, reason, remedy. */
import { useNow } from "../shared/clock";
import { Jvm, JvmList, jvmMeta, remedyText, useJvms } from "../shared/jvms";
import type { View } from "../shared/view";
import "./jvms.css";

function Row({ jvm, list, since }: { jvm: Jvm; list: JvmList; since: number }) {
  return (
    <tr>
      <td>{jvm.service_name}</td>
      <td>
        <span class={"badge " + jvm.state}>{jvm.state.replace("_", " ")}</span>
      </td>
      <td class="meta">{jvmMeta(jvm, list.now_ms, since)}</td>
      <td>
        {jvm.reason && <span class="reason">{jvm.reason}</span>} {remedyText(jvm)}
      </td>
    </tr>
  );
}

function Body() {
  const { data, at, error } = useJvms(),
    since = useNow() - at;
  if (!data) return <p class="note">{error || "Loading…"}</p>;
  if (!data.jvms.length) return <p class="note">No JVM is running on this host.</p>;
  return (
    <div class="scrolled">
      <table class="rows">
        <thead>
          <tr>
            <th>Service</th>
            <th>State</th>
            <th>Process</th>
            <th>Reason</th>
          </tr>
        </thead>
        <tbody>
          {data.jvms.map(j => (
            <Row key={j.component + j.pid + "-" + j.start_time} jvm={j} list={data} since={since} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

export const jvms: View = { id: "jvms", title: "JVMs", Body };
