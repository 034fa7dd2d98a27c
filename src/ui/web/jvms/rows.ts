/* The rows of the table: which JVMs, in which order. */
import { Jvm, isProfiled } from "../shared/jvms";

export interface Column {
  id: string;
  title: string;
  /* What rows are sorted by; what is not known is last. */
  value(j: Jvm, nowMs: number): string | number | null;
}

/* Share of one processor that the agent took for a JVM, in percent, since that was profiled first. */
export function agentShare(j: Jvm, nowMs: number): number | null {
  if (!j.profiled_since_ms) return null;
  const ms = (j.ended_ms || nowMs) - j.profiled_since_ms;
  return ms > 0 ? (j.agent_cpu_ms / ms) * 100 : null;
}

/* Those that need somebody come first. */
const STATE_ORDER = ["refused", "backing_off", "degraded", "waiting", "attaching", "profiling", "gone"];

export const COLUMNS: Column[] = [
  { id: "service", title: "Service", value: j => j.service_name || j.main },
  { id: "state", title: "State", value: j => STATE_ORDER.indexOf(j.state) },
  { id: "pid", title: "PID", value: j => j.pid },
  { id: "version", title: "Version", value: j => j.version || null },
  { id: "container", title: "Container", value: j => j.container || null },
  { id: "delivered", title: "Delivered", value: j => (j.last_delivered_ms ? -j.last_delivered_ms : null) },
  { id: "cost", title: "Agent CPU", value: agentShare },
  { id: "recorded", title: "Recorded", value: j => j.recorded_bytes },
];

export interface Group {
  id: string;
  title: string;
  has(j: Jvm): boolean;
}

export const GROUPS: Group[] = [
  { id: "", title: "All", has: j => j.state !== "gone" },
  { id: "profiled", title: "Profiled", has: isProfiled },
  { id: "problems", title: "Problems", has: j => /^(degraded|backing_off|refused)$/.test(j.state) || j.dropped > 0 },
  { id: "waiting", title: "Waiting", has: j => j.state === "waiting" || j.state === "attaching" },
  { id: "ended", title: "Ended", has: j => j.state === "gone" },
];

/* Every word is part of something that is known of the JVM. */
export function matches(j: Jvm, search: string): boolean {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return true;
  const labels = Object.entries(j.labels || {}).map(([name, value]) => name + "=" + value),
    text = [j.service_name, j.main, j.pid, j.state.replace("_", " "), j.reason, j.reason_code, j.version, j.vendor,
      j.container, j.component, ...labels].join("\n").toLowerCase();
  return words.every(word => text.includes(word));
}

export function versionText(j: Jvm): string {
  return j.version.split("+")[0].split("-")[0];
}

function compare(a: string | number | null, b: string | number | null): number {
  if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0);
  return typeof a === "number" && typeof b === "number"
    ? a - b
    : String(a).localeCompare(String(b), undefined, { numeric: true });
}

/* `sort`: a column's ID, with "-" before it the other way round. JVMs of the same value are in the order of their PIDs,
 * so that rows do not jump at a refresh. */
export function sorted(list: Jvm[], sort: string, nowMs: number): Jvm[] {
  const down = sort.startsWith("-"),
    column = COLUMNS.find(c => c.id === sort.replace("-", "")) || COLUMNS[0],
    keyed = list.map(j => ({ j, value: column.value(j, nowMs) }));
  keyed.sort((a, b) => {
    const order = compare(a.value, b.value);
    return (a.value === null || b.value === null ? order : down ? -order : order) || a.j.pid - b.j.pid;
  });
  return keyed.map(k => k.j);
}
