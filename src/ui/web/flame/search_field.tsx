/* The search box of a flame graph. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { isTyping } from "../shared/dom";

const TYPING_MS = 150;

interface Props {
  id: string;
  search: string;
  onSearch(text: string): void;
  /* Enter: the next match, with Shift the one before. */
  onNext(text: string, step: 1 | -1): void;
  /* "/" leads there. */
  first: boolean;
  disabled: boolean;
}

export function SearchField({ id, search, onSearch, onNext, first, disabled }: Props) {
  const [text, setText] = useState(search),
    input = useRef<HTMLInputElement>(null),
    later = useRef(0),
    told = useRef(onSearch);
  told.current = onSearch;
  const tell = (typed: string) => {
    clearTimeout(later.current);
    later.current = 0;
    told.current(typed);
  };
  useEffect(() => {
    if (!later.current) setText(search);
  }, [search]);
  useLayoutEffect(() => {
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
      tell("");
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
      onKeyDown={e => {
        if (e.key !== "Enter") return;
        e.preventDefault();
        tell(text);
        onNext(text, e.shiftKey ? -1 : 1);
      }}
      onInput={e => {
        const typed = e.currentTarget.value;
        setText(typed);
        clearTimeout(later.current);
        later.current = window.setTimeout(() => tell(typed), TYPING_MS);
      }}
    />
  );
}
