/** Which of the installed packages programs import, and those that they stand on. */
import { fileURLToPath } from "node:url";
import { denoEnvironment } from "../../src/process/child_environment.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const INFO_MS_MAX = 60_000;

/** What `deno info --json` says, as far as it is read here. */
interface Info {
  readonly modules: readonly { readonly kind: string; readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<Record<string, NpmPackage>>;
}

interface NpmPackage {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
}

/** A package in `node_modules`. */
export interface InstalledPackage {
  /** Such as `@bufbuild/protobuf`. */
  readonly name: string;
  /** Its folder in `node_modules/.deno`. */
  readonly folder: string;
  /** Whether the programs name it themselves. */
  readonly isImported: boolean;
}

/**
 * The packages of these programs, files below the root, each once; packages that are for other systems are among them.
 *
 * @throws Error with the words of `deno info` when that failed
 */
export async function packagesOf(programs: readonly string[]): Promise<InstalledPackage[]> {
  const infos = await Promise.all(programs.map(infoOf));
  const known: Readonly<Record<string, NpmPackage>> = Object.assign({}, ...infos.map(({ npmPackages }) => npmPackages));
  const imported = new Set(infos.flatMap(({ modules }) => modules.flatMap(({ npmPackage }) => npmPackage ?? [])));
  const needed = new Set(imported);
  // What is added meanwhile is come to as well.
  for (const id of needed) known[id]!.dependencies.forEach((dependency) => needed.add(dependency));
  return [...needed].map((id) => {
    const { name, version } = known[id]!;
    return { name, folder: `${name.replace("/", "+")}@${version}`, isImported: imported.has(id) };
  });
}

async function infoOf(program: string): Promise<Info> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--frozen", "--json", program],
    cwd: ROOT,
    env: { ...denoEnvironment(), NO_COLOR: "1" },
    clearEnv: true,
    stdin: "null",
    signal: AbortSignal.timeout(INFO_MS_MAX),
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`what ${program} imports can't be found out:\n${decoder.decode(stderr).trim()}`);
  return JSON.parse(decoder.decode(stdout));
}
