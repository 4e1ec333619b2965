/**
 * Lays out what an image has: the programs, the packages that they import, the migrations and the built console, and a
 * deno.json that says no more. Deno takes the packages as they lie there, so nothing is looked for, fetched or written
 * when a program starts.
 */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { denoEnvironment } from "../../src/process/child_environment.ts";
import { type InstalledPackage, packagesOf, ROOT } from "./packages.ts";

/** The processors that there are packages for, by Deno's names. */
export type Arch = "x64" | "arm64";

/** What is started in a container. */
const PROGRAMS = [
  "src/main.ts",
  "src/migrate/main.ts",
  "src/keys/main.ts",
  "src/doctor/main.ts",
  "src/retention/main.ts",
];
const TASKS = ["migrate", "keys", "doctor", "retain"];
/** The page's sources run in browsers, built. */
const LEFT_OUT = join(ROOT, "src", "console");
/** Packages of programs for one system each. */
const FOR_ONE_SYSTEM = /^@dbmate\//;
const INSTALL_MS_MAX = 300_000;

/** deno.json, as far as it is read here. */
interface Project {
  readonly version: string;
  readonly imports: Readonly<Record<string, string>>;
  readonly tasks: Readonly<Record<string, string>>;
}

/**
 * Lays it out in `dir`, which is made, for Linux on this processor.
 *
 * @throws Error where the console is not built, or a package is missing
 */
export async function layOut(dir: string, arch: Arch): Promise<void> {
  const needed = await packagesOf(PROGRAMS);
  const ownArch = `@dbmate/linux-${arch}`;
  const packages = needed.filter(({ name }) => !FOR_ONE_SYSTEM.test(name) || name === ownArch);
  await Deno.mkdir(join(dir, "node_modules", ".deno"), { recursive: true });
  await cp(join(ROOT, "src"), join(dir, "src"), { recursive: true, filter: (path) => !path.startsWith(LEFT_OUT) });
  for (const folder of ["migrations", "dist/console"]) {
    await cp(join(ROOT, folder), join(dir, folder), { recursive: true });
  }
  for (const { folder } of packages) await copyPackage(join(ROOT, "node_modules"), join(dir, "node_modules"), folder);
  await linkPackages(dir, packages);
  await writeProject(dir, packages);
}

/** Has the packages for another processor installed beside those for this one. Throws Error when that failed. */
export async function installFor(arch: Arch): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--frozen", "--quiet", "--os=linux", `--arch=${arch}`],
    cwd: ROOT,
    env: denoEnvironment(),
    clearEnv: true,
    stdin: "null",
    signal: AbortSignal.timeout(INSTALL_MS_MAX),
  }).output();
  if (!success) throw new Error(`packages for ${arch} can't be had: ${new TextDecoder().decode(stderr).trim()}`);
}

async function copyPackage(from: string, to: string, folder: string): Promise<void> {
  await cp(join(from, ".deno", folder), join(to, ".deno", folder), { recursive: true, verbatimSymlinks: true });
}

/** Links at the top to what programs name; links to what was left out are taken away. */
async function linkPackages(dir: string, packages: readonly InstalledPackage[]): Promise<void> {
  const modules = join(dir, "node_modules");
  for (const { name, folder, isImported } of packages) {
    const inner = join(modules, ".deno", folder, "node_modules");
    for (const scope of await entriesOf(inner)) {
      const links = scope.startsWith("@")
        ? (await entriesOf(join(inner, scope))).map((it) => join(scope, it))
        : [scope];
      for (const link of links) {
        const isThere = await Deno.stat(join(inner, link)).then(() => true, () => false);
        if (!isThere) await Deno.remove(join(inner, link));
      }
    }
    if (!isImported) continue;
    const [scope, rest] = name.split("/");
    if (rest !== undefined) await Deno.mkdir(join(modules, scope!), { recursive: true });
    const up = rest === undefined ? "" : "../";
    await Deno.symlink(`${up}.deno/${folder}/node_modules/${name}`, join(modules, name));
  }
}

async function entriesOf(dir: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name);
}

async function writeProject(dir: string, packages: readonly InstalledPackage[]): Promise<void> {
  const project: Project = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const imported = new Set(packages.filter(({ isImported }) => isImported).map(({ name }) => name));
  const only = <T>(all: Readonly<Record<string, T>>, isKept: (name: string) => boolean) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => isKept(name)));
  const own = {
    version: project.version,
    nodeModulesDir: "manual",
    imports: only(project.imports, (name) => imported.has(name)),
    tasks: only(project.tasks, (name) => TASKS.includes(name)),
  };
  await Deno.writeTextFile(join(dir, "deno.json"), `${JSON.stringify(own, null, 2)}\n`);
}
