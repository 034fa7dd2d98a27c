/* A button that opens a box below it; Escape, and a click elsewhere, close it. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useOutside } from "./outside";

const EDGE_PX = 12;

export function Popover({ name, label, title, value, children }: {
  /* The id of the button; its box has "-box" added. */
  name: string;
  label: ComponentChildren;
  title?: string;
  /* Of the button: what was chosen in the box. */
  value?: string;
  children: ComponentChildren | ((close: () => void) => ComponentChildren);
}) {
  const [open, setOpen] = useState(false),
    root = useRef<HTMLDivElement>(null),
    box = useRef<HTMLDivElement>(null),
    button = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    button.current!.focus();
  };
  useOutside(open, root, () => setOpen(false));
  useLayoutEffect(() => {
    if (!open) return;
    /* As far to the left as it needs to be in the window. */
    const right = box.current!.getBoundingClientRect().right;
    box.current!.style.left = Math.min(0, document.documentElement.clientWidth - EDGE_PX - right) + "px";
  }, [open]);
  /* With the box, not after it was painted: a key that comes in between is for it. */
  useLayoutEffect(() => {
    if (!open) return;
    const onKey = (e: KeyboardEvent) => {
      if (e.key !== "Escape") return;
      e.preventDefault();
      e.stopPropagation();
      close();
    };
    document.addEventListener("keydown", onKey, true);
    return () => document.removeEventListener("keydown", onKey, true);
  }, [open]);
  return (
    <div class="popover" ref={root}>
      <button
        type="button"
        class="switch"
        id={name}
        ref={button}
        title={title}
        value={value}
        aria-expanded={open}
        aria-controls={open ? name + "-box" : undefined}
        aria-haspopup="dialog"
        onClick={() => setOpen(!open)}
      >
        {label}
      </button>
      {open && (
        <div class="popover-box" id={name + "-box"} role="dialog" aria-label={title} ref={box}>
          {typeof children === "function" ? children(close) : children}
        </div>
      )}
    </div>
  );
}
