/**
 * The server's time, by which holds end and counts are dated: that of the browser may be off by hours. Each answer
 * says it by the second (`Date`), and that it is of between its call and its arrival; so each gives bounds of how far
 * the server is ahead, and several together narrow them to less than a second.
 */

/** `Date` is cut to the second. */
const CUT_MS = 1_000;

/** How far the server's clock is ahead of this one, as answers come. */
export class ServerClock {
  #leastMs = -Infinity;
  #mostMs = Infinity;

  /** Takes in what an answer says, which was asked for and came at these times of this clock. */
  note(date: string | null, sentMs: number, receivedMs: number): void {
    const serverMs = Date.parse(date ?? "");
    if (Number.isNaN(serverMs)) return;
    const [leastMs, mostMs] = [serverMs - receivedMs, serverMs + CUT_MS - sentMs];
    // One of both was set meanwhile, or they have drifted apart: what was known is of another time.
    const isOther = leastMs > this.#mostMs || mostMs < this.#leastMs;
    this.#leastMs = isOther ? leastMs : Math.max(leastMs, this.#leastMs);
    this.#mostMs = isOther ? mostMs : Math.min(mostMs, this.#mostMs);
  }

  /** In ms; 0 where nothing says that this clock is wrong. */
  get aheadMs(): number {
    const [least, most] = [this.#leastMs, this.#mostMs];
    return least <= 0 && most >= 0 ? 0 : (least + most) / 2;
  }
}

/** Of the one server that the page is of. */
const clock = new ServerClock();

/** The server's time, in ms since 1970, as far as it is known. */
export function serverNowMs(): number {
  return Date.now() + clock.aheadMs;
}

/** Takes in the header of an answer to what was sent at that time of this clock. */
export function noteAnswer(header: Headers, sentMs: number): void {
  clock.note(header.get("date"), sentMs, Date.now());
}
