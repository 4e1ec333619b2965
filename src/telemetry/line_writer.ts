/**
 * Lines for a reader that may stop reading: what it does not take waits up to a bound, what is beyond that is counted
 * and lost, and nobody is ever delayed. A pipe that is full would otherwise stop whoever writes to it, and with him the
 * whole process.
 */

/** Where lines go: writes some of the bytes, and answers how many. */
export type Write = (bytes: Uint8Array) => Promise<number>;

/** What waits for its reader at most: some thousand lines. */
const LINES_BYTES_MAX = 1024 * 1024;
/** A pipe takes so many bytes whole, so that lines of several processes on one pipe don't mix. */
const PIECE_BYTES_MAX = 4096;

/** Writes lines one after the other, in the background. */
export class LineWriter {
  readonly #write: Write;
  readonly #bytesMax: number;
  readonly #encoder = new TextEncoder();
  #lines: Uint8Array[] = [];
  #bytes = 0;
  #lost = 0;
  #writing: Promise<void> | undefined;
  /** Called with how many lines were lost, once what waited was taken; it may write a line about it. */
  onLoss: (lines: number) => void = () => {};

  /** @param bytesMax so much may wait; a single line that is longer is lost */
  constructor(write: Write, bytesMax = LINES_BYTES_MAX) {
    this.#write = write;
    this.#bytesMax = bytesMax;
  }

  /** Takes a line with its end. Returns at once. */
  line(text: string): void {
    const bytes = this.#encoder.encode(text);
    if (this.#bytes + bytes.length > this.#bytesMax) {
      this.#lost++;
      return;
    }
    this.#lines.push(bytes);
    this.#bytes += bytes.length;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when all lines were taken, or after `msMax` ms. */
  async flush(msMax: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const over = new Promise<void>((resolve) => timer = setTimeout(resolve, msMax));
    const taken = async () => {
      while (this.#writing !== undefined) await this.#writing;
    };
    await Promise.race([taken(), over]);
    clearTimeout(timer);
  }

  async #writeAll(): Promise<void> {
    // Behind the turn that wrote the first line, so that the lines of one turn go together.
    await Promise.resolve();
    while (this.#lines.length > 0) {
      const piece = this.#nextPiece();
      try {
        for (let at = 0; at < piece.length;) at += await this.#write(piece.subarray(at));
      } catch {
        // Nobody will read any more, and there is no other place to say so.
        this.#lines = [];
        this.#bytes = 0;
        break;
      }
      this.#bytes -= piece.length;
      this.#reportLoss();
    }
    // In the same turn as the look that found no more: a line that comes behind it begins anew.
    this.#writing = undefined;
  }

  #reportLoss(): void {
    if (this.#lost === 0 || this.#bytes > this.#bytesMax / 2) return;
    const lost = this.#lost;
    this.#lost = 0;
    this.onLoss(lost);
  }

  /** Whole lines, as many as go at once; at least one. */
  #nextPiece(): Uint8Array {
    let count = 0;
    let size = 0;
    for (const { length } of this.#lines) {
      if (count > 0 && size + length > PIECE_BYTES_MAX) break;
      count++;
      size += length;
    }
    const piece = new Uint8Array(size);
    let at = 0;
    for (const line of this.#lines.splice(0, count)) {
      piece.set(line, at);
      at += line.length;
    }
    return piece;
  }
}
