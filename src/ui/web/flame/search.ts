/* Search in names: part of a name, "a whole name", or /an expression/, as page/flame_search.h has it. */
import { Model, endOf } from "./model";
import { dotted } from "./names";

/* null = the text is no expression. Throws where it is one that is not valid. */
function expressionOf(text: string): RegExp | null {
  const inner = /^\/(.+)\/$/.exec(text.trim());
  return inner && new RegExp(inner[1], "i");
}

/* What is wrong with an expression, or "". */
export function expressionError(text: string): string {
  try {
    expressionOf(text);
    return "";
  } catch (e) {
    return (e as Error).message;
  }
}

export function matcher(text: string): ((name: string) => boolean) | null {
  const q = text.trim(),
    whole = /^"(.+)"$/.exec(q);
  if (!q) return null;
  if (expressionError(q)) return () => false;
  const expression = expressionOf(q);
  let test: (s: string) => boolean;
  if (expression) test = s => expression.test(s);
  else if (whole) test = s => s === whole[1];
  else test = s => s.toLowerCase().includes(q.toLowerCase());
  return name => test(name) || test(dotted(name));
}

/* What matches have beneath a node. A match inside a match counts once: only outermost ones are summed. */
export function matchedTotal(m: Model, at: number, matched: boolean[]): number {
  let sum = 0;
  for (let i = at, end = endOf(m, at); i < end; )
    if (matched[m.name[i]]) {
      sum += m.total[i];
      i = endOf(m, i);
    } else i++;
  return sum;
}

/* Whether frames beneath a node were left out. */
export function isCut(m: Model, at: number): boolean {
  const other = m.names.indexOf("(other)");
  if (other < 0) return false;
  for (let i = at, end = endOf(m, at); i < end; i++) if (m.name[i] === other) return true;
  return false;
}
