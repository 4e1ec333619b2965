/**
 * PEM (RFC 7468): blocks of base64 between lines that say what they contain. Pure; text around the blocks is no matter.
 */

/** One block. `text` is the whole of it, its lines ended by a newline each. */
export interface PemBlock {
  /** Such as `CERTIFICATE` or `PRIVATE KEY`. */
  readonly label: string;
  readonly text: string;
}

/** What a text contains, one after the other. */
export interface PemText {
  readonly blocks: readonly PemBlock[];
  /** True if a block begins that does not end: the file was cut off, or is being written. */
  readonly isCutOff: boolean;
}

const BEGIN = /-----BEGIN ([A-Z0-9 ]+)-----/g;
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/** The blocks of a text. */
export function parsePem(text: string): PemText {
  const blocks = [...text.matchAll(BLOCK)].map(([whole, label = ""]): PemBlock => ({
    label,
    text: `${whole.split(/\r\n|\r|\n/).join("\n")}\n`,
  }));
  // A block that does not end may have swallowed the beginning of the next.
  return { blocks, isCutOff: [...text.matchAll(BEGIN)].length !== blocks.length };
}
