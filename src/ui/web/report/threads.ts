/* The threads of a profile, from which some can be chosen; the graph, the functions and the heat map are of these. */
import { matcher } from "../flame/search";
import { element } from "../shared/dom";
import { amount, percent } from "../shared/format";

const THREAD_ROWS = 250;

/* The member "threads" of a page's data: ui/report_threads.h. */
export interface ThreadData {
  names: string[];
  thread: number[];
  node: number[];
  self: number[][];
}

/* By index of a thread whether it was chosen; null = all. What has no threads is of the thread "". */
export type Wanted = boolean[] | null;

export function wantedOf(data: ThreadData | undefined, chosen: Set<string>): Wanted {
  return chosen.size ? (data ? data.names : [""]).map(name => chosen.has(name)) : null;
}

/* What nodes have of their own in these threads; `whole` is that of all. */
export function threadSelf(data: ThreadData | undefined, column: number, whole: number[], wanted: Wanted): number[] {
  if (!wanted || (!data && wanted[0])) return whole;
  const self = new Array<number>(whole.length).fill(0);
  if (data)
    data.self[column].forEach((value, i) => {
      if (wanted[data.thread[i]]) self[data.node[i]] += value;
    });
  return self;
}

/* A thread's name and what it has; the largest come first. */
export type ThreadRow = [name: string, value: number];

export function threadRows(names: string[], thread: number[], value: number[]): ThreadRow[] {
  const sums = new Array<number>(names.length).fill(0);
  value.forEach((v, i) => (sums[thread[i]] += v));
  return names
    .map((name, i): ThreadRow => [name, sums[i]])
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : Number(a[0] > b[0])));
}

export class ThreadList {
  readonly chosen = new Set<string>();
  private readonly list: HTMLElement;
  private readonly all: HTMLElement;
  private readonly filter: HTMLInputElement;
  private rows: ThreadRow[] = [];
  private unit = "";

  constructor(
    private readonly panel: HTMLElement,
    private readonly onChoice: () => void,
  ) {
    const find = <E extends HTMLElement>(selector: string) => panel.querySelector<E>(selector)!;
    this.list = find("#threads");
    this.all = find("#threads-all");
    this.filter = find<HTMLInputElement>("#threads-search");
    this.listen();
  }

  /* The threads of a view; those chosen stay so in another one. */
  show(rows: ThreadRow[], unit: string): void {
    this.rows = rows;
    this.unit = unit;
    this.panel.hidden = rows.length < 2 && !this.chosen.size;
    this.draw();
  }

  /* "of main", "of 3 threads"; "" = all. */
  said(): string {
    const { size } = this.chosen,
      [first] = this.chosen;
    return !size ? "" : size > 1 ? `of ${size} threads` : `of ${first || "no thread"}`;
  }

  private matching(): ThreadRow[] {
    const matches = matcher(this.filter.value);
    return matches ? this.rows.filter(([name]) => matches(name)) : this.rows;
  }

  private draw(): void {
    const whole = this.rows.reduce((sum, r) => sum + r[1], 0),
      rows = this.matching(),
      focused = (document.activeElement as HTMLElement | null)?.dataset.thread;
    this.all.hidden = !this.chosen.size;
    this.list.replaceChildren(...rows.slice(0, THREAD_ROWS).map(r => this.item(r, whole)));
    if (rows.length > THREAD_ROWS) this.list.append(element("li", "more", `and ${rows.length - THREAD_ROWS} more`));
    for (const b of this.list.querySelectorAll("button")) if (b.dataset.thread === focused) b.focus();
  }

  private item([name, value]: ThreadRow, whole: number): HTMLElement {
    const li = element("li"),
      b = element("button"),
      isChosen = this.chosen.has(name);
    b.append(
      element("span", "", name || "(no thread)"),
      element("small", "", amount(value, this.unit)),
      element("small", "", percent(value, whole || 1)),
    );
    b.dataset.thread = name;
    b.title = name || "Samples without a thread";
    b.setAttribute("aria-pressed", String(isChosen));
    b.onclick = () => this.choose([name], !isChosen);
    li.append(b);
    return li;
  }

  private choose(names: string[], on: boolean): void {
    for (const name of names)
      if (on) this.chosen.add(name);
      else this.chosen.delete(name);
    this.onChoice();
  }

  private listen(): void {
    this.all.onclick = () => {
      this.chosen.clear();
      this.onChoice();
    };
    this.filter.addEventListener("input", () => this.draw());
    this.filter.addEventListener("keydown", e => {
      if (e.key === "Enter" && this.filter.value) {
        this.chosen.clear();
        this.choose(
          this.matching().map(([name]) => name),
          true,
        );
      }
      if (e.key !== "Escape" || !this.filter.value) return;
      e.stopPropagation(); /* or it zooms out */
      this.filter.value = "";
      this.draw();
    });
  }
}
