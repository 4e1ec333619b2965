/**
 * Files that whoever runs the service names: secrets, certificates and keys. They are read whole and within bounds, and
 * what is wrong with one is said without any of its content.
 */

/** Largest file that is read, in bytes; a chain of certificates has some thousand. */
const SMALL_FILE_BYTES_MAX = 1024 * 1024;

/** A file that can't be read. Its message says why, as words that follow the file's name. */
export class UnreadableFileError extends Error {
  override name = "UnreadableFileError";
}

/** The text of the file. Throws UnreadableFileError. */
export async function readSmallFile(path: string): Promise<string> {
  try {
    assertSmallFile(await Deno.stat(path));
    return textOf(await Deno.readFile(path));
  } catch (error) {
    throw unreadable(error);
  }
}

/** The same for a start, when there is nobody yet whom waiting for a disk would delay. */
export function readSmallFileSync(path: string): string {
  try {
    assertSmallFile(Deno.statSync(path));
    return textOf(Deno.readFileSync(path));
  } catch (error) {
    throw unreadable(error);
  }
}

/** A pipe would be waited for until somebody writes. */
function assertSmallFile({ isFile, isDirectory, size }: Deno.FileInfo): void {
  if (!isFile) {
    throw new UnreadableFileError(`is ${isDirectory ? "a directory" : "no regular file"}, expected a file`);
  }
  if (size > SMALL_FILE_BYTES_MAX) {
    throw new UnreadableFileError(`has ${size} bytes, expected ${SMALL_FILE_BYTES_MAX} or fewer`);
  }
}

function textOf(bytes: Uint8Array): string {
  if (bytes.length === 0) throw new UnreadableFileError("is empty");
  return new TextDecoder().decode(bytes);
}

function unreadable(error: unknown): UnreadableFileError {
  if (error instanceof UnreadableFileError) return error;
  if (error instanceof Deno.errors.NotFound) return new UnreadableFileError("there is no such file");
  if (error instanceof Deno.errors.PermissionDenied) return new UnreadableFileError("this user may not read the file");
  if (error instanceof Deno.errors.NotCapable) return new UnreadableFileError("needs --allow-read for it");
  return new UnreadableFileError(`can't be read (${(error as { code?: string }).code ?? (error as Error).name})`);
}
