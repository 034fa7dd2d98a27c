/* The JVMs of this host: /api/jvms, and what is said of one. */
import { Answer, get, useAnswer } from "./api";
import { ago } from "./format";

/* Those that ended stay that long, as far as this page saw them. */
const EXITED_MS = 600000;

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
}

export interface JvmList {
  agent: boolean;
  now_ms: number;
  jvms: Jvm[];
  components: { id: string; health: string; message: string }[];
}

const seen = new Map<string, { jvm: Jvm; at: number }>();

function withExited(answer: JvmList): JvmList {
  const now = Date.now(),
    running = new Set<string>();
  for (const j of answer.jvms) {
    const key = j.component + " " + j.pid + " " + j.start_time;
    running.add(key);
    seen.set(key, { jvm: j, at: now });
  }
  for (const [key, s] of seen) {
    if (running.has(key)) continue;
    if (now - s.at > EXITED_MS) seen.delete(key);
    else
      answer.jvms.push({ ...s.jvm, state: "gone", reason: "The process ended.", remedy: "", next_profile_seconds: 0 });
  }
  return answer;
}

export function useJvms(): Answer<JvmList> {
  return useAnswer(
    "jvms",
    async signal => withExited(await get<JvmList>("jvms", {}, signal)),
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
