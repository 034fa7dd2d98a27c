/* The search box of a table of functions; what is in it is in the address. */
import { useEffect, useRef } from "preact/hooks";
import { writeAddress } from "../../shared/address";
import { useIds } from "../../shared/part";

const TYPING_MS = 200;

export function FunctionSearch({ search }: { search: string }) {
  const input = useRef<HTMLInputElement>(null),
    later = useRef(0),
    id = useIds();
  useEffect(() => {
    if (document.activeElement !== input.current) input.current!.value = search;
  }, [search]);
  useEffect(() => () => clearTimeout(later.current), []);
  return (
    <input
      type="search"
      ref={input}
      id={id("function-search")}
      placeholder="Search functions"
      aria-label="Search functions"
      title={'Part of a name, "a whole name" or /an expression/'}
      autocomplete="off"
      spellcheck={false}
      onInput={e => {
        const text = e.currentTarget.value;
        clearTimeout(later.current);
        later.current = window.setTimeout(() => writeAddress({ search: text }, false), TYPING_MS);
      }}
    />
  );
}
