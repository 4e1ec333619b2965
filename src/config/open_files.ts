/**
 * How many connections a process can have beside the files that it needs itself. A port whose process has no file left
 * for one moment accepts nobody any more (`transport/own_port.ts`), so the limit of open files is compared with that of
 * connections.
 */

/** Opened to count files: the limit itself stands where Deno lets only programs look that may do everything. */
export const COUNTED_FILE = "/dev/null";

/**
 * Files of a process beside connections to the port: the runtime's, those of drivers, connections to the admin port,
 * and what opens for a moment.
 */
const FILES_BESIDE = 96;

/** With files for fewer connections than this a process is refused: it would turn honest callers away all the time. */
export const CONNECTIONS_MIN = 64;

/**
 * Connections that fit beside `databasePoolMax` of PostgreSQL; `wanted` where they all fit. Takes some 20 ms for 4,000.
 */
export function connectionsThatFit(wanted: number, databasePoolMax: number): number {
  const beside = FILES_BESIDE + databasePoolMax;
  return Math.max(0, openableFiles(wanted + beside) - beside);
}

/** Files that can be opened now, looking no further than `max`. They are closed again. */
function openableFiles(max: number): number {
  const files: Deno.FsFile[] = [];
  try {
    while (files.length < max) files.push(Deno.openSync(COUNTED_FILE));
  } catch (error) {
    // EMFILE has no class of its own. Whatever else it is, such as a missing permission, is no count.
    if ((error as { code?: string }).code !== "EMFILE") throw error;
  } finally {
    for (const file of files) file.close();
  }
  return files.length;
}
