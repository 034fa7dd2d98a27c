/* What is open is told when something outside of it is pressed. */
import type { MutableRef } from "preact/hooks";
import { useLayoutEffect, useRef } from "preact/hooks";

/* With the box, not after it was painted. */
export function useOutside(open: boolean, box: MutableRef<HTMLElement | null>, told: () => void): void {
  const latest = useRef(told);
  latest.current = told;
  useLayoutEffect(() => {
    if (!open) return;
    const onPointer = (e: PointerEvent) => {
      if (!box.current!.contains(e.target as Node)) latest.current();
    };
    document.addEventListener("pointerdown", onPointer);
    return () => document.removeEventListener("pointerdown", onPointer);
  }, [open]);
}
