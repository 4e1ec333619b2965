/** Makes a directory whose path is open to others, as to the user that runs PostgreSQL. Its caller removes it. */
export async function makeOpenDirectory(): Promise<string> {
  const dir = await Deno.realPath(await Deno.makeTempDir());
  await Deno.chmod(dir, 0o755);
  return dir;
}
