/* The list of keys: "?" shows it. */
import { useEffect, useRef } from "preact/hooks";
import { isTyping } from "./dom";

const KEYS: [keys: string[], what: string][] = [
  [["↑", "↓", "←", "→"], "move between frames, or rows"],
  [["Enter"], "zooms in at the frame; opens the row; in the search box: the next match"],
  [["Escape"], "empties the search box, shows all stacks, closes what is open"],
  [["m", "right click"], "menu of the frame: copy its name, callers and callees, hide it"],
  [["/"], "search box"],
  [["n", "N"], "next match, the one before"],
  [["+", "−", "Ctrl wheel", "two fingers"], "scale the flame graph"],
  [["drag", "Shift wheel"], "move it"],
  [["?"], "this list"],
];

export function Keys() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.key === "?" && !isTyping() && !dialog.current!.open) dialog.current!.showModal();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      <button class="quiet" id="keys" title="List of keys (?)" onClick={() => dialog.current!.showModal()}>
        Keys
      </button>
      <dialog
        ref={dialog}
        id="keys-list"
        aria-label="Keys"
        onKeyDown={e => e.stopPropagation()}
        onClick={e => {
          if (e.target === dialog.current) dialog.current!.close();
        }}
      >
        <dl>
          {KEYS.map(([keys, what]) => (
            <>
              <dt>
                {keys.map(k => (
                  <kbd key={k}>{k}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </>
          ))}
        </dl>
        <button class="switch" onClick={() => dialog.current!.close()}>
          Close
        </button>
      </dialog>
    </>
  );
}
