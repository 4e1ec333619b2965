/** Why a TLS handshake came to nothing, as far as its error says it. Pure. */

/** What node:tls calls a certificate that we do not take. */
const NOT_TAKEN =
  /^(SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|CERT_|CRL_|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/;
/** The other side broke the handshake off: it takes no certificate of ours, or wants one. */
const ALERT = /^ERR_SSL_.*_ALERT_/;
/** Deno (2.9.3) has this one for two things. */
const UNVERIFIED = "UNABLE_TO_VERIFY_LEAF_SIGNATURE";

/** Why we do not take the other side's certificate; undefined: it is not about that. */
export function certificateProblem(error: Error): string | undefined {
  const { code } = error as { code?: string };
  if (code === undefined || !NOT_TAKEN.test(code)) return undefined;
  return code === UNVERIFIED
    ? `${error.message} (its authority is not trusted, or it is out of its time)`
    : error.message;
}

/** Whether the other side broke the handshake off. */
export function isTlsAlert(error: Error): boolean {
  return ALERT.test((error as { code?: string }).code ?? "");
}
