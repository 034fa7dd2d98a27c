/* The JVMs of this host: api/jvms at the store, api/v0/web/jvms at the agent; and what is said of one. */
import { Answer, get, useAnswer } from "./api";
import { ago } from "./format";
import { askPlace } from "./place";

export interface Jvm {
  component: string;
  pid: number;
  start_time: number;
  service_name: string;
  main: string;
  state: string;
  reason: string;
  remedy: string;
  since: string;
  last_profile: string;
  next_profile_seconds: number;
  reason_code: string;
  profiles: number;
  samples: number;
  labels: Record<string, string>;
  version: string;
  vendor: string;
  options: string;
  container: string;
  profiled_since_ms: number | null;
  last_delivered_ms: number | null;
  ended_ms: number | null;
  recorded_bytes: number;
  lost: number;
  delivered: number;
  dropped: number;
  agent_cpu_ms: number;
}

export interface JvmList {
  agent: boolean;
  now_ms: number;
  jvms: Jvm[];
  /* Those that ended not long ago; `jvms` has them, too, after withEnded(). */
  ended: Jvm[];
  components: { id: string; health: string; message: string }[];
}

export function keyOf(j: Jvm): string {
  return j.pid + "-" + j.start_time;
}

function withEnded(answer: JvmList): JvmList {
  const running = new Set(answer.jvms.map(j => j.component + keyOf(j)));
  for (const j of answer.ended) if (!running.has(j.component + keyOf(j))) answer.jvms.push(j);
  return answer;
}

export function useJvms(): Answer<JvmList> {
  return useAnswer(
    "jvms",
    async signal => {
      const path = (await askPlace()).here === "agent" ? "v0/web/jvms" : "jvms";
      return withEnded(await get<JvmList>(path, {}, signal));
    },
    "",
    list => !list.jvms.some(j => Date.parse(j.last_profile)),
  );
}

export function isProfiled(j: Jvm): boolean {
  return j.state === "profiling" || j.state === "degraded";
}

export function profilesJava(list: JvmList): boolean {
  return list.components.some(c => /(^|\/)pyroscope\.java\./.test(c.id));
}

/* Remedies are Markdown: of a link only its text. */
export function remedyText(j: Jvm): string {
  const text = (j.remedy || "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
  return j.reason && !text.startsWith("none") ? text : "";
}

/* `since`: the age of the answer. */
export function jvmMeta(j: Jvm, nowMs: number, since: number): string {
  const bits = [...(j.main && j.main !== j.service_name ? [j.main] : []), "pid " + j.pid],
    last = Date.parse(j.last_profile),
    next = Math.round(j.next_profile_seconds - since / 1000);
  if (last) bits.push("last profile " + ago(nowMs + since - last) + " ago");
  else if (isProfiled(j))
    bits.push(next > 0 ? "first profile in about " + next + " s" : "first profile any moment");
  if (last && next > 0) bits.push("next in " + next + " s");
  return bits.join(" · ");
}
