/**
 * Settings that may contain a secret: each may stand in a file instead, whose path is in NAME_FILE. Who may read a file
 * is the system's matter; an environment is seen by more, and lives on in whatever the process starts.
 */
import { UnreadableFileError } from "../base/small_file.ts";

/** Settings whose values may contain a password, so that they are never repeated. */
export const SECRET_NAMES: readonly string[] = ["DATABASE_URL", "REDIS_URLS", "DATABASE_OWNER_URL"];

/** The setting with the path of the file that `name` may stand in. */
export function secretFileName(name: string): string {
  return `${name}_FILE`;
}

/** The secret in the text of its file: one newline at the end is none of it, as editors and `echo` write one. */
export function secretOf(text: string): string {
  return text.replace(/\r?\n$/, "");
}

/** Whether it is no path but an address, as `scheme://...`. */
function isAddress(text: string): boolean {
  return text.includes("://");
}

/** Settings after their files were read, and what was wrong with those. */
export interface ReadSettings {
  readonly values: Readonly<Record<string, string | undefined>>;
  /** None repeats a value, nor anything that is in a file; the path of one may stand in it. */
  readonly problems: readonly string[];
}

/**
 * The settings, with what stands in the files of those that are secrets; `readFile` answers the text of a file, or
 * throws UnreadableFileError.
 */
export function withSecretFiles(
  given: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): ReadSettings {
  const values = { ...given };
  const problems: string[] = [];
  for (const name of SECRET_NAMES) {
    const path = given[secretFileName(name)];
    if (path === undefined) continue;
    if (given[name] !== undefined) {
      problems.push(`${secretFileName(name)}: expected nothing, as ${name} is set`);
      continue;
    }
    // What was meant for the setting itself has a password in it, and stands in no message.
    if (isAddress(path)) {
      problems.push(`${secretFileName(name)}: expected the path of a file, and it is an address`);
      continue;
    }
    try {
      const secret = secretOf(readFile(path));
      if (secret === "") throw new UnreadableFileError("is empty");
      values[name] = secret;
    } catch (error) {
      if (!(error instanceof UnreadableFileError)) throw error;
      problems.push(`${secretFileName(name)}: ${error.message}, got ${JSON.stringify(path)}`);
    }
  }
  return { values, problems };
}

/** The problem of a setting, under the name of the file that it was read from, where it was. */
export function underFileName(problem: string, given: Readonly<Record<string, string | undefined>>): string {
  const name = SECRET_NAMES.find((name) =>
    problem.startsWith(`${name}: `) && given[name] === undefined && given[secretFileName(name)] !== undefined
  );
  return name === undefined ? problem : `${secretFileName(name)}: in the file: ${problem.slice(name.length + 2)}`;
}
