/**
 * How a renewed certificate comes into use, as a pure state machine: what the files contain goes in, what is to be done
 * comes out.
 *
 *     the files contain           then
 *     what is in use              nothing
 *     another pair that serves    it is in use for new connections
 *     what can't serve            what is in use stays. It is said once: when the next look finds the same, as two
 *                                 files can't be replaced at one moment; or at once when somebody has asked
 */
import { daysLeft, isEndNear, REMIND_EVERY_MS } from "./expiry.ts";
import type { CertificateFacts, FileProblem, KeyPair, ReadKeyPair } from "./key_pair.ts";

/** What the files contain and whether it can be used. `content` distinguishes one state of the files from another. */
export type FilesRead = ReadKeyPair & { readonly content: string };

/** A line of the log. */
export interface Said {
  readonly level: "info" | "warn" | "error";
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** What follows from a look: a pair to take into use, and what to say. */
export interface Found {
  readonly use?: KeyPair;
  readonly said: readonly Said[];
}

/** Names of a certificate in a line of the log; of more, the first. */
const NAMES_MAX = 10;

/** The certificate in use and what became of its files. Times in ms since 1970. */
export class Renewal {
  #content: string;
  #facts: CertificateFacts;
  /** What can't serve, as last found; `isSaid` once it was said. */
  #refused: { readonly content: string; isSaid: boolean } | undefined;
  #remindedMs = -Infinity;
  readonly #say: (problem: FileProblem) => string;

  /** @param say a problem in words, without any content of the files */
  constructor(
    inUse: { readonly content: string; readonly facts: CertificateFacts },
    say: (problem: FileProblem) => string,
  ) {
    this.#content = inUse.content;
    this.#facts = inUse.facts;
    this.#say = say;
  }

  /** When what is in use expires, in ms since 1970. */
  get expiresAtMs(): number {
    return this.#facts.validToMs;
  }

  /** What is to be said at the start. */
  begin(nowMs: number): Said[] {
    return this.#inUse("the certificate in use", nowMs);
  }

  /** What follows from what the files contain now; `isAsked` where somebody wants to know. */
  take(found: FilesRead, isAsked: boolean, nowMs: number): Found {
    if (found.content === this.#content) {
      const isNews = isAsked || this.#refused?.isSaid;
      this.#refused = undefined;
      const asBefore: Said = { level: "info", fields: {}, message: "the certificate's files hold what is in use" };
      return { said: [...(isNews ? [asBefore] : []), ...this.#reminder(nowMs)] };
    }
    if ("problems" in found) {
      return { said: [...this.#refusal(found.content, found.problems, isAsked, nowMs), ...this.#reminder(nowMs)] };
    }
    this.#content = found.content;
    this.#facts = found.facts;
    this.#refused = undefined;
    this.#remindedMs = -Infinity;
    return { use: found.pair, said: this.#inUse("a renewed certificate is in use for new connections", nowMs) };
  }

  #refusal(content: string, problems: readonly FileProblem[], isAsked: boolean, nowMs: number): Said[] {
    const isSame = this.#refused?.content === content;
    const isDue = isAsked || (isSame && !this.#refused!.isSaid);
    this.#refused = { content, isSaid: isDue || (isSame && this.#refused!.isSaid) };
    if (!isDue) return [];
    return [{
      level: "error",
      fields: { problems: problems.map(this.#say), ...endOf(this.#facts, nowMs) },
      message: "the renewed certificate can't be used, and the one before it stays in use",
    }];
  }

  #inUse(message: string, nowMs: number): Said[] {
    const { subject, issuer, names, chain, doubts } = this.#facts;
    const fields = { subject, issuer, names: names.slice(0, NAMES_MAX), certificates: chain };
    return [
      { level: "info", fields: { ...fields, ...endOf(this.#facts, nowMs) }, message },
      ...doubts.map((doubt): Said => ({
        level: "warn",
        fields: { doubt },
        message: "clients may refuse the certificate",
      })),
      ...this.#reminder(nowMs),
    ];
  }

  #reminder(nowMs: number): Said[] {
    if (!isEndNear(this.#facts, nowMs) || nowMs - this.#remindedMs < REMIND_EVERY_MS) return [];
    this.#remindedMs = nowMs;
    const fields = endOf(this.#facts, nowMs);
    if (nowMs > this.#facts.validToMs) {
      return [{ level: "error", fields, message: "the certificate has expired: clients refuse it" }];
    }
    return [{ level: "warn", fields, message: "the certificate expires soon, and its files hold no other" }];
  }
}

function endOf({ validToMs }: CertificateFacts, nowMs: number): Record<string, unknown> {
  return { validTo: new Date(validToMs).toISOString(), daysLeft: daysLeft(validToMs, nowMs) };
}
