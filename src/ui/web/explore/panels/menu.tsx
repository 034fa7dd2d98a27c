/* A menu of the bar: Escape closes it, and so does what is pressed elsewhere. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

export function Menu({ id, title, onToggle, children }: {
  id: string;
  title: string;
  onToggle(open: boolean): void;
  children: ComponentChildren;
}) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const onPointer = (e: PointerEvent) => {
      if (!menu.current!.contains(e.target as Node)) menu.current!.open = false;
    };
    document.addEventListener("pointerdown", onPointer);
    return () => document.removeEventListener("pointerdown", onPointer);
  }, []);
  return (
    <details
      class="menu"
      id={id}
      ref={menu}
      onKeyDown={e => {
        if (e.key !== "Escape" || !e.currentTarget.open) return;
        e.stopPropagation();
        e.currentTarget.open = false;
        e.currentTarget.querySelector("summary")!.focus();
      }}
      onToggle={e => onToggle(e.currentTarget.open)}
    >
      <summary>{title}</summary>
      {children}
    </details>
  );
}
