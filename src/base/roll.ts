/**
 * A list of those who come and go by the ten thousand a second, in the sequence in which they came.
 *
 * In place of a Set or a Map. V8 makes a new table of these whenever the places of those who have left are used up, and
 * the old table keeps whom it had and names the new one. Once a table has become old, all after it live on with whoever
 * was in them until the next full collection: of a no-op call 6 of 27 kB did, each of them copied twice.
 * Here whoever leaves names nobody any more.
 */
import { invariant } from "./invariant.ts";

/** Who can be on a roll. On one at a time. */
export class Member {
  /** The roll's own, and nobody else's. */
  roll: object | undefined = undefined;
  before: Member | undefined = undefined;
  after: Member | undefined = undefined;
}

/** The list. */
export class Roll<M extends Member> implements Iterable<M> {
  #first: Member | undefined;
  #last: Member | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Who has been here for longest. */
  get first(): M | undefined {
    return this.#first as M | undefined;
  }

  /** Takes in who is on no roll. */
  add(member: M): void {
    invariant(member.roll === undefined, "a member of a roll was put on another");
    member.roll = this;
    member.before = this.#last;
    if (this.#last === undefined) this.#first = member;
    else this.#last.after = member;
    this.#last = member;
    this.#size++;
  }

  /** Lets somebody go; answers whether it was here. */
  delete(member: M): boolean {
    if (member.roll !== this) return false;
    const { before, after } = member;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    member.roll = member.before = member.after = undefined;
    this.#size--;
    return true;
  }

  /** Whoever is here when it begins, and has not left when it is their turn. */
  *[Symbol.iterator](): Generator<M, void> {
    const all: M[] = [];
    for (let member = this.#first; member !== undefined; member = member.after) all.push(member as M);
    for (const member of all) if (member.roll === this) yield member;
  }
}
