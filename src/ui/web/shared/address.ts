/* The state of a view in the address, so that a copied address shows the same and the back button undoes a step.
 *
 *     #view=jvms&sort=state    view: Explore if there is none; the rest belongs to the view
 *
 * A view that is left is found again as it was.
 */
import { useEffect, useState } from "preact/hooks";

export type Change = Record<string, string | number | string[] | null>;

export const FIRST_VIEW = "explore";
const watchers = new Set<() => void>(),
  left = new Map<string, string>();

function read(): URLSearchParams {
  return new URLSearchParams(location.hash.slice(1));
}

function tell(): void {
  for (const told of watchers) told();
}

addEventListener("popstate", tell);

export function viewOf(params: URLSearchParams): string {
  return params.get("view") || FIRST_VIEW;
}

/* The address changed as said: null removes a parameter, of a list each is one. `step`: the back button returns to what
 * was there before. */
export function writeAddress(change: Change, step: boolean): void {
  const params = read();
  for (const [name, value] of Object.entries(change)) {
    params.delete(name);
    if (Array.isArray(value)) for (const one of value) params.append(name, one);
    else if (value !== null && value !== "") params.set(name, String(value));
  }
  replaceAddress("#" + params, step);
}

function replaceAddress(hash: string, step: boolean): void {
  if (hash === location.hash || (hash === "#" && !location.hash)) return;
  if (step) history.pushState(null, "", hash);
  else history.replaceState(null, "", hash);
  tell();
}

export function openView(id: string): void {
  left.set(viewOf(read()), location.hash);
  replaceAddress(left.get(id) || (id === FIRST_VIEW ? "#" : "#view=" + id), true);
}

/* The parameters of the address, as they change. */
export function useAddress(): URLSearchParams {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const told = () => setHash(location.hash);
    told();
    watchers.add(told);
    return () => {
      watchers.delete(told);
    };
  }, []);
  return new URLSearchParams(hash.slice(1));
}
