/* The search box of the flame graph; what is in it is in the address. */
import { useEffect, useRef, useState } from "preact/hooks";
import { isTyping } from "../flame/search_box";
import { writeAddress } from "../shared/address";
import type { State } from "./state";

const TYPING_MS = 150;

interface Props {
  id: string;
  state: State;
  /* Where "/" leads. */
  first: boolean;
  disabled: boolean;
}

export function SearchField({ id, state, first, disabled }: Props) {
  const [text, setText] = useState(state.search),
    input = useRef<HTMLInputElement>(null),
    later = useRef(0);
  const write = (search: string) => {
    clearTimeout(later.current);
    later.current = 0;
    writeAddress({ search }, false);
  };
  useEffect(() => {
    if (!later.current) setText(state.search);
  }, [state.search]);
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      const box = input.current!;
      if (first && e.key === "/" && !isTyping()) {
        e.preventDefault();
        box.focus();
        box.select();
      }
      if (e.key !== "Escape" || document.activeElement !== box || !box.value) return;
      e.preventDefault(); /* it means the text, not the zoom */
      setText("");
      write("");
    };
    document.addEventListener("keydown", onKey, true);
    return () => {
      clearTimeout(later.current);
      document.removeEventListener("keydown", onKey, true);
    };
  }, []);
  return (
    <input
      ref={input}
      type="search"
      id={id}
      class="search"
      disabled={disabled}
      placeholder="Search functions  ( / )"
      title={'Part of a name, "a whole name" or /an expression/'}
      aria-label="Search functions"
      autocomplete="off"
      spellcheck={false}
      value={text}
      onInput={e => {
        const typed = e.currentTarget.value;
        setText(typed);
        clearTimeout(later.current);
        later.current = window.setTimeout(() => write(typed), TYPING_MS);
      }}
    />
  );
}
