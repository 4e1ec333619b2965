/**
 * Which servers are behind the nodes: one that is reached by several spellings of its address, or by several of its
 * databases, is one server, and has one vote. Pure.
 */

/** The servers of one lock, by the `run_id` that each drew when it started. */
export class Servers {
  readonly #runIds = new Map<number, string>();

  /** The node is this server; undefined: that is not known (any more). */
  set(node: number, runId: string | undefined): void {
    if (runId === undefined) this.#runIds.delete(node);
    else this.#runIds.set(node, runId);
  }

  /** The first other node before this one that is the same server; undefined if there is none. */
  twinOf(node: number): number | undefined {
    const runId = this.#runIds.get(node);
    if (runId === undefined) return undefined;
    const twins = [...this.#runIds].filter(([other, otherId]) => other < node && otherId === runId);
    return twins.length === 0 ? undefined : Math.min(...twins.map(([other]) => other));
  }
}

/** The `run_id` in an answer to `INFO server`; undefined if there is none. */
export function runIdOf(info: string): string | undefined {
  return /^run_id:(\S{1,100})\r?$/m.exec(info)?.[1];
}
