/** Goes from page to page without loading anything anew: the browser's history, and whoever wants to hear of it. */
import { parseRoute, type Route } from "./route.ts";

const changed = new EventTarget();
/** Flags of an address that go with the reader from page to page. */
const CARRIED = ["wire"];

/** Where the page is. */
export function currentRoute(): Route {
  return parseRoute(location.href);
}

/** Calls back whenever the address has changed, until what it answers is called. */
export function onRoute(listener: (route: Route) => void): () => void {
  const heard = () => listener(currentRoute());
  changed.addEventListener("route", heard);
  return () => changed.removeEventListener("route", heard);
}

/**
 * Goes to an address of the page, such as `/goods/17`.
 *
 * @param replace true: the address takes the place of the present one, so that "back" passes it by
 */
export function navigate(to: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  const url = new URL(to, location.href);
  const now = new URL(location.href);
  for (const name of CARRIED) {
    const value = now.searchParams.get(name);
    if (value !== null && !url.searchParams.has(name)) url.searchParams.set(name, value);
  }
  if (replace) history.replaceState(null, "", url);
  else if (url.href !== now.href) history.pushState(null, "", url);
  changed.dispatchEvent(new Event("route"));
}

/** Has links of the page go by {@link navigate}: those that are clicked plainly and lead to an address of its own. */
export function followLinks(root: EventTarget): void {
  root.addEventListener("click", (event) => {
    const click = event as MouseEvent;
    if (click.defaultPrevented || click.button !== 0) return;
    if (click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return;
    const link = click.composedPath().find((target) => target instanceof HTMLAnchorElement);
    if (link === undefined || link.target !== "" || link.hasAttribute("download")) return;
    if (link.origin !== location.origin || link.getAttribute("href")?.startsWith("#")) return;
    click.preventDefault();
    navigate(link.href);
  });
}

/** Has the browser's "back" and "forward" be heard of. */
export function followHistory(): void {
  addEventListener("popstate", () => changed.dispatchEvent(new Event("route")));
}
