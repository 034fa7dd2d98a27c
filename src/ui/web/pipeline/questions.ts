/* What the agent says of its components and of itself: api/v0/web/pipeline. */
import { useRef } from "preact/hooks";
import { Answer, get, useAnswer } from "../shared/api";

export type Health = "healthy" | "unhealthy" | "exited" | "unknown";

export interface Component {
  /* Unique; `to` are those of the same module, without the part of the module. */
  id: string;
  module: string;
  name: string;
  label: string;
  health: Health;
  message: string;
  updated_ms: number;
  sent: number;
  kind: "target" | "profile";
  to: string[];
  modules: string[];
}

export interface Import {
  id: string;
  module: string;
  name: string;
  health: Health;
  message: string;
}

export interface Reading {
  labels: Record<string, string>;
  value: number;
  count?: number;
}

export interface Pipeline {
  now_ms: number;
  components: Component[];
  imports: Import[];
  own: { version: string; metrics: Record<string, Reading[]> };
}

export function usePipeline(): Answer<Pipeline> {
  return useAnswer("pipeline", signal => get<Pipeline>("v0/web/pipeline", {}, signal));
}

/* Values as the API tags them. */
export interface Tagged {
  type: string;
  value: unknown;
}

export interface Statement {
  name: string;
  type: "attr" | "block";
  value?: Tagged;
  body?: Statement[];
}

export interface ComponentDetails {
  arguments: Statement[];
  exports: Statement[];
  debugInfo: Statement[];
}

export function useDetails(id: string): Answer<ComponentDetails> {
  const path = "v0/web/components/" + id.split("/").map(encodeURIComponent).join("/");
  return useAnswer("component " + id, signal => get<ComponentDetails>(path, {}, signal));
}

interface Sample {
  at: number;
  counts: Map<string, number>;
  cpu: number;
}

const WINDOW_MS = 120000;

function cpuOf(data: Pipeline): number {
  return (data.own.metrics.smolder_resources_process_cpu_seconds_total || []).reduce((sum, r) => sum + r.value, 0);
}

export interface Rates {
  /* Things per second that a component passed on; null = not known yet. */
  of(id: string): number | null;
  /* Share of one processor. */
  cpu: number | null;
}

/* Of the last two minutes, as far as this page saw them. */
export function useRates(data: Pipeline | null): Rates {
  const samples = useRef<Sample[]>([]),
    all = samples.current;
  if (data && (!all.length || all[all.length - 1].at !== data.now_ms)) {
    all.push({ at: data.now_ms, counts: new Map(data.components.map(c => [c.id, c.sent])), cpu: cpuOf(data) });
    while (all.length > 2 && all[0].at < data.now_ms - WINDOW_MS) all.shift();
  }
  const first = all[0],
    last = all[all.length - 1],
    seconds = all.length > 1 ? (last.at - first.at) / 1000 : 0;
  return {
    of: id => {
      const before = first && first.counts.get(id),
        now = last && last.counts.get(id);
      /* One that was built anew counts from nothing. */
      return seconds && before !== undefined && now !== undefined && now >= before ? (now - before) / seconds : null;
    },
    cpu: seconds ? Math.max(0, last.cpu - first.cpu) / seconds : null,
  };
}

export function rateText(rate: number | null, kind: string): string {
  const what = kind === "target" ? "lists" : "profiles";
  if (rate === null) return "";
  if (rate === 0) return "no " + what;
  if (rate >= 1) return `${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)} ${what}/s`;
  return `${rate * 60 >= 10 ? (rate * 60).toFixed(0) : (rate * 60).toFixed(1)} ${what}/min`;
}
