/* A menu of the bar: Escape closes it, and so does what is pressed elsewhere. */
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { useOutside } from "../../shared/outside";

export function Menu({ id, title, onToggle, children }: {
  id: string;
  title: string;
  onToggle(open: boolean): void;
  children: ComponentChildren;
}) {
  const menu = useRef<HTMLDetailsElement>(null);
  useOutside(true, menu, () => (menu.current!.open = false));
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
