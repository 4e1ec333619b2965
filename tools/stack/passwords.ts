/** Passwords of the private servers: random, one a file, in a directory that is closed to everybody else. */
import { ignoreMissing } from "./missing_files.ts";

const PASSWORD_BYTES = 24;
const PASSWORD = /^[0-9a-f]{48}$/;

/** Writes a new password to `path`, in place of what is there. */
export async function makePassword(path: string): Promise<string> {
  await Deno.remove(path).catch(ignoreMissing);
  const password = crypto.getRandomValues(new Uint8Array(PASSWORD_BYTES)).toHex();
  await Deno.writeTextFile(path, password + "\n", { mode: 0o600, createNew: true });
  return password;
}

/**
 * The password in the file.
 *
 * @throws Error when there is none; it does not repeat what there is instead
 */
export async function readPassword(path: string): Promise<string> {
  const password = (await Deno.readTextFile(path)).trim();
  if (!PASSWORD.test(password)) {
    throw new Error(`${path} has no password in it: remove its directory, with the data in it`);
  }
  return password;
}

/** The password in the file, which is made where it is missing. */
export async function keptPassword(path: string): Promise<string> {
  return await readPassword(path).catch((error) => {
    ignoreMissing(error);
    return makePassword(path);
  });
}
