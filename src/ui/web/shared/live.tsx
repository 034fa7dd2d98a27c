/* Whether the page refreshes itself, and whether the server answers. */
import { useEffect, useState } from "preact/hooks";

let on = true;
const failures = new Map<object, string>(),
  watchers = new Set<() => void>();

function tell(): void {
  for (const told of watchers) told();
}

export function setLive(value: boolean): void {
  on = value;
  tell();
}

/* `source`: whatever was asked; "" = it is answered again, or no longer asked. */
export function reportFailure(source: object, message: string): void {
  if ((failures.get(source) || "") === message) return;
  if (message) failures.set(source, message);
  else failures.delete(source);
  tell();
}

export function useLive(): { on: boolean; error: string } {
  const state = () => ({ on, error: failures.values().next().value || "" }),
    [shown, setShown] = useState(state());
  useEffect(() => {
    const told = () => setShown(state());
    told();
    watchers.add(told);
    return () => {
      watchers.delete(told);
    };
  }, []);
  return shown;
}

export function LiveBadge() {
  const live = useLive();
  return (
    <button
      id="live"
      class={live.error ? "live failing" : "live"}
      aria-pressed={live.on}
      title="Refresh every 10 seconds"
      onClick={() => setLive(!live.on)}
    >
      <i />
      <span>{live.error ? "No data" : live.on ? "Live" : "Paused"}</span>
    </button>
  );
}
