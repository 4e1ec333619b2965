/**
 * The counting of votes. No I/O.
 *
 * A node votes yes, or no because somebody has a key, or has no vote: it is down, silent, too late or in quarantine.
 * A majority of all configured nodes decides; a vote that is missing never makes the count smaller.
 *
 *     most say yes                             -> acquired
 *     most have no vote                        -> no_quorum   nobody could have got it
 *     neither, once that can't change any more -> taken       somebody has it
 *
 * Each node votes once: out --cast--> yes, no or missing. The result is certain at one of these casts, and stays.
 */
import { illegalTransition } from "../base/invariant.ts";

/** What a node said. */
export type Vote = "yes" | "no" | "missing";

/** What the votes come to. */
export type Result = "acquired" | "taken" | "no_quorum";

/** The smallest majority of so many nodes. */
export function quorumOf(nodes: number): number {
  return Math.floor(nodes / 2) + 1;
}

/** What the votes come to, as soon as no vote that is still out could change it; else undefined. */
export function resultOf(votes: readonly (Vote | undefined)[]): Result | undefined {
  const quorum = quorumOf(votes.length);
  const count = (vote: Vote | undefined) => votes.filter((each) => each === vote).length;
  const [yes, missing, out] = [count("yes"), count("missing"), count(undefined)];
  if (yes >= quorum) return "acquired";
  if (missing >= quorum) return "no_quorum";
  if (yes + out < quorum && missing + out < quorum) return "taken";
  return undefined;
}

/** The votes of one attempt, node by node, as they come in. */
export class Ballot {
  readonly #votes: (Vote | undefined)[];
  readonly #reasons: (string | undefined)[];
  readonly #decided = Promise.withResolvers<Result>();

  constructor(nodes: number) {
    this.#votes = Array(nodes).fill(undefined);
    this.#reasons = Array(nodes).fill(undefined);
  }

  /** Resolves with the result at the vote that makes it certain. Rejects for a vote that must not be. */
  get decided(): Promise<Result> {
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

  /** The vote of the node at `index`; `reason`: why it is missing. Throws InvariantError for a second one. */
  cast(index: number, vote: Vote, reason?: string): void {
    if (this.#votes[index] !== undefined) this.#refuse(index, vote);
    this.#votes[index] = vote;
    this.#reasons[index] = reason;
    const result = resultOf(this.#votes);
    if (result !== undefined) this.#decided.resolve(result);
  }

  /** Who asked may not see what is thrown here: the library takes it for a vote. */
  #refuse(index: number, vote: Vote): never {
    try {
      illegalTransition(`the vote of node ${index + 1}`, this.#votes[index], `cast as ${vote}`);
    } catch (error) {
      this.#decided.reject(error);
      throw error;
    }
  }
}
