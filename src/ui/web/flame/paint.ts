/* Draws the rows of a flame graph that are in view.
 *
 * Of a hundred thousand frames most are a few pixels wide. Those are written into a line of pixels per row, which is
 * copied for the height of the row; only the wide ones, which have a text, are drawn one by one. Frames that are
 * narrower than a pixel are not even visited: the next one is found by bisection.
 */
import { changeColor, pixelOf, shortName } from "./names";
import type { Model } from "./model";

/* As high as a finger needs where there is no mouse. */
export const ROW = matchMedia("(pointer: coarse)").matches ? 32 : 21;
/* Narrower frames have no gap, no text and no round corners. */
const WIDE_PX = 3,
  /* Frames that are pale: those above what was zoomed at, and what does not match. As parts of 255; a text on them has
   * a contrast of 4.5 in both themes. */
  ABOVE = 0x60,
  UNMATCHED = 0x48;

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

/* The first node of a level from `lo` on that ends behind x. */
export function firstVisible(m: Model, level: number[], x: number, lo = 0): number {
  let hi = level.length;
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
  private readonly pixels = new Map<string, number>();
  private image: ImageData | null = null;
  private line = new Uint32Array(0);
  private text = "";
  private accent = "";
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
    this.frameText = value("frame-text");
  }

  paint(s: Scene): void {
    const { ctx } = this,
      m = s.model,
      dpr = this.resize(s),
      ends = [s.depthAt(s.top), s.depthAt(s.top + s.height)],
      first = Math.max(0, Math.min(...ends)),
      last = Math.min(m.levels.length - 1, Math.max(...ends)),
      image = this.image!,
      whole = new Uint32Array(image.data.buffer);
    whole.fill(0);
    for (let d = first; d <= last; d++) this.narrow(s, d, whole, dpr);
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.putImageData(image, 0, 0);
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.font = "12px system-ui, sans-serif";
    ctx.textBaseline = "middle";
    for (let d = first; d <= last; d++) this.wide(s, d);
    for (const i of [s.hover, s.cursor]) if (i >= 0 && m.depth[i] >= first && m.depth[i] <= last) this.mark(s, i);
  }

  /* The canvas in pixels of the screen; returns how many of them are one of ours. */
  private resize(s: Scene): number {
    const { canvas } = this,
      dpr = devicePixelRatio || 1,
      width = Math.max(1, Math.round(s.width * dpr)),
      height = Math.max(1, Math.round(s.height * dpr));
    if (canvas.width !== width || canvas.height !== height || !this.image) {
      canvas.width = width;
      canvas.height = height;
      canvas.style.height = s.height + "px";
      this.image = this.ctx.createImageData(width, height);
      this.line = new Uint32Array(width);
    }
    return dpr;
  }

  private pixel(color: string): number {
    let p = this.pixels.get(color);
    if (p === undefined) this.pixels.set(color, (p = pixelOf(color)));
    return p;
  }

  private narrow(s: Scene, depth: number, whole: Uint32Array, dpr: number): void {
    const { model: m, matched } = s,
      level = m.levels[depth],
      { line } = this,
      scale = (s.width / s.span) * dpr,
      wide = WIDE_PX * dpr,
      above = depth < m.depth[s.focus] ? ABOVE : 255,
      end = s.x0 + s.span;
    let some = false;
    for (let k = firstVisible(m, level, s.x0); k < level.length; ) {
      const i = level[k],
        size = m.size[i];
      if (m.x[i] >= end) break;
      if (size * scale >= wide) {
        k++;
        continue;
      }
      const at = Math.max(0, Math.floor((m.x[i] - s.x0) * scale)),
        to = Math.min(line.length, Math.max(at + 1, Math.round((m.x[i] + size - s.x0) * scale)));
      if (!some) {
        line.fill(0);
        some = true;
      }
      const alpha = matched && !matched[m.name[i]] ? Math.min(above, UNMATCHED) : above;
      line.fill((this.pixel(colorAt(m, i)) & 0xffffff) | (alpha << 24), at, to);
      /* The next frame that ends behind this pixel: what lies within it cannot be seen. */
      k = size * scale < 1 ? Math.max(k + 1, firstVisible(m, level, s.x0 + (at + 1) / scale, k)) : k + 1;
    }
    if (!some) return;
    const top = Math.round((s.yOf(depth) - s.top) * dpr),
      bottom = top + Math.round((ROW - 1) * dpr),
      rows = whole.length / line.length;
    for (let y = Math.max(0, top); y < Math.min(rows, bottom); y++) whole.set(line, y * line.length);
  }

  private wide(s: Scene, depth: number): void {
    const { model: m } = s,
      level = m.levels[depth],
      scale = s.width / s.span,
      least = WIDE_PX / scale,
      y = s.yOf(depth) - s.top,
      above = depth < m.depth[s.focus],
      end = s.x0 + s.span;
    for (let k = firstVisible(m, level, s.x0); k < level.length; k++) {
      const i = level[k];
      if (m.x[i] >= end) break;
      if (m.size[i] < least) continue;
      const left = Math.max(0, (m.x[i] - s.x0) * scale),
        right = Math.min(s.width, (m.x[i] + m.size[i] - s.x0) * scale);
      this.frame(s, i, left, right - left, y, above);
    }
  }

  private frame(s: Scene, i: number, left: number, width: number, y: number, above: boolean): void {
    const { ctx } = this,
      { model: m, matched } = s,
      hit = !!matched && matched[m.name[i]],
      pale = !!matched && !hit;
    ctx.globalAlpha = above ? ABOVE / 255 : pale ? UNMATCHED / 255 : 1;
    ctx.fillStyle = colorAt(m, i);
    if (width > 6 && ctx.roundRect) {
      ctx.beginPath();
      ctx.roundRect(left, y, width - 1, ROW - 1, 2.5);
      ctx.fill();
    } else ctx.fillRect(left, y, width - 1, ROW - 1);
    if (hit && !above && width > 4) {
      ctx.lineWidth = 1.5;
      ctx.strokeStyle = this.accent;
      ctx.strokeRect(left + 0.75, y + 0.75, width - 2.5, ROW - 2.5);
    }
    const room = width - 11,
      name = m.names[m.name[i]],
      label = room > 14 ? this.labelFor(i === 0 && name === "total" ? "all" : name, room) : "";
    if (label) {
      ctx.globalAlpha = 1;
      ctx.fillStyle = above || pale ? this.text : this.frameText;
      ctx.fillText(label, left + 5, y + ROW / 2);
    }
    ctx.globalAlpha = 1;
  }

  /* The frame under the pointer, and that which has the keyboard. */
  private mark(s: Scene, i: number): void {
    const { ctx } = this,
      { model: m } = s,
      scale = s.width / s.span,
      left = Math.max(0, (m.x[i] - s.x0) * scale),
      right = Math.min(s.width, (m.x[i] + m.size[i] - s.x0) * scale),
      y = s.yOf(m.depth[i]) - s.top;
    if (right < 0 || left > s.width) return;
    if (i === s.hover) {
      ctx.fillStyle = "rgba(0,0,0,.18)";
      ctx.fillRect(left, y, Math.max(1, right - left - 1), ROW - 1);
    }
    if (i === s.cursor) {
      ctx.lineWidth = 2;
      ctx.strokeStyle = this.text;
      ctx.strokeRect(left + 1, y + 1, Math.max(1, right - left - 3), ROW - 3);
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
