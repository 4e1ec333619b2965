/** Reads DER (X.690), as far as certificates need it. Pure. Whatever is not as it must be throws. */

/** Bytes that are no DER, or not what was expected. */
export class DerError extends Error {
  override name = "DerError";
}

/** One element. */
export interface DerElement {
  readonly tag: number;
  /** What it contains. */
  readonly content: Uint8Array;
}

/** Elements in one sequence. A certificate has a dozen, a list of names some. */
const ELEMENTS_MAX = 1000;
/** Bytes of a length; four make 4 GiB. */
const LENGTH_BYTES_MAX = 4;

/** The elements that stand one after the other in the bytes, all of which must be used up. */
export function derElements(bytes: Uint8Array): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length;) {
    if (elements.length >= ELEMENTS_MAX) throw new DerError("too many elements");
    const tag = byteAt(bytes, at);
    // Tags of several bytes stand in no certificate's parts that are read here.
    if ((tag & 0x1f) === 0x1f) throw new DerError("a tag of several bytes");
    const { length, start } = lengthAt(bytes, at + 1);
    if (start + length > bytes.length) throw new DerError("an element that goes beyond its sequence");
    elements.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return elements;
}

/** The elements within the one that is all of the bytes, and has this tag. */
export function derWithin(bytes: Uint8Array, tag: number): DerElement[] {
  const [only, ...more] = derElements(bytes);
  if (only === undefined || more.length > 0 || only.tag !== tag) throw new DerError("not the one element expected");
  return derElements(only.content);
}

function lengthAt(bytes: Uint8Array, at: number): { length: number; start: number } {
  const first = byteAt(bytes, at);
  if (first < 0x80) return { length: first, start: at + 1 };
  const count = first & 0x7f;
  // 0 would be a length that comes at the end, which DER has not.
  if (count === 0 || count > LENGTH_BYTES_MAX) throw new DerError("a length that DER has not");
  let length = 0;
  for (let i = 1; i <= count; i++) length = length * 256 + byteAt(bytes, at + i);
  if (length < 0x80) throw new DerError("a length in more bytes than it needs");
  return { length, start: at + 1 + count };
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new DerError("cut off");
  return byte;
}
