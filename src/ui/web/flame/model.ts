/* A flame graph as arrays by node, in preorder. Node 0 is the root. */
import { colorOf } from "./names";

export interface Model {
  n: number;
  unit: string;
  names: string[];
  depth: Int32Array;
  name: Int32Array;
  parent: Int32Array;
  /* Where a node begins, in the unit of `size`. */
  x: Float64Array;
  self: Float64Array;
  total: Float64Array;
  /* How wide a node is: its total, in a comparison that of both sides. */
  size: Float64Array;
  /* In a comparison: what it is compared with. */
  before: { self: Float64Array; total: Float64Array } | null;
  /* The nodes of each depth, from left to right. */
  levels: number[][];
  /* By name. */
  colors: string[];
}

/* The store's answer: rows of depth, name, self, total, largest children first. */
export interface FlameAnswer {
  unit: string;
  names: string[];
  nodes: number[];
  top: number[];
  total: number;
  profiles: number;
  node_count: number;
  truncated: boolean;
  matched?: number;
}

export function modelOf(data: Pick<FlameAnswer, "nodes" | "names" | "unit">): Model {
  const raw = data.nodes,
    n = raw.length / 4;
  const m = emptyModel(n, data.names, data.unit);
  for (let i = 0; i < n; i++) {
    m.depth[i] = raw[4 * i];
    m.name[i] = raw[4 * i + 1];
    m.self[i] = raw[4 * i + 2];
    m.total[i] = raw[4 * i + 3];
  }
  m.size = m.total;
  return placed(m);
}

/* The store's answer to a comparison: rows of depth, name, self and total before, self and total after. A frame is as
 * wide as both shares together, so that the smaller side is seen as well. */
export function modelOfPair(data: Pick<FlameAnswer, "nodes" | "names" | "unit">): Model {
  const raw = data.nodes,
    n = raw.length / 6,
    m = emptyModel(n, data.names, data.unit),
    before = { self: new Float64Array(n), total: new Float64Array(n) },
    share = (i: number, k: number) => (raw[k] ? raw[6 * i + k] / raw[k] : 0);
  m.size = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    m.depth[i] = raw[6 * i];
    m.name[i] = raw[6 * i + 1];
    before.self[i] = raw[6 * i + 2];
    before.total[i] = raw[6 * i + 3];
    m.self[i] = raw[6 * i + 4];
    m.total[i] = raw[6 * i + 5];
    m.size[i] = share(i, 3) + share(i, 5);
  }
  m.before = before;
  return placed(m);
}

function emptyModel(n: number, names: string[], unit: string): Model {
  return {
    n,
    unit,
    names,
    depth: new Int32Array(n),
    name: new Int32Array(n),
    parent: new Int32Array(n),
    x: new Float64Array(n),
    self: new Float64Array(n),
    total: new Float64Array(n),
    size: new Float64Array(0),
    before: null,
    levels: [],
    colors: [],
  };
}

function placed(m: Model): Model {
  const stack: number[] = [],
    next: number[] = [];
  for (let i = 0; i < m.n; i++) {
    const d = m.depth[i];
    m.parent[i] = d ? stack[d - 1] : -1;
    m.x[i] = d ? next[d - 1] : 0;
    if (d) next[d - 1] += m.size[i];
    stack[d] = i;
    next[d] = m.x[i];
    (m.levels[d] || (m.levels[d] = [])).push(i);
  }
  m.colors = m.names.map(colorOf);
  return m;
}

/* Nodes with their parents, which come first; what each has of its own, now and (or null) before. */
export interface Table {
  parent: number[];
  name: number[];
  self: number[];
  before: number[] | null;
}

/* The first child of each node and the next sibling, largest first; -1 = none. */
function family(parent: number[], size: Float64Array): { first: Int32Array; sibling: Int32Array } {
  const n = parent.length,
    first = new Int32Array(n).fill(-1),
    sibling = new Int32Array(n).fill(-1),
    forks: number[] = [];
  for (let i = n - 1; i > 0; i--)
    if (size[i] > 0) {
      const p = parent[i];
      sibling[i] = first[p];
      if (first[p] >= 0 && sibling[first[p]] < 0) forks.push(p); /* its second child; most nodes have one only */
      first[p] = i;
    }
  for (const p of forks) {
    const children: number[] = [];
    for (let i = first[p]; i >= 0; i = sibling[i]) children.push(i);
    children.sort((a, b) => size[b] - size[a] || a - b);
    children.forEach((i, k) => {
      sibling[i] = k + 1 < children.length ? children[k + 1] : -1;
    });
    first[p] = children[0];
  }
  return { first, sibling };
}

export function modelOfTable(names: string[], unit: string, table: Table): Model {
  const { parent, name, self, before } = table,
    n = parent.length,
    total = Float64Array.from(self),
    old = before && Float64Array.from(before),
    size = new Float64Array(n);
  for (let i = n - 1; i > 0; i--) {
    total[parent[i]] += total[i];
    if (old) old[parent[i]] += old[i];
  }
  let count = 0;
  for (let i = 0; i < n; i++) {
    size[i] = total[i] + (old ? old[i] : 0);
    if (i === 0 || size[i] > 0) count++;
  }
  const { first, sibling } = family(parent, size),
    m = emptyModel(count, names, unit);
  m.size = new Float64Array(count);
  if (old) m.before = { self: new Float64Array(count), total: new Float64Array(count) };
  for (let i = 0, at = 0, d = 0; i >= 0; at++) {
    m.depth[at] = d;
    m.name[at] = name[i];
    m.self[at] = self[i];
    m.total[at] = total[i];
    m.size[at] = size[i];
    if (m.before && before && old) {
      m.before.self[at] = before[i];
      m.before.total[at] = old[i];
    }
    if (first[i] >= 0) {
      i = first[i];
      d++;
      continue;
    }
    while (i > 0 && sibling[i] < 0) {
      i = parent[i];
      d--;
    }
    i = i > 0 ? sibling[i] : -1;
  }
  return placed(m);
}

/* What is too small to be seen is not followed further: this part of the whole. */
const CALLERS_MIN = 1 / 50000;

/* The same stacks from the other end: below the root, the functions that have something of their own, and below each
 * its callers. */
export function callersOf({ parent, name, self, before }: Table): Table {
  const all = (i: number) => self[i] + (before ? before[i] : 0);
  /* By name: pairs of the node whose own value it is, and the node of this name above it. */
  const push = (map: Map<number, number[]>, key: number, origin: number, at: number) => {
    const list = map.get(key);
    if (list) list.push(origin, at);
    else map.set(key, [origin, at]);
  };
  let whole = 0;
  const roots = new Map<number, number[]>();
  for (let i = 1; i < parent.length; i++)
    if (all(i) > 0) {
      whole += all(i);
      push(roots, name[i], i, i);
    }
  const out: Table = { parent: [0], name: [name[0]], self: [self[0]], before: before ? [before[0]] : null };
  const todo = [...roots].map(([key, list]): [number, number, number[]] => [0, key, list]);
  for (let next = todo.pop(); next; next = todo.pop()) {
    const [up, key, list] = next,
      at = out.parent.length,
      groups = new Map<number, number[]>();
    let weight = 0,
      ends = 0,
      endsBefore = 0;
    for (let k = 0; k < list.length; k += 2) weight += all(list[k]);
    for (let k = 0; k < list.length; k += 2) {
      const origin = list[k],
        above = parent[list[k + 1]];
      if (above > 0 && weight > whole * CALLERS_MIN) push(groups, name[above], origin, above);
      else {
        ends += self[origin];
        if (before) endsBefore += before[origin];
      }
    }
    out.parent.push(up);
    out.name.push(key);
    out.self.push(ends);
    if (out.before) out.before.push(endsBefore);
    for (const [k, l] of groups) todo.push([at, k, l]);
  }
  return out;
}

/* A function: its name as an index, what it has by itself and on stacks that it is part of, now and before. */
export type FunctionRow = [name: number, self: number, total: number, selfBefore: number, totalBefore: number];

export function functionsOf(m: Model): FunctionRow[] {
  const rows = m.names.map((_, i): FunctionRow => [i, 0, 0, 0, 0]),
    open = new Int32Array(m.names.length),
    stack: number[] = [];
  for (let i = 1; i < m.n; i++) {
    while (stack.length >= m.depth[i]) open[stack.pop()!]--;
    const r = rows[m.name[i]];
    r[1] += m.self[i];
    if (m.before) r[3] += m.before.self[i];
    if (!open[m.name[i]]) {
      r[2] += m.total[i];
      if (m.before) r[4] += m.before.total[i];
    }
    open[m.name[i]]++;
    stack.push(m.name[i]);
  }
  return rows.filter(r => r[2] || r[4]);
}

/* The names from below the root down to a node. */
export function pathOf(m: Model, i: number): string[] {
  const path: string[] = [];
  for (; i > 0; i = m.parent[i]) path.unshift(m.names[m.name[i]]);
  return path;
}

/* The node of a path, or the last on the way there. */
export function nodeAt(m: Model, path: string[]): number {
  let at = 0;
  for (const name of path) {
    const below = m.levels[m.depth[at] + 1] || [],
      found = below.find(i => m.parent[i] === at && m.names[m.name[i]] === name);
    if (found === undefined) return at;
    at = found;
  }
  return at;
}

/* One past the last node beneath `i`. */
export function endOf(m: Model, i: number): number {
  let end = i + 1;
  while (end < m.n && m.depth[end] > m.depth[i]) end++;
  return end;
}
