import { flamePanel } from "./flame_panel";
import type { Panel } from "./panel";

/* The first is shown unless the address says another. */
export const PANELS: Panel[] = [flamePanel];
