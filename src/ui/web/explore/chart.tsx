/* The amount over time: a bar for each stretch, beside it a line of what it is compared with, or a line for each value
 * of a label. Dragging chooses a range. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { $, element } from "../shared/dom";
import { ago, amount, clock } from "../shared/format";
import { onTheme, themeColor } from "../shared/theme";
import type { Times } from "./questions";
import type { TimeRange } from "./state";

const HEIGHT = 86,
  DRAG_PX = 4;
/* Told apart by all kinds of colour blindness (Okabe and Ito), and by their dashes. */
const LINE_COLORS = ["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d00", "#7f7f7f"],
  LINE_DASHES = [[], [6, 3], [2, 2], [8, 2, 2, 2]];

export function lineColor(i: number): string {
  return LINE_COLORS[i % LINE_COLORS.length];
}

/* What is drawn: a name and its values, all of the same times. */
interface Drawn {
  name: string;
  values: number[];
}

export function groupName(labels: Record<string, string>): string {
  return Object.values(labels).join(", ") || "(none)";
}

function drawn(times: Times): Drawn[] {
  if (times.groups) return times.groups.series.map(s => ({ name: groupName(s.labels), values: s.values }));
  const lines = [{ name: "", values: times.line.values }];
  if (times.base) lines.push({ name: "before", values: times.base.values });
  return lines;
}

/* The highest value, as the chart has it. */
export function mostOf(times: Times): number {
  return drawn(times).reduce((most, d) => Math.max(most, ...d.values), 0);
}

function seriesOptions(times: Times | null): uPlot.Series[] {
  if (times && times.groups)
    return times.groups.series.map((_, i) => ({
      stroke: lineColor(i),
      width: 1.5,
      dash: LINE_DASHES[Math.floor(i / 2) % LINE_DASHES.length],
      points: { show: false },
    }));
  const bars = {
    fill: () => themeColor("bar"),
    width: 0,
    points: { show: false },
    paths: uPlot.paths.bars!({ size: [0.85, Infinity], align: 1 }),
  };
  const before = { stroke: () => themeColor("info"), width: 1.5, dash: [4, 3], points: { show: false } };
  return times && times.base ? [bars, before] : [bars];
}

/* A time at the axis: seconds only where they tell ticks apart, the day where another one begins. */
function tickText(at: number, splits: number[]): string {
  const d = new Date(at * 1000),
    step = splits.length > 1 ? splits[1] - splits[0] : 60;
  if (step >= 86400 || (d.getHours() === 0 && d.getMinutes() === 0 && step >= 60))
    return d.toLocaleDateString(undefined, { month: "short", day: "numeric" });
  return d.toLocaleTimeString(undefined, {
    hour12: false,
    hour: "2-digit",
    minute: "2-digit",
    second: step < 60 ? "2-digit" : undefined,
  });
}

function options(width: number, times: Times | null, onRange: (r: TimeRange) => void): uPlot.Options {
  const most = (u: uPlot) => Math.max(1, ...u.data.slice(1).flatMap(values => [...values].map(v => v || 0)));
  return {
    width,
    height: HEIGHT,
    padding: [4, 16, 0, 16],
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false, dist: DRAG_PX },
      sync: { key: "explore", scales: ["x", null] },
    },
    scales: {
      x: { time: true, range: () => (times ? [times.range.from / 1000, times.range.until / 1000] : [0, 1]) },
      y: { range: u => [0, most(u)] },
    },
    axes: [
      {
        show: !!times,
        stroke: () => themeColor("soft"),
        grid: { show: false },
        ticks: { stroke: () => themeColor("line"), size: 4 },
        size: 24,
        font: "11px system-ui, sans-serif",
        values: (_u, splits) => splits.map(at => tickText(at, splits)),
      },
      { show: false },
    ],
    series: [{}, ...seriesOptions(times)],
    hooks: {
      setCursor: [u => showTip(u, times)],
      setSelect: [
        u => {
          const { left, width: wide } = u.select;
          if (wide <= DRAG_PX) return;
          u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          onRange({ from: u.posToVal(left, "x") * 1000, until: u.posToVal(left + wide, "x") * 1000 });
        },
      ],
    },
  };
}

/* Says what is at the time under the pointer. */
function showTip(u: uPlot, times: Times | null): void {
  const tip = $("tip"),
    i = u.cursor.idx,
    left = u.cursor.left;
  if (!u.over.matches(":hover")) return; /* the cursor of a chart beside it */
  if (!times || i === null || i === undefined || left === undefined || left < 0) {
    tip.hidden = true;
    return;
  }
  const { line } = times,
    box = u.over.getBoundingClientRect(),
    words = (d: Drawn) => (d.name ? d.name + ": " : "") + amount(d.values[i] || 0, line.unit);
  tip.hidden = false;
  tip.replaceChildren(
    element("b", "", `${clock(line.from_ms + i * line.step_ms, true)}, ${ago(line.step_ms)}`),
    ...drawn(times).map(d => element("span", "", words(d))),
  );
  tip.style.left = Math.max(4, Math.min(box.left + left + 14, innerWidth - tip.offsetWidth - 8)) + "px";
  tip.style.top = box.bottom + 6 + "px";
}

/* The chart for those who do not see it. */
function inWords(times: Times): string {
  const { line } = times,
    most = line.values.reduce((best, v, i) => (v > line.values[best] ? i : best), 0),
    sum = line.values.reduce((a, b) => a + b, 0);
  return (
    `${amount(sum, line.unit)} from ${clock(times.range.from, true)} to ${clock(times.range.until, true)}, ` +
    `most at ${clock(line.from_ms + most * line.step_ms)}: ${amount(line.values[most] || 0, line.unit)}`
  );
}

/* What the lines are, so that uPlot has to be made anew only when they change. */
function shapeOf(times: Times | null): string {
  if (!times) return "";
  return JSON.stringify([!!times.base, times.groups ? times.groups.series.map(s => s.labels) : null]);
}

export function Chart({ times, alone, onRange }: {
  times: Times | null;
  /* The only line that is shown, of several; -1 = all are. */
  alone: number;
  onRange: (r: TimeRange) => void;
}) {
  const box = useRef<HTMLDivElement>(null),
    plot = useRef<uPlot | null>(null),
    latest = useRef({ times, onRange });
  latest.current = { times, onRange };
  useEffect(() => {
    const room = box.current!;
    /* The hooks read the latest answer, not that of when the chart was made. */
    const made = options(room.clientWidth, latest.current.times, r => latest.current.onRange(r)),
      x = made.scales!.x;
    x.range = () => {
      const { times: t } = latest.current;
      return t ? [t.range.from / 1000, t.range.until / 1000] : [0, 1];
    };
    made.hooks!.setCursor = [u => showTip(u, latest.current.times)];
    const u = new uPlot(made, [[], ...made.series.slice(1).map(() => [])] as uPlot.AlignedData, room),
      watch = new ResizeObserver(() => u.setSize({ width: room.clientWidth, height: HEIGHT })),
      off = onTheme(() => u.redraw(true, true)),
      leave = () => {
        $("tip").hidden = true;
      };
    plot.current = u;
    u.over.addEventListener("pointerleave", leave);
    watch.observe(room);
    return () => {
      watch.disconnect();
      off();
      u.destroy();
    };
  }, [shapeOf(times)]);
  useEffect(() => {
    const line = times ? times.line : null,
      at = line ? line.values.map((_, i) => (line.from_ms + i * line.step_ms) / 1000) : [];
    /* Answers may differ by a bucket. */
    const same = (values: number[]) => at.map((_, i) => values[i] || 0);
    const lines = times ? drawn(times).map(d => same(d.values)) : [[]];
    plot.current!.setData([at, ...lines] as uPlot.AlignedData);
  }, [times]);
  useEffect(() => {
    plot.current!.series.forEach((s, i) => {
      const show = alone < 0 || i === alone + 1;
      if (i && s.show !== show) plot.current!.setSeries(i, { show });
    });
  }, [alone, shapeOf(times)]);
  return <div class="chart" ref={box} role="img" aria-label={times ? inWords(times) : "No amounts over time"} />;
}
