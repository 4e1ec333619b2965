/**
 * Where the program buf is. The `bin` script of its package would need Node, and a permission to run can only name the
 * program itself.
 */
import { createRequire } from "node:module";

/** What buf's packages call system and architecture. */
const PLATFORMS: Record<string, string> = {
  "linux x86_64": "linux-x64",
  "linux aarch64": "linux-aarch64",
  "darwin x86_64": "darwin-x64",
  "darwin aarch64": "darwin-arm64",
};

/**
 * Full path of buf.
 *
 * @throws Error when its package for this platform is not installed
 */
export function bufBinary(): string {
  const platform = PLATFORMS[`${Deno.build.os} ${Deno.build.arch}`];
  if (platform === undefined) throw new Error(`buf has no package for ${Deno.build.os} on ${Deno.build.arch}`);
  // The platform's package is a dependency of buf's, so it is looked for from there.
  const fromHere = createRequire(import.meta.url);
  const fromBuf = createRequire(fromHere.resolve("@bufbuild/buf/package.json"));
  return fromBuf.resolve(`@bufbuild/buf-${platform}/bin/buf`);
}
