/** Why a node has no vote, as text for logs and for people who look. Pure. */
import { certificateProblem, isTlsAlert } from "../../base/tls_failure.ts";

const REASON_CHARACTERS_MAX = 160;
/** Where a node repeats what it was sent, as it does for arguments that it does not know. */
const HIDDEN = "***";

/**
 * The message of an error on one line, cut to a bounded length, without `secrets`: what a node says is not ours, and
 * may repeat what was sent to it.
 */
export function reasonOf(error: Error, secrets: readonly string[]): string {
  return bounded(error.message || (error as { code?: string }).code || error.name, secrets);
}

/** How Redis says that it does not know the user, or not by this password; the last one up to version 5. */
const LOG_IN_REFUSED = /^(WRONGPASS|NOAUTH|ERR invalid password)/;

/**
 * Why no log-in came about with a node that is there: it refuses who we are, or we its certificate. Undefined: it is
 * about something else. Bounded, and without `secrets`, as above.
 */
export function noLogInReason(error: Error, secrets: readonly string[]): string | undefined {
  const problem = certificateProblem(error);
  if (problem !== undefined) return `its certificate is not taken: ${bounded(problem, secrets)}`;
  if (!LOG_IN_REFUSED.test(error.message) && !isTlsAlert(error)) return undefined;
  return `it refuses the log-in: ${reasonOf(error, secrets)}`;
}

function bounded(given: string, secrets: readonly string[]): string {
  let text = given;
  for (const secret of secrets) if (secret !== "") text = text.replaceAll(secret, HIDDEN);
  const line = text.replace(/[\s\p{C}]+/gu, " ").trim();
  return line.length <= REASON_CHARACTERS_MAX ? line : `${line.slice(0, REASON_CHARACTERS_MAX)}… (cut)`;
}
