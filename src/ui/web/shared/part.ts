/* Parts of a page that stand side by side: each tells those within it which one it is, so that the ids of their
 * elements differ. Those of the first have nothing added. */
import { ComponentChildren, createContext, h } from "preact";
import { useContext } from "preact/hooks";

const Part = createContext(0);

export function InPart({ part, children }: { part: number; children: ComponentChildren }) {
  return h(Part.Provider, { value: part }, children);
}

export function usePart(): number {
  return useContext(Part);
}

export function useIds(): (name: string) => string {
  const part = useContext(Part);
  return name => (part ? `${name}-${part}` : name);
}
