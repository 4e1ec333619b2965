/** Which modules of ours a module reaches, read off its import lines. */
import { dirname, resolve } from "node:path";

const IMPORT = /^(?:import|export)\b[^;]*?\bfrom\s+"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm;

/** The full paths of all modules that the module at `path` reaches, itself included. */
export function importsOf(path: string): ReadonlySet<string> {
  const reached = new Set([resolve(path)]);
  for (const module of reached) {
    for (const [, first, second] of Deno.readTextFileSync(module).matchAll(IMPORT)) {
      reached.add(resolve(dirname(module), first ?? second ?? ""));
    }
  }
  return reached;
}
