import type { JSX } from "preact";

/* A view of the page: one folder with one of these. */
export interface View {
  /* In the address. */
  id: string;
  /* On its tab. */
  title: string;
  Body(): JSX.Element;
}
