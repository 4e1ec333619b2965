/** What verifies credentials, one kind each: its contract, and the two errors by which it says no. */
import type { CertificateNames } from "./certificate_names.ts";
import type { Identity } from "./identity.ts";

/** A certificate that the client of a connection has shown; that it has its key TLS has seen. */
export interface ClientCertificate {
  /** Undefined where they can't be read. */
  readonly names: CertificateNames | undefined;
  /** Why it proves nothing at this moment; undefined: it does. Answers at once. */
  doubt(): "untrusted" | "not_yet_valid" | "expired" | undefined;
}

/** What a call brings to prove who calls. */
export interface Credentials {
  /** Behind `Authorization: Bearer `. */
  readonly bearer: string | undefined;
  /** Of its connection; undefined where there is a bearer, which then has to do. */
  readonly certificate: ClientCertificate | undefined;
  /** The key of the caller's address, for limits that one of them must not use up. */
  readonly address: string;
}

/** Why credentials don't do: for the audit line and the metric, never for the caller. */
export const REFUSAL_REASONS = [
  "missing",
  "malformed",
  "unknown",
  "wrong_secret",
  "revoked",
  "expired",
  "not_yet_valid",
  "wrong_signature",
  "wrong_issuer",
  "wrong_audience",
  "wrong_algorithm",
  "wrong_type",
  "untrusted",
] as const;
export type RefusalReason = typeof REFUSAL_REASONS[number];

/** One kind of credentials. */
export interface Verifier {
  /**
   * Who calls; undefined: these are not credentials of this kind. At once where that is possible.
   *
   * @throws UnauthenticatedError, VerifierUnavailableError
   */
  verify(credentials: Credentials): Identity | undefined | Promise<Identity | undefined>;
  close(): Promise<void>;
}

/** The credentials don't do. */
export class UnauthenticatedError extends Error {
  override name = "UnauthenticatedError";

  /** @param about whose they say they are, such as the id of a key; nothing that is secret */
  constructor(readonly reason: RefusalReason, readonly about?: string) {
    super(reason);
  }
}

/** Whether they do can't be found out now. */
export class VerifierUnavailableError extends Error {
  override name = "VerifierUnavailableError";

  /** @param what is away, such as `the table of keys` */
  constructor(readonly what: string) {
    super(`${what} can't be asked`);
  }
}
