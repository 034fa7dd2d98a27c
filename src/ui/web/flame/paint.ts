/* Draws the rows of a flame graph that are in view. */
import { changeColor, shortName } from "./names";
import type { Model } from "./model";

export const ROW = 21;
/* Narrower frames are drawn together, as dust. */
const MIN_PX = 0.4;

export interface Scene {
  model: Model;
  /* What fills the width, in the unit of the model. */
  x0: number;
  span: number;
  /* The node that was zoomed at: those above it are pale. */
  focus: number;
  hover: number;
  /* The node that has the keyboard; -1 = none. */
  cursor: number;
  /* By name; null = nothing is searched for. */
  matched: boolean[] | null;
  width: number;
  height: number;
  /* What is scrolled out above. */
  top: number;
  yOf(depth: number): number;
  depthAt(y: number): number;
}

/* The first node of a level that ends behind x. */
export function firstVisible(m: Model, level: number[], x: number): number {
  let lo = 0,
    hi = level.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (m.x[level[mid]] + m.size[level[mid]] <= x) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

export class Painter {
  private readonly ctx: CanvasRenderingContext2D;
  private readonly widths = new Map<string, number>();
  private text = "";
  private accent = "";
  private dustColor = "";
  private frameText = "";

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.ctx = canvas.getContext("2d")!;
    this.theme();
  }

  theme(): void {
    const s = getComputedStyle(document.documentElement),
      value = (name: string) => s.getPropertyValue("--" + name).trim();
    this.text = value("text");
    this.accent = value("accent");
    this.dustColor = value("bar-dim");
    this.frameText = value("frame-text");
  }

  paint(s: Scene): void {
    const { ctx, canvas } = this,
      dpr = devicePixelRatio || 1,
      width = Math.round(s.width * dpr),
      height = Math.round(s.height * dpr);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
      canvas.style.height = s.height + "px";
    }
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.clearRect(0, 0, s.width, s.height);
    ctx.font = "12px system-ui, sans-serif";
    ctx.textBaseline = "middle";
    const ends = [s.depthAt(s.top), s.depthAt(s.top + s.height)],
      first = Math.max(0, Math.min(...ends)),
      last = Math.min(s.model.levels.length - 1, Math.max(...ends));
    for (let d = first; d <= last; d++) this.level(s, s.model.levels[d], s.yOf(d) - s.top, d < s.model.depth[s.focus]);
  }

  private level(s: Scene, level: number[], y: number, above: boolean): void {
    const { model: m, x0, width } = s,
      scale = width / s.span;
    let dustStart = -1,
      dustEnd = -1;
    for (let k = firstVisible(m, level, x0); k < level.length; k++) {
      const i = level[k];
      let left = (m.x[i] - x0) * scale;
      if (left >= width) break;
      const right = Math.min(width, left + m.size[i] * scale);
      left = Math.max(0, left);
      if (right - left < MIN_PX) {
        if (left - dustEnd > 1) {
          this.dust(dustStart, dustEnd, y);
          dustStart = left;
        }
        dustEnd = right;
        continue;
      }
      this.frame(s, i, left, right - left, y, above);
    }
    this.dust(dustStart, dustEnd, y);
  }

  private dust(a: number, b: number, y: number): void {
    if (a < 0) return;
    this.ctx.fillStyle = this.dustColor;
    this.ctx.fillRect(a, y, Math.max(0.5, b - a), ROW - 1);
  }

  private frame(s: Scene, i: number, left: number, width: number, y: number, above: boolean): void {
    const { ctx } = this,
      { model: m, matched } = s,
      gap = width > 3 ? 1 : 0,
      hit = !!matched && matched[m.name[i]],
      pale = !!matched && !hit;
    ctx.globalAlpha = above ? 0.5 : pale ? 0.28 : 1;
    ctx.fillStyle = colorAt(m, i);
    ctx.beginPath();
    if (width > 6 && ctx.roundRect) ctx.roundRect(left, y, width - gap, ROW - 1, 2.5);
    else ctx.rect(left, y, width - gap, ROW - 1);
    ctx.fill();
    if (hit && !above && width > 4) {
      ctx.lineWidth = 1.5;
      ctx.strokeStyle = this.accent;
      ctx.stroke();
    }
    if (i === s.hover) {
      ctx.globalAlpha = 0.18;
      ctx.fillStyle = "#000";
      ctx.fill();
    }
    ctx.globalAlpha = above ? 0.75 : pale ? 0.55 : 1;
    const room = width - gap - 10,
      label = room > 14 ? this.labelFor(i === 0 && m.names[m.name[i]] === "total" ? "all" : m.names[m.name[i]], room) : "";
    if (label) {
      ctx.fillStyle = pale ? this.text : this.frameText;
      ctx.fillText(label, left + 5, y + ROW / 2);
    }
    ctx.globalAlpha = 1;
    if (i === s.cursor) {
      ctx.lineWidth = 2;
      ctx.strokeStyle = this.text;
      ctx.strokeRect(left + 1, y + 1, Math.max(1, width - gap - 2), ROW - 3);
    }
  }

  private width(text: string): number {
    let w = this.widths.get(text);
    if (w === undefined) {
      w = this.ctx.measureText(text).width;
      if (this.widths.size > 20000) this.widths.clear();
      this.widths.set(text, w);
    }
    return w;
  }

  private fit(text: string, room: number): string {
    if (room < 18) return "";
    const w = this.width(text);
    if (w <= room) return text;
    let keep = Math.floor((text.length * room) / w);
    while (keep >= 3 && this.width(text.slice(0, keep) + "…") > room) keep--;
    return keep >= 3 ? text.slice(0, keep) + "…" : "";
  }

  private labelFor(name: string, room: number): string {
    const whole = this.fit(name, room);
    return whole === name ? whole : this.fit(shortName(name), room);
  }
}

function colorAt(m: Model, i: number): string {
  if (!m.before) return m.colors[m.name[i]];
  return changeColor(m.total[i] / (m.total[0] || 1), m.before.total[i] / (m.before.total[0] || 1));
}
