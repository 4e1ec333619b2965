/** Lines for a reader that stops reading, over a pipe of the test's own. */
import { assert, assertEquals } from "@std/assert";
import { LineWriter } from "../../src/telemetry/line_writer.ts";

const decoder = new TextDecoder();

/** A pipe that takes what it is let take: a number of writes, or everything. */
class Pipe {
  readonly taken: string[] = [];
  /** Bytes that one write takes at most. */
  atOnce = Infinity;
  #open = true;
  #wake = Promise.withResolvers<void>();

  readonly write = async (bytes: Uint8Array): Promise<number> => {
    if (!this.#open) await this.#wake.promise;
    const part = bytes.subarray(0, Math.min(bytes.length, this.atOnce));
    this.taken.push(decoder.decode(part));
    return part.length;
  };

  stop(): void {
    this.#open = false;
  }

  go(): void {
    this.#open = true;
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}

Deno.test("lines come in order and whole, in pieces that a pipe takes at once, a longer line by itself", async () => {
  const pipe = new Pipe();
  const writer = new LineWriter(pipe.write);
  const lines = Array.from({ length: 500 }, (_, i) => `line ${i} ${"x".repeat(i % 90)}\n`);
  lines[250] = `${"y".repeat(10_000)}\n`;
  for (const line of lines) writer.line(line);
  await writer.flush(1000);
  assertEquals(pipe.taken.join(""), lines.join(""));
  for (const piece of pipe.taken) {
    assert(piece.endsWith("\n"));
    assert(piece.length <= 4096 || piece === lines[250], `${piece.length} bytes`);
  }
  assert(pipe.taken.length < 20, `${pipe.taken.length} writes`);
});

Deno.test("what is taken in parts is written whole", async () => {
  const pipe = new Pipe();
  pipe.atOnce = 7;
  const bytes: number[] = [];
  const writer = new LineWriter(async (part) => {
    const count = await pipe.write(part);
    bytes.push(...part.subarray(0, count));
    return count;
  });
  const lines = Array.from({ length: 50 }, (_, i) => `line ${i} é\n`);
  for (const line of lines) writer.line(line);
  await writer.flush(1000);
  // A part may end in the middle of a character.
  assertEquals(decoder.decode(Uint8Array.from(bytes)), lines.join(""));
  assertEquals(pipe.taken.length, Math.ceil(bytes.length / 7));
});

Deno.test("a line is written whenever it comes, also in the very turn in which the ones before it are done", async () => {
  for (let turns = 0; turns < 20; turns++) {
    const pipe = new Pipe();
    const writer = new LineWriter(pipe.write);
    writer.line("first\n");
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    writer.line("second\n");
    await writer.flush(1000);
    assertEquals(pipe.taken.join(""), "first\nsecond\n", `${turns} turns later`);
  }
});

Deno.test("with nobody reading what is beyond the bound is lost, counted, and said once it is read again", async () => {
  const pipe = new Pipe();
  const writer = new LineWriter(pipe.write, 1000);
  const losses: number[] = [];
  writer.onLoss = (count) => {
    losses.push(count);
    writer.line(`lost ${count}\n`);
  };
  pipe.stop();
  const line = `${"z".repeat(99)}\n`;
  for (let i = 0; i < 25; i++) writer.line(line);
  await writer.flush(10);
  assertEquals([pipe.taken, losses], [[], []], "it waits for its reader, and flush does not");
  pipe.go();
  await writer.flush(1000);
  assertEquals(losses, [15]);
  assertEquals(pipe.taken.join(""), `${line.repeat(10)}lost 15\n`);
  writer.line("after\n");
  await writer.flush(1000);
  assert(pipe.taken.join("").endsWith("lost 15\nafter\n"));
});

Deno.test("a line that is longer than all that may wait is lost, and a reader that is gone stops nobody", async () => {
  const pipe = new Pipe();
  const writer = new LineWriter(pipe.write, 100);
  const losses: number[] = [];
  writer.onLoss = (count) => losses.push(count);
  writer.line("w".repeat(200));
  writer.line("short\n");
  await writer.flush(1000);
  assertEquals([losses, pipe.taken], [[1], ["short\n"]]);

  const gone = new LineWriter(() => Promise.reject(new Deno.errors.BrokenPipe("gone")), 100);
  for (let i = 0; i < 100; i++) {
    gone.line("to nobody\n");
    await gone.flush(1000);
  }
});
