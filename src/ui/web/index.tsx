/* The page: a bar with the views' tabs, and the view that the address names. */
import { render } from "preact";
import "./shared/common.css";
import "./index.css";
import { explore } from "./explore";
import { jvms } from "./jvms";
import { pipeline } from "./pipeline";
import { openView, useAddress, viewOf } from "./shared/address";
import { Keys } from "./shared/keys";
import { LiveBadge } from "./shared/live";
import { Logo } from "./shared/logo";
import { Notice } from "./shared/notice";
import { Elsewhere, usePlace } from "./shared/place";
import { toggleTheme } from "./shared/theme";
import type { View } from "./shared/view";

const VIEWS: View[] = [explore, jvms, pipeline];

function Tabs({ current }: { current: View }) {
  return (
    <nav class="tabs" aria-label="Views">
      {VIEWS.map(view => (
        <a
          key={view.id}
          href={"#view=" + view.id}
          aria-current={view === current ? "page" : undefined}
          onClick={e => {
            if (e.ctrlKey || e.metaKey || e.shiftKey) return; /* a tab of the browser */
            e.preventDefault();
            if (view !== current) openView(view.id);
          }}
        >
          {view.title}
        </a>
      ))}
    </nav>
  );
}

function Page() {
  const params = useAddress(),
    place = usePlace(),
    isAgent = !!place && place.here === "agent",
    id = params.get("view") || !isAgent ? viewOf(params) : jvms.id,
    current = VIEWS.find(view => view.id === id) || VIEWS[0];
  return (
    <>
      <header>
        <h1 class="logo">
          <Logo />
          smolder
        </h1>
        <Tabs current={current} />
        <span class="grow" />
        <button class="quiet" id="theme" title="Light or dark" onClick={toggleTheme}>
          Theme
        </button>
        <Keys />
        <LiveBadge />
      </header>
      <Notice />
      {place && isAgent && current === explore && (
        <Elsewhere what="Profiles are kept by the store" a={place.store} hash="" flag="--store.listen" />
      )}
      {place && !(isAgent && current === explore) && <current.Body key={current.id} />}
    </>
  );
}

render(<Page />, document.getElementById("page")!);
