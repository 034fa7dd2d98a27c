/* Dragging a canvas with the mouse, a finger or a pen, and scaling it with two fingers. */
const CLICK_PX = 4;

interface Point {
  x: number;
  y: number;
}

export interface PanningEvents {
  /* By how much the pointer moved, in pixels. */
  move(dx: number, dy: number): void;
  /* The fingers are `by` times as far from each other as before; between them is `x` of the window. */
  pinch(by: number, x: number): void;
}

function distance(a: Point, b: Point): number {
  return Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
}

export class Panning {
  /* Since the first pointer went down: what follows is no click. */
  moved = false;
  private readonly down = new Map<number, Point>();
  private begun: Point = { x: 0, y: 0 };

  constructor(canvas: HTMLElement, signal: AbortSignal, private readonly events: PanningEvents) {
    const up = (e: PointerEvent) => {
      this.down.delete(e.pointerId);
    };
    canvas.addEventListener(
      "pointerdown",
      e => {
        if (e.button !== 0) return;
        const point = { x: e.clientX, y: e.clientY };
        this.moved = this.down.size > 0;
        if (!this.moved) this.begun = point;
        this.down.set(e.pointerId, point);
      },
      { signal },
    );
    canvas.addEventListener(
      "pointermove",
      e => {
        const from = this.down.get(e.pointerId),
          to = { x: e.clientX, y: e.clientY };
        if (!from || (!this.moved && distance(to, this.begun) < CLICK_PX)) return;
        if (!canvas.hasPointerCapture(e.pointerId)) canvas.setPointerCapture(e.pointerId);
        this.moved = true;
        this.drag(e, from, to);
        this.down.set(e.pointerId, to);
      },
      { signal },
    );
    canvas.addEventListener("pointerup", up, { signal });
    canvas.addEventListener("pointercancel", up, { signal });
  }

  /* The browser scrolls what fingers move up and down. */
  private drag(e: PointerEvent, from: Point, to: Point): void {
    const others = [...this.down].filter(([id]) => id !== e.pointerId);
    if (!others.length) {
      this.events.move(to.x - from.x, e.pointerType === "mouse" ? to.y - from.y : 0);
      return;
    }
    const still = others[0][1];
    this.events.move((to.x - from.x) / 2, 0);
    this.events.pinch(distance(still, to) / distance(still, from), (still.x + to.x) / 2);
  }
}
