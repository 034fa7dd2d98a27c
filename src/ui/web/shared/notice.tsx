/* What the page has to say above a view: what the server answered, or what is wrong with something that was entered. */
import { useEffect, useState } from "preact/hooks";
import { useLive } from "./live";

let notice = "";
const watchers = new Set<(text: string) => void>();

export function setNotice(text: string): void {
  if (text === notice) return;
  notice = text;
  for (const told of watchers) told(text);
}

export function Notice() {
  const [text, setText] = useState(notice),
    live = useLive(),
    shown = live.error || text;
  useEffect(() => {
    watchers.add(setText);
    setText(notice);
    return () => {
      watchers.delete(setText);
    };
  }, []);
  return (
    <div id="trouble" role="alert" hidden={!shown}>
      {shown}
    </div>
  );
}
