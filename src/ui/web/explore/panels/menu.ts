/* What the menus have in common. */

/* For a <details>: back to its head. */
export function closeOnEscape(e: KeyboardEvent): void {
  const menu = e.currentTarget as HTMLDetailsElement;
  if (e.key !== "Escape" || !menu.open) return;
  e.stopPropagation();
  menu.open = false;
  menu.querySelector("summary")!.focus();
}
