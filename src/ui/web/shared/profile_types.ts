/* Profile types: what people call them, and in which order they come. */
const TITLES: Record<string, string> = {
  "cpu:nanoseconds": "CPU time",
  "wall:nanoseconds": "Wall-clock time",
  "alloc_in_new_tlab_bytes:bytes": "Allocated memory (bytes)",
  "alloc_in_new_tlab_objects:count": "Allocated memory (objects)",
  "alloc_outside_tlab_bytes:bytes": "Allocated outside TLAB (bytes)",
  "alloc_outside_tlab_objects:count": "Allocated outside TLAB (objects)",
  "alloc_sample_bytes:bytes": "Allocation samples (bytes)",
  "alloc_sample_objects:count": "Allocation samples (objects)",
  "live_bytes:bytes": "Live objects (bytes)",
  "live:count": "Live objects (number)",
  "malloc_bytes:bytes": "Native memory (bytes)",
  "malloc_objects:count": "Native memory (allocations)",
  "malloc_live_bytes:bytes": "Native memory not freed (bytes)",
  "malloc_live_objects:count": "Native memory not freed (allocations)",
  "native_delay:nanoseconds": "Native lock wait time",
  "native_contentions:count": "Native lock contentions",
  "native:nanoseconds": "Native methods",
  "calls:count": "Traced calls",
  "trace:duration:nanoseconds": "Traced call time",
  "spans:count": "Spans",
  "span:duration:nanoseconds": "Span time",
  "user_event:events:count": "User events",
  "event:samples:count": "Counter samples",
  "event:events:count": "Counted events",
};
const TYPE_ORDER = ["CPU time", "Wall-clock time", "Allocated memory (bytes)", "Lock wait time"];


export function typeTitle(id: string): string {
  const [name, sample = "", unit = ""] = id.split(":");
  if (!sample) return "";
  if (name === "mutex" || name === "block") {
    const what = name === "mutex" ? "Lock" : "Park";
    if (sample === "delay") return what + " wait time";
    if (sample === "contentions") return name === "mutex" ? "Lock contentions" : "Park events";
  }
  return TITLES[id] || TITLES[sample + ":" + unit] || `${name}: ${sample.replace(/_/g, " ")} (${unit})`;
}
export function typeRank(id: string): number {
  const i = TYPE_ORDER.indexOf(typeTitle(id));
  return i < 0 ? TYPE_ORDER.length : i;
}
