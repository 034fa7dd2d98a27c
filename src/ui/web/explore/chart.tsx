/* The amount over time, a bar for each stretch; dragging chooses a range. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { element } from "../shared/dom";
import { ago, amount, clock } from "../shared/format";
import { onTheme, themeColor } from "../shared/theme";
import type { Timeline } from "./questions";
import type { TimeRange } from "./state";

const HEIGHT = 76,
  DRAG_PX = 4;

function options(width: number, tip: (u: uPlot) => void, onRange: (r: TimeRange) => void): uPlot.Options {
  return {
    width,
    height: HEIGHT,
    padding: [4, 0, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: DRAG_PX } },
    scales: { x: { time: true }, y: { range: (_u, _min, max) => [0, max || 1] } },
    axes: [
      {
        stroke: () => themeColor("soft"),
        grid: { show: false },
        ticks: { stroke: () => themeColor("line"), size: 4 },
        size: 24,
        font: "11px system-ui, sans-serif",
      },
      { show: false },
    ],
    series: [
      {},
      {
        fill: () => themeColor("bar"),
        width: 0,
        points: { show: false },
        paths: uPlot.paths.bars!({ size: [0.85, Infinity], align: 1 }),
      },
    ],
    hooks: {
      setCursor: [tip],
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

/* Says what the bar under the pointer is. */
function showTip(u: uPlot, line: Timeline | null): void {
  const tip = document.getElementById("tip")!,
    i = u.cursor.idx,
    left = u.cursor.left;
  if (!line || i === null || i === undefined || left === undefined || left < 0) {
    tip.hidden = true;
    return;
  }
  const box = u.over.getBoundingClientRect();
  tip.hidden = false;
  tip.replaceChildren(
    element("b", "", clock(line.from_ms + i * line.step_ms)),
    element("span", "", amount(line.values[i] || 0, line.unit) + " in " + ago(line.step_ms)),
  );
  tip.style.left = Math.min(box.left + left + 14, innerWidth - tip.offsetWidth - 8) + "px";
  tip.style.top = box.bottom + 6 + "px";
}

export function Chart({ line, range, onRange }: {
  line: Timeline | null;
  range: TimeRange;
  onRange: (r: TimeRange) => void;
}) {
  const box = useRef<HTMLDivElement>(null),
    plot = useRef<uPlot | null>(null),
    latest = useRef({ line, onRange });
  latest.current = { line, onRange };
  useEffect(() => {
    const room = box.current!,
      u = new uPlot(
        options(
          room.clientWidth,
          made => showTip(made, latest.current.line),
          r => latest.current.onRange(r),
        ),
        [[], []],
        room,
      ),
      watch = new ResizeObserver(() => u.setSize({ width: room.clientWidth, height: HEIGHT })),
      off = onTheme(() => u.redraw(true, true));
    plot.current = u;
    watch.observe(room);
    return () => {
      watch.disconnect();
      off();
      u.destroy();
    };
  }, []);
  useEffect(() => {
    const u = plot.current!,
      times = line ? line.values.map((_, i) => (line.from_ms + i * line.step_ms) / 1000) : [];
    u.batch(() => {
      u.setData([times, line ? line.values : []], false);
      u.setScale("x", { min: range.from / 1000, max: range.until / 1000 });
      u.setScale("y", { min: 0, max: Math.max(1, ...(line ? line.values : [])) });
    });
  }, [line]);
  return <div class="chart" ref={box} title="Drag to choose a time range" />;
}
