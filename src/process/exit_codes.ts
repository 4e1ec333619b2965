/** What our processes exit with when it is not 0. */

/** It went wrong while it ran. */
export const EXIT_FAILED = 1;
/** Nobody can do what it was asked for by its arguments. */
export const EXIT_USAGE = 2;
/** Its port accepts nobody any more and could not be listened on anew: started again it may. */
export const EXIT_DEAF = 69;
/** The settings, the permissions or the runtime are not such that starting could work. */
export const EXIT_UNUSABLE = 78;

/** Says why this process can't start on what it was given, and ends it. */
export function refuse(reason: string, exitCode = EXIT_UNUSABLE): never {
  console.error(reason);
  Deno.exit(exitCode);
}
