/**
 * What a write is for and who asks for it, as it goes into the ledger: two fields of the request and a header of the
 * call. They are for people who look at the ledger later, so that nothing is taken that shows other than it is: all are
 * printable ASCII. None of them is part of what a retry has to repeat.
 */
import type { ContextValues, HandlerContext } from "@connectrpc/connect";
import type { IncomingHttpHeaders } from "node:http";
import { identityOf } from "../auth/caller.ts";
import type { KnownReasons } from "../goods/reasons.ts";
import type { Attribution } from "../inventory/model.ts";
import type { Operated } from "../inventory/operations/rules.ts";
import { Violations } from "../rpc/errors.ts";
import { callerAddress, isLoopback } from "../transport/addresses.ts";
import { untrustedActor } from "./refusals.ts";
import { readText, type TextRule } from "./validation.ts";

/** Says who asks. Where callers prove nothing, only those on this machine are believed. */
export const ACTOR_HEADER = "x-holdfast-actor";

const NOT_FROM_ELSEWHERE = "is taken from the server's own machine only, and this call came from another";
const NOT_BESIDE_IDENTITY = "is not taken where callers prove who they are, unless it says the same";

/** A comma is what stands between two fields of that name once they are joined: there must be one. */
const ACTOR: TextRule = {
  charactersMax: 128,
  other: /[^ -~]|,/,
  expected: "1 to 128 characters of printable ASCII without a comma",
};
const REASON: TextRule = {
  charactersMax: 32,
  other: /[^a-z0-9_]/,
  expected: "a code of 1 to 32 characters out of a-z 0-9 _",
};
/** Codes that an error names of those that there are. */
const CODES_NAMED_MAX = 20;
/** A URI is ASCII (RFC 3986, section 2); what is not is percent-encoded in it. */
const DOCUMENT_URI: TextRule = {
  charactersMax: 512,
  other: /[^!-~]/,
  expected: "a URI of 1 to 512 visible ASCII characters",
};

/** The fields that requests of writes have for it. */
export interface OperatedRequest {
  readonly reason: string;
  readonly documentUri: string;
  readonly dryRun: boolean;
}

/**
 * Who asks: whoever the caller has proven to be. Where callers prove nothing, by the call's header; undefined where it
 * says nothing.
 *
 * From another machine the header is refused and not left out: the caller would believe that the ledger has it. So it
 * is in what a proxy on this machine has passed on; one that says so nowhere has to take it off.
 *
 * @throws ConnectError INVALID_ARGUMENT, PERMISSION_DENIED
 */
export function readActor({ requestHeader, values }: HandlerContext): string | undefined {
  const given = requestHeader.get(ACTOR_HEADER);
  const identity = identityOf(values);
  if (identity !== undefined) {
    if (given !== null && given !== "" && given !== identity.name) {
      throw untrustedActor(ACTOR_HEADER, NOT_BESIDE_IDENTITY);
    }
    return identity.name;
  }
  if (given === null || given === "") return undefined;
  if (!isLoopback(callerAddress(values))) throw untrustedActor(ACTOR_HEADER, NOT_FROM_ELSEWHERE);
  const violations = new Violations();
  const actor = readText(violations, ACTOR_HEADER, given, ACTOR);
  violations.check();
  return actor;
}

/** The same for the log of a server where callers prove nothing: what is not believed is left out. */
export function believedActor(values: ContextValues, header: IncomingHttpHeaders): string | undefined {
  const given = header[ACTOR_HEADER];
  if (typeof given !== "string" || given === "" || given.length > ACTOR.charactersMax) return undefined;
  return isLoopback(callerAddress(values)) && !ACTOR.other.test(given) ? given : undefined;
}

/** A code of the table of reasons; undefined if the field is empty. */
function readReason(
  violations: Violations,
  field: string,
  reason: string,
  reasons: KnownReasons,
): string | undefined {
  const code = readText(violations, field, reason, REASON);
  if (code === undefined || REASON.other.test(code) || code.length > REASON.charactersMax || reasons.isKnown(code)) {
    return code;
  }
  const { codes } = reasons;
  const more = codes.length > CODES_NAMED_MAX ? ` and ${codes.length - CODES_NAMED_MAX} more` : "";
  violations.add(field, `expected one of ${codes.slice(0, CODES_NAMED_MAX).join(", ")}${more}, got ${code}`);
  return code;
}

/** Of most operations; one for all of them. */
export const PLAIN: Operated = {};

/** What every operation may have beside its own, to be spread into it; {@link PLAIN} where that is nothing. */
export function readOperated(
  violations: Violations,
  request: OperatedRequest,
  actor: string | undefined,
  reasons: KnownReasons,
): Operated {
  if (request.reason === "" && request.documentUri === "" && actor === undefined && !request.dryRun) return PLAIN;
  const reason = readReason(violations, "reason", request.reason, reasons);
  const documentUri = readText(violations, "document_uri", request.documentUri, DOCUMENT_URI);
  // Where callers prove who they are, nearly all have this and no more.
  if (actor !== undefined && (reason ?? documentUri) === undefined && !request.dryRun) {
    return { attribution: { actor } };
  }
  const attribution: Attribution | undefined = (reason ?? documentUri ?? actor) === undefined ? undefined : {
    ...(reason === undefined ? {} : { reason }),
    ...(documentUri === undefined ? {} : { documentUri }),
    ...(actor === undefined ? {} : { actor }),
  };
  return {
    ...(attribution === undefined ? {} : { attribution }),
    ...(request.dryRun ? { dryRun: true } : {}),
  };
}
