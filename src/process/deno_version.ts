/**
 * Which Deno versions must not serve, and can't run what brings servers up. Pure.
 */

/** The first version with all that the programs of this checkout ask of Deno: 2.6 can't lock a file without waiting. */
const LEAST = [2, 7] as const;
/** First and last version in which a peer can crash a node:http2 server (denoland/deno issue 36788). */
const CRASHING = { first: [2, 9, 4], last: [2, 9, 6] } as const;
const USE = "Use Deno 2.9.3: npx -y deno@2.9.3";

/** Why this version must not serve, or undefined if nothing is known against it. */
export function refusedDenoVersion(version: string): string | undefined {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  if (major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1])) {
    return `Cannot start on Deno ${version}: it is older than ${LEAST.join(".")}. ${USE}`;
  }
  const { first, last } = CRASHING;
  if (major !== first[0] || minor !== first[1] || patch < first[2] || patch > last[2]) return undefined;
  return `Cannot start on Deno ${version}: from 2.9.4 to 2.9.6 any client that resets streams or sends GOAWAY ` +
    `crashes the process (denoland/deno issue 36788). ${USE}`;
}
