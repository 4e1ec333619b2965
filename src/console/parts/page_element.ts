/** What every page is: an element that is given its link to the server and what its address says. */
import type { Link } from "../link/link.ts";
import type { Route } from "../shell/route.ts";
import { ConsoleElement } from "./console_element.ts";

/** A page. The frame sets both properties before it is drawn, and `route` again whenever the address changes. */
export class PageElement extends ConsoleElement {
  static override properties = { link: { attribute: false }, route: { attribute: false } };

  declare link: Link;
  declare route: Route;

  /** Puts the cursor where `/` leads to on this page. Pages that have such a place override it. */
  focusSearch(): void {}
}
