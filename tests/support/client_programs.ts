/** Programs of others that tests call the service with, or put in front of it. */

/**
 * The path of one, by the name that `tools/test/client_programs.ts` has for it.
 *
 * @throws Error that says why it is not here, and how to install it
 */
export function clientProgram(name: string): string {
  const programs = Deno.env.get("TEST_CLIENT_PROGRAMS");
  if (programs === undefined) {
    throw new Error("TEST_CLIENT_PROGRAMS is not set: run this test with `deno task test -- <its path>`");
  }
  const program = (JSON.parse(programs) as Record<string, { readonly path?: string; readonly missing?: string }>)[name];
  if (program?.path !== undefined) return program.path;
  throw new Error(program?.missing ?? `the tests know of no program ${name}`);
}
