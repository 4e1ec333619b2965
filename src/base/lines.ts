/** A text that comes in pieces, line by line. */

/** Longest line, in characters, where no other bound is given; what is longer is cut there. */
const LINE_CHARACTERS_MAX = 4096;

/** Takes the pieces of one text. */
export interface LineSplitter {
  take(piece: string): void;
  /** The text has ended: what stands behind its last line break is a line too. */
  end(): void;
}

/** Hands over each line without its end, as soon as that has come. */
export function splitLines(onLine: (line: string) => void, charactersMax = LINE_CHARACTERS_MAX): LineSplitter {
  let rest = "";
  return {
    take(piece) {
      const lines = (rest + piece).split("\n");
      rest = (lines.pop() ?? "").slice(0, charactersMax);
      for (const line of lines) onLine(line);
    },
    end() {
      if (rest !== "") onLine(rest);
      rest = "";
    },
  };
}

/** Hands over each line of a stream of UTF-8; resolves when it has ended. */
export async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const lines = splitLines(onLine);
  const decoder = new TextDecoder();
  for await (const part of stream) lines.take(decoder.decode(part, { stream: true }));
  lines.end();
}
