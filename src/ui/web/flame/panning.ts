/* Dragging a canvas with the mouse, a finger or a pen. */
const CLICK_PX = 4;

export class Panning {
  /* Since the button went down: what follows is no click. */
  moved = false;

  /* `onMove` gets by how much the pointer moved, in pixels. */
  constructor(canvas: HTMLElement, signal: AbortSignal, onMove: (dx: number, dy: number) => void) {
    let last: PointerEvent | null = null,
      begun: PointerEvent | null = null;
    const end = () => {
      last = begun = null;
    };
    canvas.addEventListener(
      "pointerdown",
      e => {
        if (e.button !== 0) return;
        this.moved = false;
        last = begun = e;
      },
      { signal },
    );
    canvas.addEventListener(
      "pointermove",
      e => {
        if (!last || !begun || e.pointerId !== last.pointerId) return;
        if (!this.moved && Math.hypot(e.clientX - begun.clientX, e.clientY - begun.clientY) < CLICK_PX) return;
        if (!this.moved) canvas.setPointerCapture(e.pointerId);
        this.moved = true;
        onMove(e.clientX - last.clientX, e.pointerType === "mouse" ? e.clientY - last.clientY : 0);
        last = e;
      },
      { signal },
    );
    canvas.addEventListener("pointerup", end, { signal });
    canvas.addEventListener("pointercancel", end, { signal });
  }
}
