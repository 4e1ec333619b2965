/** The files of a folder of the repository, and what they import, for tests that judge the text of the program. */
const ROOT = new URL("../../", import.meta.url);

/** What a path of the repository, such as `src/app.ts`, contains. */
export function sourceText(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

/** The paths of all TypeScript files below a folder such as `src/`, generated ones left out. */
export function sourceFiles(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return name === "gen" ? [] : sourceFiles(`${folder}${name}/`);
    return name.endsWith(".ts") ? [`${folder}${name}`] : [];
  }).sort();
}

/** What a file imports, as it says it: `./pool.ts`, `node:net`, `zod`. */
export function specifiersOf(path: string): string[] {
  return [...sourceText(path).matchAll(/^(?:import|export)\b[^;]*?\bfrom\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm)]
    .map((match) => match[1] ?? match[2] ?? "");
}

/** Of files that were read already: a circle is looked for from every import of every file. */
const imports = new Map<string, readonly string[]>();
const reaches = new Map<string, ReadonlySet<string>>();

/** The paths of the files that a file imports, by the repository's root. */
export function importedBy(path: string): readonly string[] {
  const known = imports.get(path);
  if (known !== undefined) return known;
  const imported = specifiersOf(path).filter((specifier) => specifier.startsWith("."))
    .map((specifier) => new URL(specifier, new URL(path, ROOT)).pathname.slice(ROOT.pathname.length));
  imports.set(path, imported);
  return imported;
}

/** All files that a file reaches by imports, itself included. */
export function reachedBy(path: string): ReadonlySet<string> {
  const known = reaches.get(path);
  if (known !== undefined) return known;
  const reached = new Set([path]);
  for (const file of reached) for (const imported of importedBy(file)) reached.add(imported);
  reaches.set(path, reached);
  return reached;
}
