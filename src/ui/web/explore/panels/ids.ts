/* What a column of Explore shows. */
export type PanelId = "graph" | "functions" | "sandwich" | "compare" | "heat";
