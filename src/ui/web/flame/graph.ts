/* The flame graph of both pages: a canvas as high as the window, in a box that scrolls. What is said of a frame, where
 * it is zoomed and what matches go into elements of the page. */
import { element } from "../shared/dom";
import { amount, percent } from "../shared/format";
import { Model, endOf, nodeAt, pathOf } from "./model";
import { dotted, shortName } from "./names";
import { Painter, ROW, firstVisible } from "./paint";
import { Panning } from "./panning";
import { expressionError, isCut, matchedTotal, matcher } from "./search";

const GLIDE_MS = 160,
  KEY_ZOOM = 1.5,
  WHEEL_ZOOM = 1.002,
  /* Frames of the path that are shown; of a longer one the last. */
  CRUMBS_MAX = 6;

export interface FlameElements {
  /* Has a canvas, and an element of the class "tall" that is as high as the graph. */
  scroller: HTMLElement;
  tip: HTMLElement;
  crumbs: HTMLElement;
  hits: HTMLElement;
  /* aria-live */
  speak: HTMLElement;
}

export interface FlameOptions {
  /* Told of the path that was zoomed at. */
  onZoom?(path: string[]): void;
  /* The menu of a frame is asked for, at a place of the window. */
  onMenu?(name: string, x: number, y: number): void;
  /* Where frames were left out as "(other)": asks for what really matches beneath a path; null = it cannot be told. */
  matchedOf?(path: string[], search: string): Promise<number | null>;
}

/* The graph of a box, for tests. */
export interface FlameBox extends HTMLElement {
  flame?: FlameGraph;
}

function samePath(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}

export class FlameGraph {
  private readonly canvas: HTMLCanvasElement;
  private readonly tall: HTMLElement;
  private readonly painter: Painter;
  private readonly panning: Panning;
  private readonly closing = new AbortController();
  private graph: Model | null = null;
  private focus = 0;
  private cursor = -1;
  private hover = -1;
  private matched: boolean[] | null = null;
  /* From match to match: the frame that was reached is marked, wherever the keyboard is. */
  private stepping = false;
  private query = "";
  private flipped = false;
  private pointer: MouseEvent | null = null;
  private asked = 0;
  private pending = 0;
  private crumbsOf = "";
  /* What fills the width when the graph has come to rest; what is asked of a place, such as which frame is there, is
   * asked of this. */
  private x0 = 0;
  private span = 1;
  /* What fills it now, and since when it is on its way. */
  private shown = { x0: 0, span: 1 };
  private from = { x0: 0, span: 1 };
  private began = 0;

  constructor(
    private readonly ui: FlameElements,
    private readonly options: FlameOptions = {},
  ) {
    this.canvas = ui.scroller.querySelector("canvas")!;
    this.tall = ui.scroller.querySelector<HTMLElement>(".tall")!;
    this.painter = new Painter(this.canvas);
    this.panning = new Panning(this.canvas, this.closing.signal, {
      move: (dx, dy) => {
        this.look(this.x0 - (dx / (this.canvas.clientWidth || 1)) * this.span, this.span);
        ui.scroller.scrollTop -= dy;
      },
      pinch: (by, x) => this.scaleAt(1 / by, x),
    });
    (ui.scroller as FlameBox).flame = this;
    this.listen();
  }

  get model(): Model | null {
    return this.graph;
  }

  /* Whether something in view was left out. */
  get cut(): boolean {
    return !!this.graph && isCut(this.graph, this.focus);
  }

  /* Keeps what was zoomed at, by `path`, and the frame under the keyboard. */
  show(model: Model | null, path: string[] = []): void {
    const old = this.graph,
      kept = old && this.cursor >= 0 ? pathOf(old, this.cursor) : null,
      place = old && samePath(pathOf(old, this.focus), path) ? this.place(old) : { x0: 0, span: 1 };
    this.graph = model;
    this.hover = -1;
    if (!model) {
      this.ui.tip.hidden = true;
      this.ui.crumbs.hidden = true;
      this.ui.hits.textContent = "";
      return;
    }
    this.focus = nodeAt(model, path);
    if (model !== old || this.place(model).x0 !== place.x0 || this.place(model).span !== place.span) {
      const size = model.size[this.focus] || 1;
      this.jump(model.x[this.focus] + place.x0 * size, place.span * size);
    }
    this.cursor = kept ? nodeAt(model, kept) : -1;
    this.showCrumbs();
    this.search(this.query);
    if (this.pointer) this.point(this.pointer);
  }

  search(text: string): void {
    if (text !== this.query) this.stepping = false;
    this.query = text;
    const test = matcher(text);
    this.matched = test && this.graph ? this.graph.names.map(test) : null;
    this.showHits();
    this.redraw();
  }

  theme(): void {
    this.painter.theme();
    this.redraw();
  }

  redraw(): void {
    if (!this.pending)
      this.pending = requestAnimationFrame(now => {
        this.pending = 0;
        this.step(now);
        this.draw();
      });
  }

  flip(on: boolean): void {
    this.flipped = on;
    this.draw();
    if (this.graph) this.ui.scroller.scrollTop = on ? this.ui.scroller.scrollHeight : 0;
    this.redraw();
  }

  reset(): void {
    const m = this.graph;
    if (m && (this.focus || this.span < m.size[0])) this.zoom(0);
  }

  close(): void {
    this.closing.abort();
    cancelAnimationFrame(this.pending);
  }

  /* Shows a part of the width; what was zoomed at stays. */
  look(x0: number, span: number): void {
    const m = this.graph;
    if (!m) return;
    const whole = m.size[0] || 1,
      wide = Math.max(whole * 1e-9, Math.min(whole, span));
    this.jump(Math.max(0, Math.min(whole - wide, x0)), wide);
  }

  /* ---- where things are ---- */
  /* What fills the width, as parts of what was zoomed at. */
  private place(m: Model): { x0: number; span: number } {
    const size = m.size[this.focus] || 1;
    return { x0: (this.x0 - m.x[this.focus]) / size, span: this.span / size };
  }

  private jump(x0: number, span: number): void {
    this.x0 = x0;
    this.span = span;
    this.shown = { x0, span };
    this.began = 0;
    this.redraw();
  }

  /* As jump(), in a moment, unless the user wants no motion. */
  private glide(x0: number, span: number): void {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.jump(x0, span);
      return;
    }
    this.from = { ...this.shown };
    this.began = performance.now();
    this.x0 = x0;
    this.span = span;
    this.redraw();
  }

  /* One step of a glide. */
  private step(now: number): void {
    if (!this.began) return;
    const part = Math.min(1, Math.max(0, (now - this.began) / GLIDE_MS)),
      done = 1 - (1 - part) ** 3;
    this.shown = {
      x0: this.from.x0 + (this.x0 - this.from.x0) * done,
      span: this.from.span + (this.span - this.from.span) * done,
    };
    if (part === 1) this.began = 0;
    else this.redraw();
  }


  private height(): number {
    const levels = this.graph ? this.graph.levels.length : 0;
    return Math.max(levels * ROW, this.flipped ? this.ui.scroller.clientHeight : 0);
  }

  private yOf(depth: number): number {
    return this.flipped ? this.height() - (depth + 1) * ROW : depth * ROW;
  }

  private depthAt(y: number): number {
    return Math.floor((this.flipped ? this.height() - 1 - y : y) / ROW);
  }

  private draw(): void {
    const box = this.ui.scroller,
      m = this.graph;
    if (!m || box.hidden) return;
    this.tall.style.height = this.height() + "px";
    this.painter.paint({
      model: m,
      ...this.shown,
      focus: this.focus,
      hover: this.hover,
      cursor: this.stepping || document.activeElement === this.canvas ? this.cursor : -1,
      matched: this.matched,
      width: box.clientWidth,
      height: box.clientHeight,
      top: box.scrollTop,
      yOf: depth => this.yOf(depth),
      depthAt: y => this.depthAt(y),
    });
  }

  private hitTest(event: MouseEvent): number {
    const m = this.graph;
    if (!m) return -1;
    const box = this.canvas.getBoundingClientRect(),
      level = m.levels[this.depthAt(event.clientY - box.top + this.ui.scroller.scrollTop)];
    if (!level) return -1;
    const x = this.x0 + ((event.clientX - box.left) / box.width) * this.span,
      i = level[firstVisible(m, level, x)];
    return i !== undefined && m.x[i] <= x && x < m.x[i] + m.size[i] ? i : -1;
  }

  private scrollTo(i: number, margin: number): void {
    const box = this.ui.scroller,
      y = this.yOf(this.graph!.depth[i]),
      height = box.clientHeight;
    if (y < box.scrollTop + margin) box.scrollTop = Math.max(0, y - margin);
    else if (y + ROW + margin > box.scrollTop + height) box.scrollTop = y + ROW + margin - height;
  }

  /* ---- words about a frame ---- */
  private describe(i: number): { name: string; lines: string[] } {
    const m = this.graph!,
      name = m.names[m.name[i]],
      all = m.total[0],
      seen = m.total[this.focus],
      b = m.before,
      lines: string[] = [],
      words = (what: string, v: number, whole: number, more = "") =>
        `${what} ${amount(v, m.unit)} (${percent(v, whole)}${more})`;
    lines.push(words("total", m.total[i], all, this.focus ? ", " + percent(m.total[i], seen) + " of view" : ""));
    if (b) lines.push(words("before", b.total[i], b.total[0]));
    lines.push(words("self", m.self[i], all));
    if (b) lines.push(words("self before", b.self[i], b.total[0]));
    if (name === "(other)") lines.push("many small frames; zoom in at the frame that calls them to see more");
    return { name: i === 0 && name === "total" ? "all stacks" : dotted(name), lines };
  }

  private tip(event: MouseEvent, i: number): void {
    const t = this.ui.tip;
    t.hidden = i < 0;
    if (i < 0) return;
    const d = this.describe(i);
    t.replaceChildren(element("b", "", d.name), ...d.lines.map(l => element("span", "", l)));
    const w = t.offsetWidth,
      h = t.offsetHeight,
      below = event.clientY + 18;
    t.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - w - 8)) + "px";
    t.style.top = (below + h > innerHeight ? event.clientY - h - 10 : below) + "px";
  }

  private zoom(i: number): void {
    this.focus = i;
    this.cursor = i;
    this.glide(this.graph!.x[i], this.graph!.size[i] || 1);
    this.scrollTo(i, 2 * ROW);
    if (this.options.onZoom) this.options.onZoom(pathOf(this.graph!, i));
    this.showCrumbs();
    this.showHits();
    this.redraw();
  }

  /* Its buttons stay as long as the path does: one of them may have the keyboard. */
  private showCrumbs(): void {
    const path = pathOf(this.graph!, this.focus),
      key = JSON.stringify(path),
      left = path.length > CRUMBS_MAX ? path.length - CRUMBS_MAX + 1 : 0;
    this.ui.crumbs.hidden = !path.length;
    if (key === this.crumbsOf) return;
    this.crumbsOf = key;
    const reset = this.crumb("Reset zoom", "Show all stacks (Escape)", []),
      others = path.slice(left).flatMap((name, k) => {
        const b = this.crumb(shortName(name), name, path.slice(0, left + k + 1));
        return [element("span", "", "›"), b];
      });
    this.ui.crumbs.replaceChildren(reset, ...(left ? [element("span", "", "› …")] : []), ...others);
  }

  private crumb(text: string, title: string, path: string[]): HTMLElement {
    const b = element("button", "", text);
    b.title = title;
    b.onclick = () => this.zoom(nodeAt(this.graph!, path));
    return b;
  }

  private showHits(): void {
    const m = this.graph;
    if (!this.matched || !m) {
      this.ui.hits.textContent = "";
      return;
    }
    const mine = ++this.asked;
    if (expressionError(this.query)) {
      this.ui.hits.textContent = "not a valid expression";
      return;
    }
    if (!this.options.matchedOf || !isCut(m, this.focus)) {
      this.sayHits(matchedTotal(m, this.focus, this.matched));
      return;
    }
    this.ui.hits.textContent = "searching…";
    this.options.matchedOf(pathOf(m, this.focus), this.query.trim()).then(all => {
      if (mine === this.asked && this.matched && this.graph) this.sayHits(all);
    });
  }

  private sayHits(sum: number | null): void {
    const m = this.graph!,
      of = this.focus ? " of view" : "";
    this.ui.hits.textContent =
      sum === null
        ? "matches cannot be counted"
        : sum
          ? percent(sum, m.total[this.focus]) + of + " matched · " + amount(sum, m.unit)
          : "no match" + (this.focus ? " in view" : "");
  }

  /* ---- input ---- */
  private point(event: MouseEvent): void {
    const i = this.hitTest(event);
    if (i !== this.hover) this.redraw();
    this.hover = i;
    this.tip(event, i);
  }

  private neighbour(i: number, key: string): number {
    const m = this.graph!,
      level = m.levels[m.depth[i]];
    if (key === (this.flipped ? "ArrowDown" : "ArrowUp")) return m.parent[i];
    if (key === (this.flipped ? "ArrowUp" : "ArrowDown")) return i + 1 < m.n && m.parent[i + 1] === i ? i + 1 : -1;
    const beside = level[level.indexOf(i) + (key === "ArrowRight" ? 1 : -1)];
    return beside === undefined ? -1 : beside;
  }

  /* More or less of the width, with the place at `part` of it where it is. */
  private scale(by: number, part: number): void {
    if (!this.graph) return;
    const span = Math.min(this.span * by, this.graph.size[0]);
    this.look(this.x0 + (this.span - span) * part, span);
  }

  /* `x`: of the window. */
  private scaleAt(by: number, x: number): void {
    const box = this.canvas.getBoundingClientRect();
    this.scale(by, (x - box.left) / (box.width || 1));
  }

  private press(e: KeyboardEvent): void {
    if (!this.graph) return;
    if (e.key === "Enter") {
      if (this.cursor >= 0) this.zoom(this.cursor);
      e.preventDefault();
      return;
    }
    if (e.key === "m" && this.cursor >= 0) this.menuOfCursor();
    if (e.key === "n" || e.key === "N") this.nextMatch(e.key === "n" ? 1 : -1);
    if (e.key === "+" || e.key === "-") this.scale(e.key === "+" ? 1 / KEY_ZOOM : KEY_ZOOM, 0.5);
    if (!e.key.startsWith("Arrow")) return;
    e.preventDefault();
    const i = this.neighbour(this.cursor < 0 ? this.focus : this.cursor, e.key);
    if (i < 0) return;
    this.moveTo(i);
  }

  /* The keyboard goes to a frame, and the view with it. */
  private moveTo(i: number): void {
    const m = this.graph!,
      middle = m.x[i] + m.size[i] / 2;
    this.cursor = i;
    this.scrollTo(i, 0);
    if (middle < this.x0 || middle > this.x0 + this.span) this.look(middle - this.span / 2, this.span);
    const d = this.describe(i);
    this.ui.speak.textContent = d.name + ", " + d.lines.join(", ");
    this.redraw();
  }

  /* The next frame in view that matches, or the one before. */
  nextMatch(step: 1 | -1): void {
    const m = this.graph,
      { matched, focus } = this;
    if (!m || !matched) return;
    this.stepping = true;
    const end = endOf(m, focus),
      count = end - focus,
      at = this.cursor >= focus && this.cursor < end ? this.cursor : focus;
    for (let k = 1; k <= count; k++) {
      const i = focus + ((at - focus + step * k + count * 2) % count);
      if (matched[m.name[i]]) {
        this.moveTo(i);
        return;
      }
    }
  }

  private menuOfCursor(): void {
    const m = this.graph!,
      box = this.canvas.getBoundingClientRect(),
      x = Math.max(0, ((m.x[this.cursor] - this.x0) / this.span) * box.width),
      y = this.yOf(m.depth[this.cursor]) - this.ui.scroller.scrollTop + ROW;
    this.menu(this.cursor, box.left + x, box.top + y);
  }

  private menu(i: number, x: number, y: number): void {
    if (i <= 0 || !this.options.onMenu) return;
    this.cursor = i;
    this.ui.tip.hidden = true;
    this.redraw();
    this.options.onMenu(this.graph!.names[this.graph!.name[i]], x, y);
  }

  /* By the mouse or a finger of the frame there, else of that which has the keyboard. */
  private onContextMenu(e: MouseEvent): void {
    const touched = /touch|pen/.test((e as PointerEvent).pointerType || "");
    if (!this.options.onMenu) return;
    e.preventDefault();
    if (e.button === 2 || touched) this.menu(this.hitTest(e), e.clientX, e.clientY);
    else if (this.cursor >= 0) this.menuOfCursor();
  }

  private listen(): void {
    const { canvas } = this,
      until = { signal: this.closing.signal };
    canvas.addEventListener(
      "mousemove",
      e => {
        this.pointer = e;
        this.point(e);
      },
      until,
    );
    canvas.addEventListener(
      "mouseleave",
      () => {
        this.pointer = null;
        this.hover = -1;
        this.ui.tip.hidden = true;
        this.redraw();
      },
      until,
    );
    canvas.addEventListener(
      "click",
      e => {
        const i = this.panning.moved ? -1 : this.hitTest(e);
        if (i < 0) return;
        this.zoom(i);
        this.point(e);
      },
      until,
    );
    canvas.addEventListener(
      "focus",
      () => {
        if (this.cursor < 0) this.cursor = this.focus;
        this.redraw();
      },
      until,
    );
    canvas.addEventListener(
      "wheel",
      e => {
        if (!this.graph || !(e.ctrlKey || e.metaKey || e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY))) return;
        e.preventDefault();
        if (e.ctrlKey || e.metaKey) this.scaleAt(WHEEL_ZOOM ** e.deltaY, e.clientX);
        else this.look(this.x0 + ((e.deltaX || e.deltaY) / (canvas.clientWidth || 1)) * this.span, this.span);
      },
      { ...until, passive: false },
    );
    canvas.addEventListener("contextmenu", e => this.onContextMenu(e), until);
    canvas.addEventListener("blur", () => this.redraw(), until);
    canvas.addEventListener("keydown", e => this.press(e), until);
    this.ui.scroller.addEventListener(
      "scroll",
      () => {
        this.ui.tip.hidden = true;
        this.redraw();
      },
      until,
    );
    const watch = new ResizeObserver(() => this.redraw());
    watch.observe(this.ui.scroller);
    until.signal.addEventListener("abort", () => watch.disconnect());
  }
}
