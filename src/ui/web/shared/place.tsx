/* Where the page is, and what else there is: api/page. It is the same page at the address of the store and at that of
 * the agent; a view whose API is not here says where it is. */
import { useEffect, useState } from "preact/hooks";
import { get } from "./api";

export interface Address {
  address: string;
  path: string;
  token?: boolean;
}

export interface Place {
  here: "store" | "agent";
  store: Address | null;
  agent: Address | null;
}

const UNKNOWN: Place = { here: "store", store: null, agent: null };
let asked: Promise<Place> | null = null;

export function askPlace(): Promise<Place> {
  return (asked = asked || get<Place>("page").catch(() => UNKNOWN));
}

/* null: not known yet. */
export function usePlace(): Place | null {
  const [place, setPlace] = useState<Place | null>(null);
  useEffect(() => {
    let open = true;
    askPlace().then(answer => {
      if (open) setPlace(answer);
    });
    return () => {
      open = false;
    };
  }, []);
  return place;
}

function isLoopback(host: string): boolean {
  return /^(127\.|localhost$|.*\.localhost$|\[?::1\]?$)/.test(host);
}

/* Its URL as it can be reached from this browser; null: it listens for programs of its own host only. */
export function urlOf(a: Address): string | null {
  const at = a.address.lastIndexOf(":"),
    host = a.address.slice(0, at),
    every = host === "0.0.0.0" || host === "[::]" || host === "",
    local = isLoopback(host);
  if (local && !isLoopback(location.hostname)) return null;
  return `${location.protocol}//${every || local ? location.hostname : host}${a.address.slice(at)}${a.path}`;
}

/* Where to find what is not here. `hash`: of the address there. */
export function Elsewhere({ what, a, hash, flag }: { what: string; a: Address | null; hash: string; flag: string }) {
  if (!a)
    return (
      <p class="note">
        {what}, which this program does not serve: <code>{flag}</code> turns it on.
      </p>
    );
  const url = urlOf(a);
  return (
    <p class="note">
      {what} at{" "}
      {url ? (
        <a href={url + hash}>{url}</a>
      ) : (
        <>
          <code>{a.address}</code>, which other machines cannot reach
        </>
      )}
      .{a.token ? " It requires the token that was printed at the start." : ""}
    </p>
  );
}
