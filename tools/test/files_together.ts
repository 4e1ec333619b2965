/**
 * Several files of tests in one invocation and one module of their own: what they import is loaded once for all of
 * them, where `deno test` begins anew for each of its files. Of 48 files of unit tests the start took 5.4 of 8.5 s.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** The file whose tests are being registered, where there are several in this invocation. */
let registering: string | undefined;

/** The text of a module that has the tests of all files in `paths`. */
export function moduleOf(paths: readonly string[]): string {
  const url = (path: string) => JSON.stringify(pathToFileURL(resolve(path)).href);
  // Each import has its specifier as text: so it needs no permission to read.
  const loads = paths.map((path) => `await load(${JSON.stringify(path)}, () => import(${url(path)}));`);
  return [`import { load } from ${JSON.stringify(import.meta.url)};`, ...loads, ""].join("\n");
}

/** Registers the tests of the file `path` with `read`; a file that can't be loaded is a test that fails. */
export async function load(path: string, read: () => Promise<unknown>): Promise<void> {
  registering = path;
  await read().catch((error) =>
    Deno.test("the file is loaded", () => {
      throw error;
    })
  );
  registering = undefined;
}

/** The name of a test by which it is found: beside those of other files, with its own. */
export function nameInRun(name: string): string {
  return registering === undefined ? name : `${registering}: ${name}`;
}
