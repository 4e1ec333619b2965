/**
 * The counting of votes. Pure.
 *
 * A node votes yes, or no because somebody holds a key, or has no vote: it is down, silent, too late or in quarantine.
 * A majority of all configured nodes decides; a vote that is missing never makes the count smaller.
 *
 *     most say yes                             -> acquired
 *     most have no vote                        -> no_quorum   nobody could have got it
 *     neither, once that can't change any more -> held        somebody has it
 */

/** What a node said. */
export type Vote = "yes" | "no" | "missing";

/** What the votes come to. */
export type Outcome = "acquired" | "held" | "no_quorum";

/** The smallest majority of so many nodes. */
export function quorumOf(nodes: number): number {
  return Math.floor(nodes / 2) + 1;
}

/** What the votes come to, as soon as no vote that is still out could change it; else undefined. */
export function outcomeOf(votes: readonly (Vote | undefined)[]): Outcome | undefined {
  const quorum = quorumOf(votes.length);
  const count = (vote: Vote | undefined) => votes.filter((each) => each === vote).length;
  const [yes, missing, out] = [count("yes"), count("missing"), count(undefined)];
  if (yes >= quorum) return "acquired";
  if (missing >= quorum) return "no_quorum";
  if (yes + out < quorum && missing + out < quorum) return "held";
  return undefined;
}

/** The votes of one attempt, node by node, as they come in. */
export class Ballot {
  readonly #votes: (Vote | undefined)[];
  readonly #reasons: (string | undefined)[];
  readonly #decided = Promise.withResolvers<Outcome>();

  constructor(nodes: number) {
    this.#votes = Array(nodes).fill(undefined);
    this.#reasons = Array(nodes).fill(undefined);
  }

  /** Resolves with the outcome at the vote that makes it certain. Never rejects. */
  get decided(): Promise<Outcome> {
    return this.#decided.promise;
  }

  /** The votes so far; undefined where it is still out. */
  get votes(): readonly (Vote | undefined)[] {
    return this.#votes;
  }

  /** Node by node, such as `yes,no,missing (in quarantine),out,yes`. */
  get tally(): string {
    return this.#votes.map((vote, i) => {
      const reason = this.#reasons[i];
      return `${vote ?? "out"}${reason === undefined ? "" : ` (${reason})`}`;
    }).join(",");
  }

  /** The vote of the node at `index`; `reason`: why it is missing. Only a node's first one counts. */
  cast(index: number, vote: Vote, reason?: string): void {
    if (this.#votes[index] !== undefined) return;
    this.#votes[index] = vote;
    this.#reasons[index] = reason;
    const outcome = outcomeOf(this.#votes);
    if (outcome !== undefined) this.#decided.resolve(outcome);
  }
}
