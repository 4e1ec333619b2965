/** Origins that are allowed: each by itself, and `https://*.shop.example` for every host below `shop.example`. Pure. */

/** What of a set of origins is asked for. */
export interface Origins {
  has(origin: string): boolean;
}

/** The origins, each in the form in which a browser sends it. */
export function originsOf(allowed: readonly string[]): Origins {
  const exact = new Set(allowed);
  const below = allowed.flatMap((origin) => {
    const [scheme, name] = origin.split("://*.");
    return name === undefined ? [] : [{ front: `${scheme}://`, end: `.${name}` }];
  });
  return {
    has(origin) {
      if (exact.has(origin)) return !origin.includes("*");
      return below.some(({ front, end }) =>
        origin.startsWith(front) && origin.endsWith(end) && isName(origin.slice(front.length, -end.length))
      );
    },
  };
}

/** Nothing but labels: what a browser puts in front of a name, and no port, path or user of somebody's. */
function isName(text: string): boolean {
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(text);
}
