/** The protections that the suite's server can do without, so that it can be shown what each of them is for. */

/** Each with what happens where it is taken out. */
const PROTECTIONS = {
  /** Writes believe what was read: no version that has moved on stops them. Orders and operations keep their ids. */
  fence: "writes believe what was read",
  /** The mode's own mutual exclusion: every lease is granted to everybody, and rows are not locked. */
  lease: "leases are granted to everybody, rows are not locked",
  /** A lease is released before the write, as the author's repository does. */
  commit_before_release: "the lease is released before the write",
  /** It is not looked whether the lease is still valid before the write begins. */
  recheck: "nobody looks whether the lease is still valid",
  /** A Redis that has just started votes at once. */
  quarantine: "a Redis that has just started votes at once",
  /** The lock counts a majority of the nodes that answer, not of the configured ones. */
  majority: "a majority of the nodes that answer is enough",
  /** Orders and operations are applied without looking for their ids. */
  order_ids: "orders are applied without looking for their ids",
  /** The write is several statements, each a transaction by itself. */
  one_statement: "the write is several statements without a transaction",
  /** The answer goes out before the write was made. */
  commit_before_answer: "answers go out before the write is made",
  /** PostgreSQL says that it has committed before the commit is on disk. */
  durable_commit: "commits are acknowledged before they are on disk (synchronous_commit=off)",
  /** A write whose outcome is unknown is reported as one that was not made. */
  outcome_lookup: "a lost write is reported as if nothing had happened",
  /** Whoever decides again does not know that a write was lost, which may still be made. */
  lost_write: "a lost write is forgotten when the order is decided again",
  /** Operations are applied on the strength of what others of their batch change, which is not committed. */
  committed_ground: "orders lean on what others of their batch change",
  /** What was decided long ago is written, too, as long as nothing has moved. */
  decision_age: "decisions are written however old they are",
  /** What expired holds have reserved counts until somebody has written down that they are over. */
  expiry: "expired holds stay reserved",
  /** What a buyer has is counted before the goods is read, in a read of its own. */
  buyer_count: "what a buyer has is counted before the goods is read",
  /** Only what leaves a location is written. */
  whole_transfer: "of a transfer only what leaves is written",
  /** Nobody is refused on a level that is kept: whoever would be is decided on a snapshot. */
  fresh_refusal: "orders are refused on levels that are kept",
  /** What a set expects is compared before the goods is read, in a read of its own. */
  fenced_expectation: "what a set expects is compared before the goods is read",
} as const;

export type Protection = keyof typeof PROTECTIONS;

/** The environment variable that names those to do without, with commas in between. */
export const WITHOUT_VARIABLE = "SUITE_WITHOUT";

/** Reads its value. @throws Error for a name that is no protection */
export function parseWithout(text: string | undefined): ReadonlySet<Protection> {
  const names = (text ?? "").split(",").filter((name) => name !== "");
  const unknown = names.filter((name) => !Object.hasOwn(PROTECTIONS, name));
  if (unknown.length > 0) {
    throw new Error(
      `${WITHOUT_VARIABLE} names ${unknown.join(", ")}; there are only ${Object.keys(PROTECTIONS).join(", ")}`,
    );
  }
  return new Set(names as Protection[]);
}
