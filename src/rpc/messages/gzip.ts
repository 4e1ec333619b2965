/**
 * gzip, the one encoding that is taken and offered: gRPC asks for no other. Brotli's decoder fills a window of 16 MiB
 * before it heeds any limit (measured: 405 bytes cost 16 MiB and 50 ms), and its encoder takes 1.6 s for an answer of
 * 1.2 MB.
 */
import type { Compression } from "@connectrpc/connect/protocol";
import { promisify } from "node:util";
import { gunzipSync, gzip as gzipCallback } from "node:zlib";
import { notGzip, tooLarge } from "../errors.ts";

const gzip = promisify(gzipCallback);

/** Answers up to this are packed well enough at little cost. Larger ones are only wrapped: packing 1 MB takes 20 ms. */
export const PACKED_BYTES_MAX = 64 * 1024;
/** Of zlib: the fastest, and none at all. */
const LEVEL = { fastest: 1, none: 0 } as const;

/**
 * Unpacks a message, and stops at the limit: what is beyond it is never made.
 *
 * @throws ConnectError RESOURCE_EXHAUSTED for more bytes than `bytesMax`; INVALID_ARGUMENT for what is no gzip
 */
export function unpack(bytes: Uint8Array, bytesMax: number): Uint8Array {
  if (bytes.length === 0) return bytes;
  try {
    return new Uint8Array(gunzipSync(bytes, { maxOutputLength: bytesMax }));
  } catch (error) {
    if ((error as { code?: string }).code !== "ERR_BUFFER_TOO_LARGE") {
      throw notGzip(error);
    }
    throw tooLarge(`message is larger than configured readMaxBytes ${bytesMax} after decompression`);
  }
}

/** As Connect's handlers take it. */
export const GZIP: Compression = {
  name: "gzip",
  async compress(bytes) {
    const level = bytes.length <= PACKED_BYTES_MAX ? LEVEL.fastest : LEVEL.none;
    return new Uint8Array(await gzip(bytes, { level }));
  },
  decompress: (bytes, bytesMax) => new Promise((resolve) => resolve(new Uint8Array(unpack(bytes, bytesMax)))),
};
