/** What `deno task bench` is asked for. Pure. */

/** How it is called. */
export const USAGE = "Usage: deno task bench [--turns | --hosts | --versus | --memory [--minutes N]] [--smoke]";

/** Minutes that a scenario of `--memory` has where it is not said, and at the most. */
const MINUTES_DEFAULT = 10;
const MINUTES_MAX = 60;

/** A run: everything, what is compared by turns, several hosts, beside the article's service, or memory. */
export interface Asked {
  readonly kind: "whole" | "turns" | "hosts" | "versus" | "memory";
  /** Short, and about correctness only. */
  readonly smoke: boolean;
  /** Of `memory`: how long each scenario runs. */
  readonly minutes: number;
}

/** Reads the arguments; undefined where they are not to be understood. */
export function askedOf(given: readonly string[]): Asked | undefined {
  const args = given.filter((arg) => arg !== "--");
  const take = (name: string) => {
    const at = args.indexOf(name);
    if (at >= 0) args.splice(at, 1);
    return at >= 0;
  };
  const smoke = take("--smoke");
  const kinds = (["turns", "hosts", "versus", "memory"] as const).filter((kind) => take(`--${kind}`));
  const kind = kinds[0] ?? "whole";
  let minutes = MINUTES_DEFAULT;
  const at = args.indexOf("--minutes");
  if (at >= 0) {
    if (kind !== "memory") return undefined;
    minutes = Number(args.splice(at, 2)[1]);
    if (!(minutes > 0 && minutes <= MINUTES_MAX)) return undefined;
  }
  if (kinds.length > 1 || args.length > 0 || (kind === "memory" && smoke)) return undefined;
  return { kind, smoke, minutes };
}
