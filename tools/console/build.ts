/**
 * Makes the console of its sources: `deno bundle` for a browser, then names by content, `page.html` with those names,
 * and everything once more as gzip. The server reads the result at its start.
 */
import { createHash } from "node:crypto";
import { basename, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Log } from "../../src/telemetry/log.ts";
import { message } from "../reader_errors.ts";
import { denoEnvironment } from "../../src/process/child_environment.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Where the server looks for it. */
const BUILT = join(ROOT, "dist", "console");
/** What it is made of, below the root. */
const SOURCES = ["src/console", "src/gen", "tools/console", "deno.json", "deno.lock"];
const ENTRIES = {
  main: "src/console/main.ts",
  worker: "src/console/link/worker.ts",
  // No module in the page: it must share no part with the others.
  first: "src/console/shell/first_theme.ts",
};
const FILES = { theme: "src/console/shell/theme.css", icon: "src/console/icon.svg" };
const PAGE = "src/console/page.html";
/** Names what a bundle was made of. */
const STAMP = "sources.txt";
/** What gzip makes smaller. */
const PACKED = new Set([".js", ".css", ".svg", ".html"]);
const BUNDLE_MS_MAX = 120_000;
const HASH_CHARACTERS = 12;

/**
 * Builds it where it is missing or not of these sources. Never throws: without it all but the page is there, and a line
 * in the log says what is wrong.
 */
export async function bringConsole(log: Log): Promise<void> {
  try {
    const wanted = await digestOfSources();
    const built = await Deno.readTextFile(join(BUILT, STAMP)).catch(() => "");
    if (built.trim() === wanted) return;
    log.info({}, "building the console");
    await buildConsole();
  } catch (error) {
    log.warn({}, `the page for browsers is not served, or is an older one: ${message(error)}`);
  }
}

/** Builds it. @throws Error with the words of `deno bundle` when that failed */
export async function buildConsole(): Promise<void> {
  const sources = await digestOfSources();
  const assets = join(BUILT, "assets");
  await Deno.mkdir(assets, { recursive: true });
  const bundled = await Deno.makeTempDir({ dir: join(ROOT, "dist") });
  try {
    await bundle(bundled);
    const written = await nameByContent(bundled, assets);
    const page = (await Deno.readTextFile(join(ROOT, PAGE)))
      .replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => `/assets/${written.named[name]}`);
    await writePacked(join(BUILT, "page.html"), new TextEncoder().encode(page));
    // Behind the page that names them no more: a server that starts meanwhile finds a whole console.
    await removeOthers(assets, written.all);
    await Deno.writeTextFile(join(BUILT, STAMP), `${sources}\n`);
  } finally {
    await Deno.remove(bundled, { recursive: true });
  }
}

async function bundle(outdir: string): Promise<void> {
  const flags = ["--frozen", "--quiet", "--platform=browser", "--minify", "--code-splitting", `--outdir=${outdir}`];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", ...flags, ...Object.values(ENTRIES)],
    cwd: ROOT,
    env: { ...denoEnvironment(), NO_COLOR: "1" },
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    signal: AbortSignal.timeout(BUNDLE_MS_MAX),
  }).output();
  if (!success) throw new Error(`the console can't be bundled:\n${new TextDecoder().decode(stderr).trim()}`);
}

/** Writes all to `assets`. Parts that entries share have names of their content already. */
async function nameByContent(bundled: string, assets: string) {
  const named: Record<string, string> = {};
  const all = new Set<string>();
  const write = async (name: string, bytes: Uint8Array) => {
    await writePacked(join(assets, name), bytes);
    all.add(name).add(`${name}.gz`);
  };
  const common = commonDirectory(Object.values(ENTRIES));
  for (const path of await filesBelow(bundled)) {
    const text = await Deno.readTextFile(path);
    const inBundle = relative(bundled, path);
    const entry = Object.entries(ENTRIES).find(([, source]) =>
      relative(common, source).replace(/\.ts$/, ".js") === inBundle
    );
    // Entries name the parts by their place beside them, and all stand in one folder in the end.
    const flat = text.replaceAll(/(["'])(?:\.\.?\/)+(chunk-|[\w]+-)([A-Z0-9]+\.js)\1/g, "$1./$2$3$1");
    const bytes = new TextEncoder().encode(flat);
    if (entry === undefined) await write(basename(path), bytes);
    else await write(named[entry[0]] = `${entry[0]}-${hashOf(bytes)}.js`, bytes);
  }
  for (const [name, path] of Object.entries(FILES)) {
    const bytes = await Deno.readFile(join(ROOT, path));
    await write(named[name] = `${name}-${hashOf(bytes)}${extname(path)}`, bytes);
  }
  return { named, all };
}

/** The file, and beside it the same as gzip where that is smaller. Each is there whole or not at all. */
async function writePacked(path: string, bytes: Uint8Array): Promise<void> {
  if (PACKED.has(extname(path))) await replaceFile(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  await replaceFile(path, bytes);
}

async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const beside = `${path}.${Deno.pid}`;
  await Deno.writeFile(beside, bytes);
  await Deno.rename(beside, path);
}

async function removeOthers(dir: string, kept: ReadonlySet<string>): Promise<void> {
  for await (const { name } of Deno.readDir(dir)) {
    if (!kept.has(name)) await Deno.remove(join(dir, name)).catch(() => {});
  }
}

/** A hash of every source, by name and content. */
async function digestOfSources(): Promise<string> {
  const hash = createHash("sha256");
  for (const source of SOURCES) {
    for (const path of await filesBelow(join(ROOT, source))) {
      hash.update(`${relative(ROOT, path)}\n`).update(await Deno.readFile(path));
    }
  }
  return hash.digest("hex");
}

async function filesBelow(path: string): Promise<string[]> {
  if ((await Deno.stat(path)).isFile) return [path];
  const entries = (await Array.fromAsync(Deno.readDir(path))).toSorted((a, b) => a.name < b.name ? -1 : 1);
  return (await Promise.all(entries.map(({ name }) => filesBelow(join(path, name))))).flat();
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, HASH_CHARACTERS);
}

/** The deepest folder that all are in. */
function commonDirectory(paths: readonly string[]): string {
  const folders = paths.map((path) => path.split("/").slice(0, -1));
  const [first = []] = folders;
  const shared = first.findIndex((name, i) => folders.some((each) => each[i] !== name));
  return first.slice(0, shared < 0 ? first.length : shared).join("/");
}
