/* How many profiles had which total, over time: a JVM that does more than the others is a line of its own. */
import { useEffect, useRef, useState } from "preact/hooks";
import { get, useAnswer } from "../../shared/api";
import { $, element } from "../../shared/dom";
import { amount, clock, plural } from "../../shared/format";
import { useIds } from "../../shared/part";
import { typeTitle } from "../../shared/profile_types";
import { isDark, onTheme } from "../../shared/theme";
import { asked, key } from "../questions";
import { State, chooseRange } from "../state";
import { Status } from "./status";

interface HeatAnswer {
  unit: string;
  from_ms: number;
  step_ms: number;
  least: number;
  most: number;
  rows: number;
  columns: number;
  profiles: number;
  /* column, row, profiles */
  cells: number[];
}

const ROWS = 20,
  COLUMNS_MAX = 160,
  COLUMNS_MIN = 30,
  COLUMN_PX = 7,
  STEP_MIN_MS = 1000;

/* A column is as long as a profile at least, if that can be helped. */
function columnsFor(width: number, lengthMs: number): number {
  const fit = Math.max(COLUMNS_MIN, Math.min(COLUMNS_MAX, Math.floor(width / COLUMN_PX)));
  return Math.max(1, Math.min(fit, Math.floor(lengthMs / STEP_MIN_MS)));
}

function countsOf(data: HeatAnswer): Uint32Array {
  const counts = new Uint32Array(data.columns * data.rows);
  for (let i = 0; i < data.cells.length; i += 3) {
    const [column, row, profiles] = data.cells.slice(i, i + 3);
    counts[column * data.rows + row] = profiles;
  }
  return counts;
}

function draw(canvas: HTMLCanvasElement, data: HeatAnswer, chosen: [number, number] | null): void {
  const width = canvas.clientWidth,
    height = canvas.clientHeight,
    dpr = devicePixelRatio || 1,
    c = canvas.getContext("2d")!,
    counts = countsOf(data),
    most = counts.reduce((a, b) => Math.max(a, b), 1),
    w = width / data.columns,
    h = height / data.rows,
    dark = isDark();
  canvas.width = Math.round(width * dpr);
  canvas.height = Math.round(height * dpr);
  c.setTransform(dpr, 0, 0, dpr, 0, 0);
  c.fillStyle = dark ? "#26211c" : "#f3eee8";
  c.fillRect(0, 0, width, height);
  counts.forEach((v, i) => {
    if (!v) return;
    const part = Math.sqrt(v / most),
      row = i % data.rows;
    c.fillStyle = dark ? `hsl(24 85% ${22 + 50 * part}%)` : `hsl(${32 - 22 * part} 88% ${84 - 50 * part}%)`;
    c.fillRect(Math.floor(i / data.rows) * w, height - (row + 1) * h, Math.max(1, w - 1), Math.max(1, h - 1));
  });
  if (!chosen) return;
  c.fillStyle = dark ? "rgba(22,19,15,.66)" : "rgba(255,255,255,.7)";
  c.fillRect(0, 0, chosen[0] * w, height);
  c.fillRect((chosen[1] + 1) * w, 0, width, height);
}

/* What a cell is, in words. */
function wordsOf(data: HeatAnswer, column: number, row: number): [string, string] {
  const width = (data.most > data.least ? data.most - data.least : 1) / data.rows,
    low = data.least + row * width,
    count = countsOf(data)[column * data.rows + row];
  return [
    clock(data.from_ms + column * data.step_ms, true),
    `${plural(count, "profile", "profiles")} with ${amount(Math.round(low), data.unit)} to ` +
      amount(Math.round(low + width), data.unit),
  ];
}

/* Chosen columns, both ends inclusive; by the pointer or by keys. */
function useChoice(data: HeatAnswer | null, onRange: (columns: [number, number]) => void) {
  const [chosen, setChosen] = useState<[number, number] | null>(null),
    anchor = useRef(-1),
    cursor = useRef(-1);
  const columnAt = (e: PointerEvent) => {
    const box = (e.currentTarget as HTMLElement).getBoundingClientRect();
    return Math.max(0, Math.min(data!.columns - 1, Math.floor(((e.clientX - box.left) / box.width) * data!.columns)));
  };
  const rowAt = (e: PointerEvent) => {
    const box = (e.currentTarget as HTMLElement).getBoundingClientRect();
    return Math.max(0, Math.min(data!.rows - 1, Math.floor(((box.bottom - e.clientY) / box.height) * data!.rows)));
  };
  const between = (a: number, b: number): [number, number] => [Math.min(a, b), Math.max(a, b)];
  const tell = (e: PointerEvent) => {
    const tip = $("tip"),
      [time, words] = wordsOf(data!, columnAt(e), rowAt(e));
    tip.hidden = false;
    tip.replaceChildren(element("b", "", time), element("span", "", words));
    tip.style.left = Math.min(innerWidth - tip.offsetWidth - 8, e.clientX + 14) + "px";
    tip.style.top = e.clientY + 16 + "px";
  };
  return {
    chosen,
    onPointerDown(e: PointerEvent) {
      if (!data) return;
      anchor.current = columnAt(e);
      (e.currentTarget as HTMLElement).setPointerCapture(e.pointerId);
      setChosen(between(anchor.current, anchor.current));
    },
    onPointerMove(e: PointerEvent) {
      if (!data) return;
      tell(e);
      if (anchor.current >= 0) setChosen(between(anchor.current, columnAt(e)));
    },
    onPointerUp(e: PointerEvent) {
      if (!data || anchor.current < 0) return;
      const range = between(anchor.current, columnAt(e));
      anchor.current = -1;
      setChosen(null);
      onRange(range);
    },
    onPointerCancel() {
      anchor.current = -1;
      setChosen(null);
    },
    onPointerLeave() {
      $("tip").hidden = true;
    },
    onKeyDown(e: KeyboardEvent) {
      const step = e.key === "ArrowLeft" ? -1 : e.key === "ArrowRight" ? 1 : 0;
      if (!data) return;
      if (e.key === "Enter" && chosen) {
        setChosen(null);
        onRange(chosen);
      } else if (e.key === "Escape") setChosen(null);
      if (!step) return;
      e.preventDefault();
      const at = cursor.current < 0 ? 0 : Math.max(0, Math.min(data.columns - 1, cursor.current + step)),
        from = e.shiftKey && chosen ? (cursor.current === chosen[0] ? chosen[1] : chosen[0]) : at;
      cursor.current = at;
      setChosen(between(from, at));
      $("speak").textContent = clock(data.from_ms + at * data.step_ms, true);
    },
  };
}

function Map({ data, onRange }: { data: HeatAnswer; onRange: (columns: [number, number]) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null),
    id = useIds(),
    { chosen, ...input } = useChoice(data, onRange);
  useEffect(() => {
    const redraw = () => draw(canvas.current!, data, chosen),
      watch = new ResizeObserver(redraw),
      off = onTheme(redraw);
    watch.observe(canvas.current!);
    redraw();
    return () => {
      watch.disconnect();
      off();
    };
  }, [data, chosen]);
  return (
    <canvas
      id={id("heat-map")}
      class="heat-map"
      ref={canvas}
      tabIndex={0}
      role="application"
      aria-roledescription="heat map"
      aria-label="Heat map: profiles by time and total. Arrow keys choose a time, with Shift a range, Enter shows it."
      {...input}
    />
  );
}

export function HeatPanel({ state }: { state: State }) {
  const box = useRef<HTMLElement>(null),
    id = useIds(),
    answer = useAnswer(key("heatmap", state), async signal => {
      const { query, range } = asked(state),
        buckets = columnsFor(box.current ? box.current.clientWidth : 900, range.until - range.from);
      return get<HeatAnswer>("heatmap", { ...query, buckets, rows: ROWS }, signal);
    }),
    data = answer.data,
    some = !!data && data.profiles > 0;
  return (
    <section class="panel flame" aria-label="Heat map" ref={box}>
      <div class="bar">
        <h2>{typeTitle(state.type)}</h2>
        {data && some && (
          <span class="sum" id={id("heat-sum")}>
            {`${plural(data.profiles, "profile", "profiles")}, each with ${amount(data.least, data.unit)} to ` +
              amount(data.most, data.unit)}
          </span>
        )}
      </div>
      <p class="hint">
        A column is a stretch of time, the darker a cell the more profiles. Drag to choose a time range.
      </p>
      <Status answer={answer} what="the heat map" empty={!some} />
      {data && some && (
        <div class="heat-box">
          <div class="heat-scale">
            <span>{amount(data.most, data.unit)}</span>
            <span>{amount(data.least, data.unit)}</span>
          </div>
          <Map
            data={data}
            onRange={([a, b]) =>
              chooseRange(state, "custom", {
                from: data.from_ms + a * data.step_ms,
                until: data.from_ms + (b + 1) * data.step_ms - 1,
              })
            }
          />
          <div class="scale">
            <span>{clock(data.from_ms, true)}</span>
            <span>{clock(data.from_ms + data.columns * data.step_ms, true)}</span>
          </div>
        </div>
      )}
    </section>
  );
}
