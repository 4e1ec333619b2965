/** Every directory that may have code. */
const CODE_DIRECTORIES = ["src", "tests", "bench", "tools"] as const;

/** Those of them that are there: what is type-checked as a whole. */
export function codeDirectories(): string[] {
  const names = Array.from(Deno.readDirSync("."), (entry) => entry.name);
  return CODE_DIRECTORIES.filter((name) => names.includes(name));
}
