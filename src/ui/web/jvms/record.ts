/* "Record now": POST api/v0/web/record, whose answer is a stream of frames: a line of JSON, and as many bytes behind it
 * as its member `bytes` says. One recording per page; it goes on while another view is shown, and ends with the page,
 * for the agent notices that nobody reads any more. */
import { useEffect, useState } from "preact/hooks";
import type { FlameAnswer } from "../flame/model";
import { Jvm, keyOf } from "../shared/jvms";

export interface Graph {
  /* As of a profile type: name:sample type:unit. */
  id: string;
  data: FlameAnswer;
}

export interface RecordedFile {
  name: string;
  blob: Blob;
}

export interface Recording {
  /* Key of the JVM, and its name. */
  of: string;
  title: string;
  seconds: number;
  phase: "starting" | "recording" | "converting" | "done" | "failed";
  elapsedMs: number;
  bytes: number;
  notes: string[];
  error: string;
  graphs: Graph[];
  files: RecordedFile[];
}

interface Line {
  phase?: "starting" | "recording" | "converting" | "done";
  elapsed_ms?: number;
  recorded?: number;
  file?: "jfr" | "pprof" | "graphs";
  type?: string;
  bytes?: number;
  note?: string;
  error?: string;
}

let current: Recording | null = null,
  control: AbortController | null = null;
const watchers = new Set<() => void>();

function set(change: Partial<Recording>): void {
  current = { ...current!, ...change };
  for (const told of watchers) told();
}

export function useRecording(): Recording | null {
  const [shown, setShown] = useState(current);
  useEffect(() => {
    const told = () => setShown(current);
    told();
    watchers.add(told);
    return () => {
      watchers.delete(told);
    };
  }, []);
  return shown;
}

export function isRunning(r: Recording | null): boolean {
  return !!r && r.phase !== "done" && r.phase !== "failed";
}

/* Bytes of a stream by the line and by the number. */
class Reader {
  private held = new Uint8Array(0);
  constructor(private readonly from: ReadableStreamDefaultReader<Uint8Array>) {}

  private async more(): Promise<boolean> {
    const { done, value } = await this.from.read();
    if (done || !value) return false;
    const both = new Uint8Array(this.held.length + value.length);
    both.set(this.held);
    both.set(value, this.held.length);
    this.held = both;
    return true;
  }

  /* null at the end. */
  async line(): Promise<Line | null> {
    let end = -1;
    while ((end = this.held.indexOf(10)) < 0) if (!(await this.more())) return null;
    const text = new TextDecoder().decode(this.held.subarray(0, end));
    this.held = this.held.slice(end + 1);
    return JSON.parse(text) as Line;
  }

  async bytes(n: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let missing = n;
    while (missing > 0) {
      if (!this.held.length && !(await this.more())) throw new Error("The recording broke off.");
      const part = this.held.subarray(0, missing);
      parts.push(part);
      missing -= part.length;
      this.held = this.held.slice(part.length);
    }
    const all = new Uint8Array(n);
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}

interface View extends FlameAnswer {
  sample_type: string;
}

function graphsOf(type: string, bytes: Uint8Array): Graph[] {
  const views = JSON.parse(new TextDecoder().decode(bytes)) as View[];
  return views
    .filter(v => v.total > 0)
    .map(v => ({ id: `${type}:${v.sample_type}:${v.unit}`, data: { ...v, profiles: 1 } }));
}

function take(line: Line, bytes: Uint8Array, jfr: Uint8Array[], name: string): void {
  if (line.phase === "recording")
    set({ phase: "recording", elapsedMs: line.elapsed_ms || 0, bytes: line.recorded || 0 });
  else if (line.phase === "converting")
    set({ phase: "converting", files: [{ name: name + ".jfr", blob: new Blob(jfr) }] });
  else if (line.phase === "done") set({ phase: "done" });
  else if (line.note) set({ notes: [...current!.notes, line.note] });
  else if (line.error) set({ phase: "failed", error: line.error });
  else if (line.file === "jfr") jfr.push(bytes);
  else if (line.file === "pprof") {
    const same = current!.files.filter(f => f.name.includes("." + line.type)).length;
    const file = `${name}.${line.type}${same ? "-" + (same + 1) : ""}.pb.gz`;
    set({ files: [...current!.files, { name: file, blob: new Blob([bytes]) }] });
  } else if (line.file === "graphs") set({ graphs: [...current!.graphs, ...graphsOf(line.type || "", bytes)] });
}

async function follow(answer: Response, name: string): Promise<void> {
  const reader = new Reader(answer.body!.getReader()),
    jfr: Uint8Array[] = [];
  for (let line; (line = await reader.line()); )
    take(line, line.bytes ? await reader.bytes(line.bytes) : new Uint8Array(0), jfr, name);
  if (isRunning(current)) throw new Error("The recording broke off: the agent ended, or cannot be reached.");
}

/* `events`: names that must be sampled; "" = whatever the agent samples. */
export async function record(j: Jvm, seconds: number, events: string): Promise<void> {
  const title = j.service_name || "pid " + j.pid,
    name = `${title.replace(/[^\w.-]+/g, "_")}-${j.pid}`,
    query = new URLSearchParams({ pid: String(j.pid), start_time: String(j.start_time), seconds: String(seconds) });
  if (events) query.set("events", events);
  if (control) control.abort();
  const mine = (control = new AbortController());
  current = { of: keyOf(j), title, seconds, phase: "starting", elapsedMs: 0, bytes: 0, notes: [], error: "", graphs: [],
    files: [] };
  set({});
  try {
    const answer = await fetch("api/v0/web/record?" + query, { method: "POST", signal: mine.signal });
    if (!answer.ok) throw new Error((await answer.text()).trim() || "smolder answered " + answer.status);
    await follow(answer, name);
  } catch (e) {
    if (control === mine)
      set({ phase: "failed", error: mine.signal.aborted ? "Cancelled." : (e as Error).message });
  }
}

export function cancelRecording(): void {
  if (control) control.abort();
}
