/* Questions to the server that the page came from, and their answers as a view shows them. */
import { useEffect, useRef, useState } from "preact/hooks";
import { reportFailure, useLive } from "./live";

const REFRESH_MS = 10000,
  REFRESH_MAX_MS = 300000,
  RETRY_MS = 2000,
  /* Who asked for something large may wait longer, but is told. */
  SLOW_MS = 30000,
  /* A page that is left open asks for at most this share of the time that answers take. */
  REFRESH_SHARE = 20;

export type Query = Record<string, string | number | string[] | undefined>;

/* status: of HTTP; 0 = no answer. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

export function encoded(query: Query): string {
  const pairs: string[][] = [];
  for (const [name, value] of Object.entries(query))
    if (value !== undefined)
      for (const one of Array.isArray(value) ? value : [value]) pairs.push([name, String(one)]);
  return new URLSearchParams(pairs).toString();
}

/* What an address may be long; more goes into a form. A stack that is zoomed at may be hundreds of names. */
const ADDRESS_MAX = 4000;

function send(path: string, query: Query, signal?: AbortSignal): Promise<Response> {
  const text = encoded(query),
    options: RequestInit = { cache: "no-store", signal };
  if (text.length <= ADDRESS_MAX) return fetch(`api/${path}?${text}`, options);
  return fetch("api/" + path, { ...options, method: "POST", body: new URLSearchParams(text) });
}

/* JSON of api/PATH, beside the page. Throws an ApiError. */
export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  let answer: Response;
  try {
    answer = await send(path, query, signal);
  } catch (e) {
    throw new ApiError("smolder does not answer; retrying every few seconds.", 0);
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new ApiError(body.error || "smolder answered " + answer.status, answer.status);
  return body as T;
}

export interface Answer<T> {
  /* Of this question, if it was answered; it stays while the question is asked again. */
  data: T | null;
  /* Why the last try failed, or "". With data: what is shown is older. */
  error: string;
  /* Nothing is known yet. */
  loading: boolean;
  /* The answer is of another part. */
  stale: boolean;
  /* And the one that is wanted is on its way. */
  pending: boolean;
  /* When the answer came (Date.now()). */
  at: number;
}

interface Kept<T> {
  key: string | null;
  part: string;
  data: T | null;
  error: string;
  at: number;
}

const NOTHING = { part: "", data: null, error: "", at: 0 };

/* Asks when `key` changes, which names the question, and as long as the page is live again and again. What another
 * question was answered is gone at once, so that nothing stands under a name that is not its own. `part`: what may
 * change with the answer staying until the next is there. key = null: nothing is asked. */
export function useAnswer<T>(
  key: string | null,
  ask: (signal: AbortSignal) => Promise<T>,
  part = "",
  retry: (data: T) => boolean = () => false,
): Answer<T> {
  const { on } = useLive(),
    [kept, setKept] = useState<Kept<T>>({ key: null, ...NOTHING }),
    latest = useRef({ ask, on, wake: () => {} });
  latest.current.ask = ask;
  latest.current.on = on;
  useEffect(() => {
    if (key === null) return;
    const source = {},
      control = new AbortController();
    let timer = 0,
      busy = false;
    const again = (wait: number) => {
      clearTimeout(timer);
      timer = window.setTimeout(wake, wait);
    };
    const run = async () => {
      if (busy) return;
      busy = true;
      const began = performance.now(),
        slow = window.setTimeout(
          () => reportFailure(source, `smolder has not answered for ${SLOW_MS / 1000} s; still waiting.`),
          SLOW_MS,
        );
      try {
        const data = await latest.current.ask(control.signal);
        if (control.signal.aborted) return;
        reportFailure(source, "");
        setKept({ key, part, data, error: "", at: Date.now() });
        const pace = Math.min(REFRESH_MAX_MS, Math.max(REFRESH_MS, REFRESH_SHARE * (performance.now() - began)));
        again(retry(data) ? RETRY_MS : pace);
      } catch (e) {
        if (control.signal.aborted) return;
        const error = (e as Error).message;
        reportFailure(source, error);
        setKept(old => (old.key === key ? { ...old, error } : { key, ...NOTHING, error }));
        again(RETRY_MS);
      } finally {
        clearTimeout(slow);
        busy = false;
      }
    };
    const wake = () => {
      if (latest.current.on && !document.hidden) run();
    };
    latest.current.wake = wake;
    document.addEventListener("visibilitychange", wake);
    run();
    return () => {
      control.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", wake);
      latest.current.wake = () => {};
      reportFailure(source, "");
    };
  }, [key, part]);
  useEffect(() => {
    if (on) latest.current.wake();
  }, [on]);
  const mine = kept.key === key ? kept : NOTHING,
    stale = !!mine.data && mine.part !== part;
  return {
    data: mine.data as T | null,
    error: mine.error,
    at: mine.at,
    loading: !mine.data && !mine.error,
    stale,
    pending: stale && !mine.error,
  };
}
