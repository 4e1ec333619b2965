/**
 * Files that are served as they are, read into memory once: `page.html` of a folder, and everything in its folder
 * `assets`, whose names change with their content. What is there as gzip too was packed when it was made.
 */
import { createHash } from "node:crypto";
import { extname, join } from "node:path";

/** What a folder may have; whatever has more is no console of ours. */
const FILES_MAX = 64;
const BYTES_MAX = 8 * 1024 * 1024;

const PAGE = "page.html";
const PACKED = ".gz";
const TAG_CHARACTERS = 27;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** One file. */
export interface ServedFile {
  readonly type: string;
  /** Names its content, as `ETag` has it. */
  readonly tag: string;
  readonly bytes: Uint8Array;
  /** The same as gzip; undefined where that is not there. */
  readonly packed: Uint8Array | undefined;
}

/** All that is served. */
export interface Bundle {
  readonly page: ServedFile;
  /** By name. */
  readonly assets: ReadonlyMap<string, ServedFile>;
}

/**
 * Reads a folder.
 *
 * @throws Error where it is not there, may not be read, has no page, or is more than a console has
 */
export async function readBundle(dir: string): Promise<Bundle> {
  let left = BYTES_MAX;
  const read = async (path: string) => {
    const bytes = await Deno.readFile(path);
    left -= bytes.length;
    if (left < 0) throw new Error(`${dir} has more than ${BYTES_MAX} bytes`);
    return bytes;
  };
  const names: string[] = [];
  for await (const { name } of Deno.readDir(join(dir, "assets"))) {
    names.push(name);
    if (names.length > FILES_MAX) throw new Error(`${dir} has more than ${FILES_MAX} files`);
  }
  const file = async (path: string, isPacked: boolean): Promise<ServedFile> => {
    const bytes = await read(path);
    const digest = createHash("sha256").update(bytes).digest("base64url").slice(0, TAG_CHARACTERS);
    const packed = isPacked ? await read(`${path}${PACKED}`) : undefined;
    return { type: TYPES[extname(path)] ?? "application/octet-stream", tag: `"${digest}"`, bytes, packed };
  };
  const assets = new Map<string, ServedFile>();
  for (const name of names.filter((name) => TYPES[extname(name)] !== undefined)) {
    assets.set(name, await file(join(dir, "assets", name), names.includes(`${name}${PACKED}`)));
  }
  return { page: await file(join(dir, PAGE), true), assets };
}
