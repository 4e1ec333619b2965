/** Why a node has no vote, as text for logs and for people who look. Pure. */

const REASON_CHARACTERS_MAX = 160;
/** Where a node repeats what it was sent, as it does for arguments that it does not know. */
const HIDDEN = "***";

/**
 * The message of an error on one line, cut to a bounded length, without `secrets`: what a node says is not ours, and
 * may repeat what was sent to it.
 */
export function reasonOf(error: Error, secrets: readonly string[]): string {
  let text = error.message || (error as { code?: string }).code || error.name;
  for (const secret of secrets) if (secret !== "") text = text.replaceAll(secret, HIDDEN);
  const line = text.replace(/[\s\p{C}]+/gu, " ").trim();
  return line.length <= REASON_CHARACTERS_MAX ? line : `${line.slice(0, REASON_CHARACTERS_MAX)}… (cut)`;
}
