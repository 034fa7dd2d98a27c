/* Places the nodes of a directed graph in layers: data goes from one layer to the next, long edges take a place in each
 * layer that they cross, and layers are ordered so that few edges cross (barycentres). */
export interface Placed {
  id: string;
  x: number;
  y: number;
}

export interface Route {
  from: string;
  to: string;
  /* From the border of one node, through the places in between, to that of the other. */
  points: [number, number][];
}

export interface Layout {
  nodes: Placed[];
  routes: Route[];
  width: number;
  height: number;
}

/* `along`: layers follow each other down the page instead of to the right. */
export interface Sizes {
  width: number;
  height: number;
  gap: number;
  layerGap: number;
  down: boolean;
}

const SWEEPS = 6;

interface Place {
  /* "" = of a long edge. */
  id: string;
  layer: number;
  at: number;
  before: Place[];
  after: Place[];
}

/* Edges without those that close a cycle: these would need a layer before their own. */
function acyclic(ids: string[], edges: [string, string][]): [string, string][] {
  const out = new Map<string, string[]>(ids.map(id => [id, []])),
    state = new Map<string, number>(),
    kept: [string, string][] = [];
  for (const [from, to] of edges) if (out.has(from) && out.has(to) && from !== to) out.get(from)!.push(to);
  const visit = (id: string) => {
    state.set(id, 1);
    for (const to of out.get(id)!) {
      if (state.get(to) === 1) continue;
      kept.push([id, to]);
      if (!state.has(to)) visit(to);
    }
    state.set(id, 2);
  };
  for (const id of ids) if (!state.has(id)) visit(id);
  return kept;
}

/* The longest way to each node. */
function layersOf(ids: string[], edges: [string, string][]): Map<string, number> {
  const layer = new Map<string, number>(ids.map(id => [id, 0]));
  for (let i = 0, changed = true; changed && i <= ids.length; i++) {
    changed = false;
    for (const [from, to] of edges)
      if (layer.get(to)! < layer.get(from)! + 1) {
        layer.set(to, layer.get(from)! + 1);
        changed = true;
      }
  }
  /* A source stands beside what it feeds. */
  for (const id of ids) {
    const next = edges.filter(e => e[0] === id).map(e => layer.get(e[1])!);
    if (next.length && !edges.some(e => e[1] === id)) layer.set(id, Math.min(...next) - 1);
  }
  return layer;
}

function join(a: Place, b: Place): void {
  a.after.push(b);
  b.before.push(a);
}

function order(layers: Place[][]): void {
  const sort = (layer: Place[], side: "before" | "after") => {
    const weight = new Map(
      layer.map(p => [p, p[side].length ? p[side].reduce((sum, q) => sum + q.at, 0) / p[side].length : p.at]),
    );
    layer.sort((a, b) => weight.get(a)! - weight.get(b)!);
    layer.forEach((p, i) => (p.at = i));
  };
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const layer of layers.slice(1)) sort(layer, "before");
    for (const layer of layers.slice(0, -1).reverse()) sort(layer, "after");
  }
}

export function layout(ids: string[], all: [string, string][], size: Sizes): Layout {
  const edges = acyclic(ids, all),
    layerOf = layersOf(ids, edges),
    depth = Math.max(0, ...layerOf.values()) + 1,
    layers: Place[][] = Array.from({ length: depth }, () => []),
    places = new Map<string, Place>(),
    add = (id: string, layer: number): Place => {
      const p = { id, layer, at: layers[layer].length, before: [], after: [] };
      layers[layer].push(p);
      return p;
    };
  for (const id of ids) places.set(id, add(id, layerOf.get(id)!));
  const ways = edges.map(([from, to]) => {
    const way = [places.get(from)!];
    for (let l = layerOf.get(from)! + 1; l < layerOf.get(to)!; l++) way.push(add("", l));
    way.push(places.get(to)!);
    way.slice(1).forEach((p, i) => join(way[i], p));
    return { from, to, way };
  });
  order(layers);
  const cross = size.down ? size.width : size.height,
    thick = size.down ? size.height : size.width,
    most = Math.max(1, ...layers.map(l => l.length)),
    extent = most * (cross + size.gap) - size.gap,
    centre = (p: Place): [number, number] => {
      const n = layers[p.layer].length,
        a = (extent - (n * (cross + size.gap) - size.gap)) / 2 + p.at * (cross + size.gap) + cross / 2,
        b = p.layer * (thick + size.layerGap) + thick / 2;
      return size.down ? [a, b] : [b, a];
    },
    ends = (p: Place, side: number): [number, number] => {
      const [x, y] = centre(p);
      return size.down ? [x, y + (side * thick) / 2] : [x + (side * thick) / 2, y];
    },
    long = depth * (thick + size.layerGap) - size.layerGap;
  return {
    nodes: [...places.values()].map(p => {
      const [x, y] = centre(p);
      return { id: p.id, x: x - size.width / 2, y: y - size.height / 2 };
    }),
    routes: ways.map(({ from, to, way }) => ({
      from,
      to,
      points: [ends(way[0], 1), ...way.slice(1, -1).map(centre), ends(way[way.length - 1], -1)],
    })),
    width: size.down ? extent : long,
    height: size.down ? long : extent,
  };
}

/* A smooth line through the points. */
export function pathOf(points: [number, number][], down: boolean): string {
  let path = `M${points[0].join(" ")}`;
  for (let i = 1; i < points.length; i++) {
    const [ax, ay] = points[i - 1],
      [bx, by] = points[i],
      mx = (ax + bx) / 2,
      my = (ay + by) / 2;
    path += down ? `C${ax} ${my} ${bx} ${my} ${bx} ${by}` : `C${mx} ${ay} ${mx} ${by} ${bx} ${by}`;
  }
  return path;
}
