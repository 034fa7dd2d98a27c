/* What can be done with one frame: a menu where the pointer is. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { useOutside } from "../shared/outside";
import { shortName } from "./names";

export interface FrameAction {
  text: string;
  run(): void;
}

export interface FrameAt {
  name: string;
  /* Of the window. */
  x: number;
  y: number;
}

const EDGE_PX = 8;

export function FrameMenu({ at, actions, close }: { at: FrameAt; actions: FrameAction[]; close(): void }) {
  const menu = useRef<HTMLDivElement>(null),
    before = useRef(document.activeElement as HTMLElement | null);
  useLayoutEffect(() => {
    const box = menu.current!;
    box.style.left = Math.max(EDGE_PX, Math.min(at.x, innerWidth - box.offsetWidth - EDGE_PX)) + "px";
    box.style.top = Math.max(EDGE_PX, Math.min(at.y, innerHeight - box.offsetHeight - EDGE_PX)) + "px";
    box.querySelector("button")!.focus();
  }, [at]);
  useOutside(true, menu, close);
  const done = () => {
    close();
    if (before.current) before.current.focus();
  };
  const onKey = (e: KeyboardEvent) => {
    const buttons = [...menu.current!.querySelectorAll("button")],
      i = buttons.indexOf(document.activeElement as HTMLButtonElement),
      step = e.key === "ArrowDown" ? 1 : e.key === "ArrowUp" ? -1 : 0;
    e.stopPropagation();
    if (e.key === "Escape" || e.key === "Tab") done();
    else if (step) buttons[(i + step + buttons.length) % buttons.length].focus();
    else return;
    e.preventDefault();
  };
  return (
    <div class="frame-menu" role="menu" aria-label={"Frame " + at.name} ref={menu} onKeyDown={onKey}>
      <b title={at.name}>{shortName(at.name)}</b>
      {actions.map(a => (
        <button
          key={a.text}
          type="button"
          role="menuitem"
          tabIndex={-1}
          onClick={() => {
            done();
            a.run();
          }}
        >
          {a.text}
        </button>
      ))}
    </div>
  );
}
