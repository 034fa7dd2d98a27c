/* Elements. Everything foreign is shown by textContent, or drawn on a canvas. */
export function $<E extends HTMLElement = HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  cls = "",
  text?: string,
): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  if (text !== undefined) e.textContent = text;
  return e;
}

/* Whether keys are letters of something that is being entered. */
export function isTyping(): boolean {
  return /INPUT|SELECT|TEXTAREA/.test(document.activeElement ? document.activeElement.tagName : "");
}
