/* The heat map: a column is a stretch of time, from the top down, a cell what was sampled then; the darker the more.
 * Cells are numbered from 1970 on; a range that is selected is passed on as such numbers: [from, to). */
import { element } from "../shared/dom";
import { amount, clock } from "../shared/format";
import { isDark } from "../shared/theme";
import type { Wanted } from "./threads";

const HEAT_ROWS = 50,
  HEAT_MAX_WIDTH = 30000,
  /* Seconds between two labels of the time axis, and the room of one. */
  AXIS_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400],
  AXIS_ROOM = 76;

export type CellRange = [from: number, to: number];

/* The member "heat" of a page's data: ui/report_heat.h. */
export interface HeatData {
  cell_ns: number;
  start: number;
  at: number[];
  thread?: number[];
  node: number[];
  self: number[][];
}

/* The entries of one sample type: which cell, which node, how much. */
export interface HeatTimes {
  cell: Int32Array;
  thread: number[];
  node: number[];
  value: number[];
  /* By cell, of the threads that are wanted. */
  total: Float64Array;
  start: number;
  length: number;
}

export function heatTimes(heat: HeatData, column: number, wanted: Wanted): HeatTimes {
  const cell = new Int32Array(heat.at.length);
  let at = 0;
  heat.at.forEach((later, i) => (cell[i] = at += later));
  const total = new Float64Array(cell.length ? at + 1 : 0),
    value = heat.self[column],
    thread = heat.thread || new Array<number>(cell.length).fill(0);
  cell.forEach((c, i) => (total[c] += !wanted || wanted[thread[i]] ? value[i] : 0));
  return { cell, thread, node: heat.node, value, total, start: heat.start, length: heat.cell_ns };
}

/* What nodes have of their own in a range and these threads. */
export function heatSelf(times: HeatTimes, nodes: number, range: CellRange, wanted: Wanted): number[] {
  const self = new Array<number>(nodes).fill(0);
  heatWithin(times, range).forEach(i => {
    if (!wanted || wanted[times.thread[i]]) self[times.node[i]] += times.value[i];
  });
  return self;
}

/* The entries of a range. */
export function heatWithin(times: HeatTimes, [from, to]: CellRange): number[] {
  const found: number[] = [];
  times.cell.forEach((cell, i) => {
    if (cell >= from - times.start && cell < to - times.start) found.push(i);
  });
  return found;
}

/* The map of a box, for tests. */
export interface HeatBox extends HTMLElement {
  heat?: HeatMap;
}

function seconds(s: number): string {
  return s < 60 ? s + " s" : s < 3600 ? s / 60 + " min" : "1 h";
}

export class HeatMap {
  range: CellRange | null = null;
  private readonly scroller: HeatBox;
  private readonly canvas: HTMLCanvasElement;
  private readonly said: HTMLElement;
  private readonly choice: HTMLElement;
  private readonly all: HTMLElement;
  private readonly axis: HTMLElement;
  private readonly scale: HTMLElement;
  private times: HeatTimes | null = null;
  private unit = "";
  private perColumn = 0; /* cells */
  private merged = 1; /* cells in one that is drawn */
  private lead = 0; /* cells of the first column before the first sample */
  private anchor = -1;
  private cursor = -1;
  private kept = -1; /* where a range began that grows by keys */

  constructor(
    private readonly panel: HTMLElement,
    private readonly tip: HTMLElement,
    private readonly onRange: (range: CellRange | null) => void,
  ) {
    const find = (selector: string) => panel.querySelector<HTMLElement>(selector)!;
    this.scroller = find("#heat");
    this.canvas = this.scroller.querySelector("canvas")!;
    this.said = find("#heat-range");
    this.choice = find("#heat-columns");
    this.all = find("#heat-all");
    this.axis = find(".heat-axis");
    this.scale = find(".heat-scale");
    this.scroller.heat = this;
    this.listen();
  }

  /* Another view, with the same range of time; null hides the map. */
  show(times: HeatTimes | null, unit: string): void {
    this.times = times;
    this.unit = unit;
    this.panel.hidden = !times;
    if (!times) return;
    this.tell();
    this.offer(times);
  }

  /* The same view of other threads: columns and range stay. */
  change(times: HeatTimes | null): void {
    this.times = times;
    if (!times) return;
    this.tell();
    this.draw();
  }

  select(chosen: CellRange | null): void {
    if (!this.times || (!chosen && !this.range)) return;
    this.range = chosen;
    this.tell();
    this.draw();
    if (!chosen || this.sum(this.times, chosen) > 0) this.onRange(chosen);
    else this.said.textContent += ", no samples";
  }

  draw(): void {
    const { times } = this;
    if (!times) return;
    const [w, h] = this.size(),
      width = this.columns() * w,
      height = this.rows() * h,
      scale = Math.min(devicePixelRatio || 1, HEAT_MAX_WIDTH / width),
      c = this.canvas.getContext("2d")!,
      dark = isDark(),
      sums = this.drawn(times),
      most = sums.reduce((a, b) => Math.max(a, b), 0);
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.style.width = width + "px";
    this.canvas.style.height = height + "px";
    c.setTransform(scale, 0, 0, scale, 0, 0);
    c.fillStyle = dark ? "#26211c" : "#f3eee8";
    c.fillRect(0, 0, width, height);
    sums.forEach((v, i) => {
      const column = Math.floor(i / this.rows()),
        row = i % this.rows();
      if (v) {
        const part = Math.sqrt(v / most);
        c.fillStyle = dark ? `hsl(24 85% ${16 + 52 * part}%)` : `hsl(${32 - 22 * part} 88% ${88 - 52 * part}%)`;
        c.fillRect(column * w, row * h, w - (w > 4 ? 1 : 0), h);
      }
    });
    if (this.range) this.shade(c, w, h, this.range, times.start);
    this.label(times, w, height);
  }

  /* By the clock: when columns begin, below; from the top down, the time of one. */
  private label(times: HeatTimes, w: number, height: number): void {
    const column = (this.perColumn * times.length) / 1e9,
      first = ((times.start - this.lead) * times.length) / 1e9,
      last = first + this.columns() * column,
      step = AXIS_STEPS.find(s => (s / column) * w >= AXIS_ROOM) || AXIS_STEPS[AXIS_STEPS.length - 1],
      local = new Date(first * 1e3).getTimezoneOffset() * 60,
      end = Math.max(this.scroller.clientWidth, this.columns() * w) - AXIS_ROOM,
      labels: HTMLElement[] = [];
    for (let at = Math.ceil((first - local) / step) * step + local; at < last; at += step) {
      const x = ((at - first) / column) * w;
      if (x > end) break;
      const span = element("span", "", clock(at * 1e3).slice(0, step < 60 ? undefined : -3));
      span.style.left = x + "px";
      labels.push(span);
    }
    this.axis.replaceChildren(...labels);
    this.scale.style.height = height + "px";
    this.scale.firstElementChild!.textContent = "0";
    this.scale.lastElementChild!.textContent = seconds(column);
  }

  private columns(): number {
    return Math.ceil((this.times!.total.length + this.lead) / this.perColumn);
  }

  private rows(): number {
    return Math.ceil(this.perColumn / this.merged);
  }

  private size(): [width: number, height: number] {
    const width = Math.max(3, Math.min(36, Math.floor((this.scroller.clientWidth || 600) / this.columns())));
    return [width, Math.max(2, Math.round(150 / this.rows()))];
  }

  /* Columns begin with full seconds (minutes, …), so that what happens each second is a line. */
  private layOut(length: number, times: HeatTimes): void {
    this.perColumn = Math.round((length * 1e9) / times.length);
    this.merged = Math.max(1, Math.round(this.perColumn / HEAT_ROWS));
    this.lead = times.start % this.perColumn;
    for (const b of this.choice.children)
      b.setAttribute("aria-pressed", String(+(b as HTMLElement).dataset.seconds! === length));
    this.draw();
  }

  private drawn(times: HeatTimes): Float64Array {
    const sums = new Float64Array(this.columns() * this.rows());
    times.total.forEach((v, c) => {
      const at = c + this.lead;
      sums[Math.floor(at / this.perColumn) * this.rows() + Math.floor((at % this.perColumn) / this.merged)] += v;
    });
    return sums;
  }

  /* What is outside of the range is covered. */
  private shade(c: CanvasRenderingContext2D, w: number, h: number, range: CellRange, start: number): void {
    c.fillStyle = isDark() ? "rgba(22,19,15,.72)" : "rgba(255,255,255,.74)";
    const { perColumn, merged } = this,
      last = this.columns() * perColumn;
    for (const [from, to] of [
      [0, range[0] - start + this.lead],
      [Math.max(0, range[1] - start + this.lead), last],
    ])
      for (let column = Math.floor(from / perColumn); column * perColumn < to; column++) {
        const top = Math.max(0, from - column * perColumn) / merged,
          bottom = Math.min(perColumn, to - column * perColumn) / merged;
        c.fillRect(column * w, top * h, w, (bottom - top) * h);
      }
  }

  private cellAt(e: PointerEvent, times: HeatTimes): number {
    const box = this.canvas.getBoundingClientRect(),
      [w, h] = this.size(),
      column = Math.max(0, Math.min(this.columns() - 1, Math.floor((e.clientX - box.left) / w))),
      row = Math.max(0, Math.min(this.rows() - 1, Math.floor((e.clientY - box.top) / h))),
      cell = column * this.perColumn + row * this.merged - this.lead;
    return times.start + Math.max(0, Math.min(times.total.length - 1, cell));
  }

  private since(cell: number, times: HeatTimes): string {
    return (((cell - times.start) * times.length) / 1e9).toFixed(2) + " s";
  }

  private sum(times: HeatTimes, [from, to]: CellRange): number {
    const part = times.total.subarray(Math.max(0, from - times.start), Math.max(0, to - times.start));
    return part.reduce((a, b) => a + b, 0);
  }

  private tell(): void {
    const { times, range } = this;
    this.all.hidden = !range;
    if (!range || !times) this.said.textContent = "drag to select";
    else {
      const sum = amount(this.sum(times, range), this.unit);
      this.said.textContent = `${this.since(range[0], times)} to ${this.since(range[1], times)}: ${sum}`;
    }
  }

  private between(a: number, b: number, times: HeatTimes): CellRange {
    return [Math.min(a, b), Math.min(times.start + times.total.length, Math.max(a, b) + this.merged)];
  }

  private point(e: PointerEvent, times: HeatTimes): void {
    const cell = this.cellAt(e, times),
      total = this.sum(times, this.between(cell, cell, times));
    this.tip.replaceChildren(
      element("b", "", this.since(cell, times)),
      element("div", "", clock((cell * times.length) / 1e6, true)),
      element("div", "", amount(total, this.unit)),
    );
    this.tip.hidden = false;
    this.tip.style.left = Math.min(innerWidth - 180, e.clientX + 14) + "px";
    this.tip.style.top = e.clientY + 16 + "px";
  }

  /* One cell, a column; with Shift the range grows from where it began. */
  private press(e: KeyboardEvent): void {
    const { times, merged, perColumn } = this,
      steps: Record<string, number> = {
        ArrowUp: -merged,
        ArrowDown: merged,
        ArrowLeft: -perColumn,
        ArrowRight: perColumn,
      },
      step = steps[e.key];
    if (!times || !step) return;
    e.preventDefault();
    const last = times.start + times.total.length - 1;
    this.cursor = this.cursor < 0 ? times.start : Math.max(times.start, Math.min(last, this.cursor + step));
    if (!e.shiftKey || this.kept < 0) this.kept = this.cursor;
    this.select(this.between(this.kept, this.cursor, times));
  }

  private listen(): void {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", e => {
      if (!this.times) return;
      this.anchor = this.cursor = this.cellAt(e, this.times);
      canvas.setPointerCapture(e.pointerId);
    });
    canvas.addEventListener("pointermove", e => {
      if (!this.times) return;
      this.point(e, this.times);
      if (this.anchor < 0) return;
      this.range = this.between(this.anchor, this.cellAt(e, this.times), this.times);
      this.tell();
      this.draw();
    });
    canvas.addEventListener("pointerup", e => {
      if (this.anchor < 0 || !this.times) return;
      const chosen = this.between(this.anchor, this.cellAt(e, this.times), this.times);
      this.anchor = -1;
      this.select(chosen);
    });
    canvas.addEventListener("pointercancel", () => (this.anchor = -1));
    canvas.addEventListener("pointerleave", () => (this.tip.hidden = true));
    canvas.addEventListener("keydown", e => this.press(e));
    this.all.onclick = () => this.select(null);
    this.choice.onclick = e => {
      const chosen = (e.target as HTMLElement).dataset.seconds;
      if (chosen && this.times) this.layOut(+chosen, this.times);
    };
    addEventListener("resize", () => this.draw());
  }

  /* The finest columns that are not too many for the width; finer ones scroll. */
  private offer(times: HeatTimes): void {
    const length = (times.total.length * times.length) / 1e9,
      room = (this.scroller.clientWidth || 600) / 3,
      fits = [1, 10, 60, 600, 3600].filter(s => length / s < HEAT_MAX_WIDTH / 3 && (s === 1 || length / s >= 4));
    this.choice.replaceChildren(
      ...fits.map(s => {
        const b = element("button", "", seconds(s));
        b.dataset.seconds = String(s);
        return b;
      }),
    );
    this.choice.hidden = fits.length < 2;
    this.layOut(fits.find(s => length / s <= room) || fits[fits.length - 1] || 3600, times);
  }
}
