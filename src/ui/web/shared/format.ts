/* Amounts, shares and times as people read them. */
function digits(v: number): string {
  return v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toFixed(2);
}

/* A value of a profile in its unit. */
export function amount(v: number, unit: string): string {
  if (v < 0) return "−" + amount(-v, unit);
  if (unit === "nanoseconds") {
    if (v < 1e3) return v + " ns";
    if (v < 1e6) return digits(v / 1e3) + " µs";
    if (v < 1e9) return digits(v / 1e6) + " ms";
    if (v < 12e10) return digits(v / 1e9) + " s";
    if (v < 72e11) return digits(v / 6e10) + " min";
    return digits(v / 36e11) + " h";
  }
  if (unit === "bytes") {
    const names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let i = 0;
    while (v >= 1024 && i < names.length - 1) {
      v /= 1024;
      i++;
    }
    return (i ? digits(v) : v) + " " + names[i];
  }
  const n = v >= 1e9 ? digits(v / 1e9) + " G" : v >= 1e6 ? digits(v / 1e6) + " M" : v.toLocaleString("en-US");
  return unit && unit !== "count" ? n + " " + unit : n;
}

export function percent(part: number, whole: number): string {
  const p = whole ? (part / whole) * 100 : 0;
  return (p >= 99.95 || p === 0 ? p.toFixed(0) : p >= 10 ? p.toFixed(1) : p.toFixed(2)) + " %";
}

export function plural(n: number, one: string, many: string): string {
  return n.toLocaleString("en-US") + " " + (n === 1 ? one : many);
}

/* A length of time. */
export function ago(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 90) return s + " s";
  if (s < 5400) return Math.round(s / 60) + " min";
  return s < 172800 ? Math.round(s / 3600) + " h" : Math.round(s / 86400) + " days";
}

export function clock(ms: number, dated = false): string {
  const d = new Date(ms),
    date = dated ? d.toLocaleDateString(undefined, { month: "short", day: "numeric" }) + " " : "";
  return date + d.toLocaleTimeString(undefined, { hour12: false });
}

/* Keeps numbers and their units on one line. */
export function solid(text: string): string {
  return text.replace(/(\d) (?=[a-zµ%])/g, "$1\u00a0");
}
