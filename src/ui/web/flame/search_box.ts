/* The search box and its keys: "/" goes there, Escape empties it, or else zooms out. */
import { isTyping } from "../shared/dom";
import type { FlameGraph } from "./graph";

const TYPING_MS = 150;

export interface SearchBox {
  /* Looks for a text, or for nothing when it was that. */
  look(text: string): void;
  close(): void;
}

/* `onSearch` is told of what is looked for. */
export function searchBox(input: HTMLInputElement, graph: FlameGraph, onSearch?: (text: string) => void): SearchBox {
  let later = 0;
  const search = (text: string) => {
    clearTimeout(later);
    graph.search(text);
    if (onSearch) onSearch(text);
  };
  const onInput = () => {
    clearTimeout(later);
    later = window.setTimeout(() => search(input.value), TYPING_MS);
  };
  const onKey = (e: KeyboardEvent) => {
    if (e.key === "/" && !isTyping()) {
      e.preventDefault();
      input.focus();
      input.select();
    }
    if (e.key !== "Escape") return;
    if (document.activeElement === input && input.value) {
      input.value = "";
      search("");
    } else graph.reset();
  };
  input.addEventListener("input", onInput);
  document.addEventListener("keydown", onKey);
  return {
    look(text) {
      input.value = input.value === text ? "" : text;
      search(input.value);
    },
    close() {
      clearTimeout(later);
      input.removeEventListener("input", onInput);
      document.removeEventListener("keydown", onKey);
    },
  };
}
