/* The table: only rows in view are elements, so that a thousand JVMs scroll like ten. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ago, amount } from "../shared/format";
import { Jvm, keyOf } from "../shared/jvms";
import { COLUMNS, agentShare, versionText } from "./rows";

const ROW = 36,
  ROW_NARROW = 58, /* jvms.css: two lines */
  BEYOND = 6,
  narrow = matchMedia("(max-width: 760px)");

function shareText(j: Jvm, nowMs: number): string {
  const share = agentShare(j, nowMs);
  return share === null ? "" : share < 0.01 && share > 0 ? "< 0.01 %" : share.toFixed(2) + " %";
}

export function deliveredText(j: Jvm, nowMs: number): string {
  if (j.last_delivered_ms) return ago(nowMs - j.last_delivered_ms) + " ago";
  return j.profiles ? "never" : "";
}

function Cells({ j, nowMs }: { j: Jvm; nowMs: number }) {
  return (
    <>
      <span role="gridcell" class="c-service" title={j.service_name}>
        <b>{j.service_name || "pid " + j.pid}</b>
        {j.main && j.main !== j.service_name && <small> {j.main}</small>}
      </span>
      <span role="gridcell" class="c-state">
        <span class={"badge " + j.state}>{j.state.replace("_", " ")}</span>
        {j.reason && <small class="reason" title={j.reason}>{j.reason}</small>}
      </span>
      <span role="gridcell" class="c-pid num">{j.pid}</span>
      <span role="gridcell" class="c-version" title={`${j.version} ${j.vendor}`}>{versionText(j)}</span>
      <span role="gridcell" class="c-container" title={j.container}>{j.container.slice(0, 12)}</span>
      <span role="gridcell" class={"c-delivered num" + (j.profiles && !j.last_delivered_ms ? " reason" : "")}>
        {deliveredText(j, nowMs)}
      </span>
      <span role="gridcell" class="c-cost num">{shareText(j, nowMs)}</span>
      <span role="gridcell" class="c-recorded num">{j.recorded_bytes ? amount(j.recorded_bytes, "bytes") : ""}</span>
    </>
  );
}

function Head({ sort, onSort }: { sort: string; onSort(sort: string): void }) {
  const id = sort.replace("-", ""),
    down = sort.startsWith("-");
  return (
    <div role="row" class="jvm-row heads" aria-rowindex={1}>
      {COLUMNS.map(c => (
        <span
          key={c.id}
          role="columnheader"
          class={"c-" + c.id}
          aria-sort={c.id !== id ? "none" : down ? "descending" : "ascending"}
        >
          <button onClick={() => onSort(c.id === id && !down ? "-" + c.id : c.id)}>
            {c.title}
            {c.id === id ? (down ? " ▾" : " ▴") : ""}
          </button>
        </span>
      ))}
    </div>
  );
}

interface Props {
  list: Jvm[];
  nowMs: number;
  sort: string;
  onSort(sort: string): void;
  /* Key of the one whose details are shown; "" = none. */
  open: string;
  onOpen(key: string): void;
}

/* Two components may have the same JVM. */
function rowId(i: number): string {
  return "jvm-row-" + i;
}

/* Where the box is scrolled to, and how high it and its rows are. */
function useWindow(length: number) {
  const box = useRef<HTMLDivElement>(null),
    [view, setView] = useState({ top: 0, height: 600, row: narrow.matches ? ROW_NARROW : ROW });
  useLayoutEffect(() => {
    const e = box.current!,
      look = () =>
        setView(old => {
          const next = { top: e.scrollTop, height: e.clientHeight, row: narrow.matches ? ROW_NARROW : ROW };
          return next.top === old.top && next.height === old.height && next.row === old.row ? old : next;
        }),
      watch = new ResizeObserver(look);
    look();
    watch.observe(e);
    e.addEventListener("scroll", look, { passive: true });
    narrow.addEventListener("change", look);
    return () => {
      watch.disconnect();
      e.removeEventListener("scroll", look);
      narrow.removeEventListener("change", look);
    };
  }, []);
  const first = Math.max(0, Math.floor(view.top / view.row) - BEYOND),
    last = Math.min(length, Math.ceil((view.top + view.height) / view.row) + BEYOND);
  return { box, first: Math.min(first, length), last, row: view.row, rows: Math.floor(view.height / view.row) };
}

export function Table({ list, nowMs, sort, onSort, open, onOpen }: Props) {
  const { box, first, last, row, rows } = useWindow(list.length),
    [cursor, setCursor] = useState(""),
    at = list.findIndex(j => keyOf(j) === cursor);
  /* A row under the keyboard is brought into view when it is chosen, and not when rows are sorted anew. */
  const move = (to: number) => {
    const i = Math.max(0, Math.min(list.length - 1, to)),
      e = box.current!;
    if (!list.length) return;
    setCursor(keyOf(list[i]));
    if (i * row < e.scrollTop) e.scrollTop = i * row;
    else if ((i + 2) * row > e.scrollTop + e.clientHeight) e.scrollTop = (i + 2) * row - e.clientHeight;
  };
  useEffect(() => {
    if (open && !cursor) setCursor(open);
  }, [open]);
  const steps: Record<string, number> = {
    ArrowDown: at + 1,
    ArrowUp: at < 0 ? 0 : at - 1,
    PageDown: at + rows,
    PageUp: at - rows,
    Home: 0,
    End: list.length - 1,
  };
  const onKey = (e: KeyboardEvent) => {
    if ((e.target as HTMLElement).tagName === "BUTTON") return;
    if (e.key in steps) move(steps[e.key]);
    else if (e.key === "Enter" && at >= 0) onOpen(cursor);
    else return;
    e.preventDefault();
  };
  return (
    <div
      class="jvm-table"
      id="jvm-table"
      ref={box}
      role="grid"
      tabIndex={0}
      aria-label="JVMs. Arrow keys move between rows, Enter shows details."
      aria-rowcount={list.length + 1}
      aria-activedescendant={at >= first && at < last ? rowId(at) : undefined}
      onKeyDown={onKey}
    >
      <Head sort={sort} onSort={onSort} />
      <div role="presentation" style={{ height: first * row + "px" }} />
      {list.slice(first, last).map((j, i) => {
        const key = keyOf(j);
        return (
          <div
            key={j.component + key}
            id={rowId(first + i)}
            role="row"
            aria-rowindex={first + i + 2}
            aria-selected={key === open}
            class={"jvm-row" + (key === cursor ? " cursor" : "")}
            onClick={() => {
              setCursor(key);
              onOpen(key);
            }}
          >
            <Cells j={j} nowMs={nowMs} />
          </div>
        );
      })}
      <div role="presentation" style={{ height: (list.length - last) * row + "px" }} />
    </div>
  );
}
