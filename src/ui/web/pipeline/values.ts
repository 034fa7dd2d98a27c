/* Arguments and exports as text, much like the configuration. Secrets come as "(secret)" already. */
import type { Statement, Tagged } from "./questions";

/* Lists of targets may be long, and each has many labels. */
const ITEMS_MAX = 10,
  DEPTH_MAX = 12;

function rest(n: number, pad: string): string[] {
  return n > ITEMS_MAX ? [`${pad}// … ${(n - ITEMS_MAX).toLocaleString("en-US")} more`] : [];
}

function isPlain(v: Tagged): boolean {
  return v.type !== "array" && v.type !== "object";
}

export function valueText(v: Tagged | undefined, pad = "", depth = 0): string {
  if (!v || depth > DEPTH_MAX) return "…";
  const inner = pad + "  ";
  if (v.type === "array") {
    const items = v.value as Tagged[];
    if (items.every(isPlain) && items.length <= ITEMS_MAX)
      return "[" + items.map(i => valueText(i, inner, depth + 1)).join(", ") + "]";
    const lines = items.slice(0, ITEMS_MAX).map(i => inner + valueText(i, inner, depth + 1) + ",");
    return ["[", ...lines, ...rest(items.length, inner), pad + "]"].join("\n");
  }
  if (v.type === "object") {
    const members = v.value as { key: string; value: Tagged }[];
    if (!members.length) return "{}";
    const lines = members.map(m => `${inner}${m.key} = ${valueText(m.value, inner, depth + 1)},`);
    return ["{", ...lines, pad + "}"].join("\n");
  }
  if (v.type === "string") return JSON.stringify(v.value);
  return String(v.value);
}

export function bodyText(body: Statement[], pad = ""): string {
  const seen = new Map<string, number>(),
    lines: string[] = [];
  for (const s of body) {
    if (s.type === "attr") {
      lines.push(`${pad}${s.name} = ${valueText(s.value, pad)}`);
      continue;
    }
    const n = (seen.get(s.name) || 0) + 1;
    seen.set(s.name, n);
    if (n <= ITEMS_MAX) lines.push(`${pad}${s.name} {`, bodyText(s.body || [], pad + "  "), `${pad}}`);
  }
  for (const [name, n] of seen)
    if (n > ITEMS_MAX) lines.push(`${pad}// … ${(n - ITEMS_MAX).toLocaleString("en-US")} more of ${name}`);
  return lines.filter(Boolean).join("\n");
}
