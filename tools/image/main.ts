/**
 * `deno task image DIRECTORY [amd64|arm64]`: lays out what an image of Holdfast has, for Linux on this or on that
 * processor. `Dockerfile` does it; the console must have been built.
 */
import { isForReader, message } from "../reader_errors.ts";
import { type Arch, installFor, layOut } from "./lay_out.ts";

/** By Docker's names and by Deno's. */
const ARCHES: Readonly<Record<string, Arch>> = { amd64: "x64", x86_64: "x64", arm64: "arm64", aarch64: "arm64" };

async function main([dir, given]: readonly string[]): Promise<number> {
  const arch = ARCHES[given || Deno.build.arch];
  if (dir === undefined || arch === undefined) {
    console.error("Usage: deno task image DIRECTORY [amd64|arm64]");
    return 2;
  }
  try {
    if (arch !== ARCHES[Deno.build.arch] || Deno.build.os !== "linux") await installFor(arch);
    await layOut(dir, arch);
    console.log(`laid out in ${dir} for linux ${arch}`);
    return 0;
  } catch (error) {
    console.error(isForReader(error) ? message(error) : error);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args.filter((arg) => arg !== "--")));
