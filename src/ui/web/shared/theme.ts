/* Light and dark: as the system has it, until somebody chooses; the browser keeps what was chosen. */
const KEPT = "smolder-theme",
  darkness = matchMedia("(prefers-color-scheme: dark)"),
  watchers = new Set<() => void>();
let chosen = kept();

/* Browsers may forbid it. */
function kept(): string {
  try {
    return localStorage.getItem(KEPT) || "";
  } catch (e) {
    return "";
  }
}

function keep(theme: string): void {
  try {
    localStorage.setItem(KEPT, theme);
  } catch (e) {
    /* then until the page is closed */
  }
}

export function isDark(): boolean {
  return document.documentElement.dataset.theme === "dark";
}

export function applyTheme(): void {
  document.documentElement.dataset.theme = chosen || (darkness.matches ? "dark" : "light");
  for (const told of watchers) told();
}

/* Returns what ends it. */
export function onTheme(told: () => void): () => void {
  watchers.add(told);
  return () => watchers.delete(told);
}

export function toggleTheme(): void {
  chosen = isDark() ? "light" : "dark";
  keep(chosen);
  applyTheme();
}

/* The value of a property of common.css. */
export function themeColor(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

darkness.addEventListener("change", applyTheme);
applyTheme();
