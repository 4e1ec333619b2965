/**
 * What a gRPC client needs of HPACK (RFC 7541): the header block of a request, and the status of an answer. Pure.
 */

const ENCODER = new TextEncoder();
const STATUS_NAME = ENCODER.encode("grpc-status");
/** "grpc-status" in the Huffman code of RFC 7541, appendix B; servers use it because it is shorter. */
const STATUS_NAME_HUFFMAN = huffmanBytes("grpc-status", {
  "-": "010110",
  a: "00011",
  c: "00100",
  g: "100110",
  p: "101011",
  r: "101100",
  s: "01000",
  t: "01001",
  u: "101101",
});

/**
 * Blocks of a call: `first` for the first one of a connection, which the server's table remembers, and `next` for all
 * after it.
 */
export function callBlocks(
  path: string,
  authority: string,
  authorization?: string,
): { first: Uint8Array; next: Uint8Array } {
  // ":method POST" and ":scheme http" are in the static table; then literals with indexing, by the name's static index.
  const first = Uint8Array.from([
    0x83,
    0x86,
    0x44,
    ...literal(path),
    0x41,
    ...literal(authority),
    0x5f,
    ...literal("application/grpc+proto"),
    0x40,
    ...literal("te"),
    ...literal("trailers"),
    ...(authorization === undefined ? [] : [0x57, ...literal(authorization)]),
  ]);
  // What came last has the lowest index, 62.
  const added = authorization === undefined ? 4 : 5;
  const indexes = Array.from({ length: added }, (_, i) => 0x80 | (61 + added - i));
  return { first, next: Uint8Array.of(0x83, 0x86, ...indexes) };
}

/** A header of one call alone, which no table remembers. */
export function extraField(name: string, value: string): Uint8Array {
  return Uint8Array.from([0x00, ...literal(name), ...literal(value)]);
}

/**
 * The value of grpc-status in a header block, undefined if it has none. The server must have been asked to keep no
 * table (SETTINGS_HEADER_TABLE_SIZE 0), so that every block stands for itself.
 *
 * @throws Error for a block that is cut off or a status that is no plain number
 */
export function grpcStatus(block: Uint8Array): number | undefined {
  let at = 0;
  const integer = (bits: number) => {
    const mask = (1 << bits) - 1;
    let value = block[at++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; at < block.length; shift += 7) {
      const byte = block[at++]!;
      value += (byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new Error("A header block ends in the middle of a number");
  };
  const text = () => {
    const huffman = (block[at]! & 0x80) !== 0;
    const length = integer(7);
    if (at + length > block.length) throw new Error("A header block ends in the middle of a text");
    const bytes = block.subarray(at, at += length);
    return { huffman, bytes };
  };
  while (at < block.length) {
    const kind = block[at]!;
    if (kind & 0x80) {
      integer(7);
    } else if ((kind & 0xe0) === 0x20) {
      integer(5);
    } else {
      const index = integer(kind & 0x40 ? 6 : 4);
      const name = index === 0 ? text() : undefined;
      const value = text();
      if (name === undefined || !same(name.bytes, name.huffman ? STATUS_NAME_HUFFMAN : STATUS_NAME)) continue;
      // Digits are not shorter in Huffman's code, so servers send them plain.
      const status = Number(new TextDecoder().decode(value.bytes));
      if (value.huffman || !Number.isInteger(status)) throw new Error("grpc-status is no plain number");
      return status;
    }
  }
  return undefined;
}

function literal(value: string): number[] {
  const bytes = ENCODER.encode(value);
  if (bytes.length > 126) throw new Error(`${value} is too long for a header of the bench`);
  return [bytes.length, ...bytes];
}

function huffmanBytes(text: string, code: Readonly<Record<string, string>>): Uint8Array {
  const bits = [...text].map((letter) => code[letter]).join("");
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
  return Uint8Array.from(padded.match(/.{8}/g) ?? [], (byte) => parseInt(byte, 2));
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
