/** The addresses of the page, and what each of them shows. Pure. */

/** The pages; one goods is reached from the list of goods. */
export type PageName = "goods" | "one_goods" | "orders" | "order" | "system";

/** What an address says. */
export interface Route {
  readonly page: PageName;
  /** The part of the path behind the page's name, decoded: a goods' id, or an order's. Empty: there is none. */
  readonly id: string;
  /** Behind the question mark: filters, sorting, whatever a page keeps there. */
  readonly query: URLSearchParams;
}

/** Characters of an id in a path; longer ones name nothing. */
const ID_CHARACTERS_MAX = 256;

/**
 * Reads an address: `/goods`, `/goods/17`, `/orders`, `/orders/A-1`, `/system`. What is none of these is the list of
 * goods.
 *
 * @param url path and query, such as `/goods?sort=num`, or a whole URL
 */
export function parseRoute(url: string): Route {
  const { pathname, searchParams: query } = new URL(url, "http://page");
  const [, name = "", ...rest] = pathname.split("/");
  const id = decoded(rest.join("/"));
  if (name === "goods") return { page: id === "" ? "goods" : "one_goods", id, query };
  if (name === "orders") return { page: id === "" ? "orders" : "order", id, query };
  if (name === "system") return { page: "system", id: "", query };
  return { page: "goods", id: "", query };
}

/** The address of a route, as {@link parseRoute} reads it. */
export function addressOf({ page, id, query }: Route): string {
  const path = page === "one_goods"
    ? `/goods/${encodeURIComponent(id)}`
    : page === "order"
    ? `/orders/${encodeURIComponent(id)}`
    : `/${page}`;
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text).slice(0, ID_CHARACTERS_MAX);
  } catch {
    return "";
  }
}
