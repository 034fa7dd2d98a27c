/* How stacks are shown (page/page_query.h), as the address says. */
import type { Query } from "../shared/api";

export const PATTERNS = ["fold", "hide", "only", "without"] as const;
export const FLAGS = ["callers", "recursion", "lines"] as const;

/* What is not the program's own. */
export const LIBRARIES = "/^(javax?|jdk|sun|com\\.sun|kotlinx?|scala|groovy|clojure)\\./";

export function viewQuery(p: URLSearchParams): Query {
  const query: Query = {};
  for (const name of PATTERNS) {
    const patterns = p.getAll(name).filter(text => text);
    if (patterns.length) query[name] = patterns;
  }
  for (const name of FLAGS) if (p.get(name) === "1") query[name] = 1;
  if (p.get("by")) query.by = p.get("by")!;
  return query;
}

export function viewKey(p: URLSearchParams): string {
  return JSON.stringify(viewQuery(p));
}
