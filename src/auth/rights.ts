/** What callers may be allowed, and which right contains which. Pure. */

/** To look, to sell and take back, to change stock, to look at the server itself. */
export const RIGHTS = ["reader", "seller", "stocker", "operator"] as const;
export type Right = typeof RIGHTS[number];

/** What each right contains beside itself. */
const CONTAINED: Readonly<Record<Right, readonly Right[]>> = {
  reader: [],
  seller: ["reader"],
  stocker: ["reader"],
  operator: ["reader", "seller", "stocker"],
};

/** Whether it is the name of a right. */
export function isRight(name: string): name is Right {
  return (RIGHTS as readonly string[]).includes(name);
}

/** These rights with all that they contain. */
export function withContained(given: readonly Right[]): ReadonlySet<Right> {
  return new Set(given.flatMap((right) => [right, ...CONTAINED[right]]));
}

/** For methods that must answer whoever asks, such as a balancer that has no credentials. */
export const ANYONE = "anyone";
