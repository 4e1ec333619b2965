/**
 * What the suite's callers saw: every call, from when it was made until it was answered, and what a Connect answer in
 * JSON says of it. Shared by those who write histories and the checker that reads them; it knows nothing of the
 * program.
 */

/** One goods at a location and a quantity of it. */
export interface AskedLine {
  readonly goodsId: number;
  readonly num: number;
  /** Absent: 0. */
  readonly locationId?: number;
}

/** What sales of a goods are bound by. */
export interface AskedPolicy {
  readonly safetyStock?: number;
  readonly buyerNumMax?: number;
}

/** What was asked, once; every retry under the same id carries exactly this. */
export type Request =
  | {
    readonly kind: "set";
    readonly goodsId: number;
    readonly num: number;
    /** Only if it stands at this version. */
    readonly expectedVersion?: number;
  }
  | {
    readonly kind: "sell";
    readonly orderId: string;
    readonly lines: readonly AskedLine[];
    readonly buyerId?: string;
  }
  | {
    readonly kind: "rollback";
    /** "": none; its lines are given back whatever was sold, under its id. */
    readonly orderId: string;
    /** "": none. */
    readonly rollbackId: string;
    /** None for the whole order. */
    readonly lines: readonly AskedLine[];
  }
  | { readonly kind: "detail"; readonly goodsId: number; readonly locationId?: number }
  | {
    readonly kind: "reserve";
    readonly orderId: string;
    readonly lines: readonly AskedLine[];
    /** The same for all of an order, so that its ledger says when each of its holds ends. */
    readonly ttlMs: number;
    readonly buyerId?: string;
  }
  /** `ttlMs`: the same for all of an order. */
  | { readonly kind: "extend"; readonly orderId: string; readonly ttlMs: number }
  /** No lines: all of it. */
  | { readonly kind: "confirm"; readonly orderId: string; readonly lines: readonly AskedLine[] }
  | { readonly kind: "release"; readonly orderId: string }
  /** A `num` below 0 takes units away. */
  | { readonly kind: "adjust"; readonly operationId: string; readonly lines: readonly AskedLine[] }
  | { readonly kind: "count"; readonly operationId: string; readonly goodsId: number; readonly num: number }
  | {
    readonly kind: "transfer";
    readonly operationId: string;
    readonly from: number;
    readonly to: number;
    /** Without locations. */
    readonly lines: readonly AskedLine[];
  }
  | { readonly kind: "policy"; readonly goodsId: number; readonly policy: AskedPolicy }
  | { readonly kind: "delete"; readonly goodsId: number }
  | { readonly kind: "restore"; readonly goodsId: number };

/**
 * What a call came to.
 *
 * - ok: applied or read, with Connect's JSON body
 * - refused: definite, this call wrote nothing; details are Connect's, of which `type` and `debug` are looked at
 * - unknown: it may or may not have been applied, now or later
 */
export type Answer =
  | { readonly outcome: "ok"; readonly body: Readonly<Record<string, unknown>> }
  | { readonly outcome: "refused"; readonly code: string; readonly details: readonly unknown[] }
  | { readonly outcome: "unknown"; readonly code: string };

/** One call. Times are in ms of one monotonic clock for the whole history. */
export interface Call {
  /** The same for retries of one request. */
  readonly operation: number;
  readonly request: Request;
  /** Name of the server that was asked. */
  readonly server: string;
  readonly invokedMs: number;
  /**
   * The same moment by the clock on the wall, which the service writes down, in ms since 1970; unknown where it was not
   * noted.
   */
  readonly wallMs?: number;
  /** undefined: no answer was ever had, and then the answer is "unknown". */
  readonly answeredMs: number | undefined;
  readonly answer: Answer;
}

/** Where a watcher saw a place stand. */
export interface SeenLevel {
  readonly goodsId: number;
  readonly locationId: number;
  readonly version: number;
  readonly onHand: number;
  readonly reserved: number;
}

/**
 * What a watcher saw, one thing after the other:
 *
 * - begun: a stream, from the latest token; or anew, and what was before counts no more
 * - token: from here on nothing comes again
 */
export type Sight =
  | { readonly sight: "begun"; readonly anew: boolean }
  | { readonly sight: "snapshot"; readonly levels: readonly SeenLevel[] }
  /** `folded`: changes of the same place before it, which it stands for too. */
  | { readonly sight: "changes"; readonly changes: readonly (SeenLevel & { readonly folded: number })[] }
  | { readonly sight: "token" };

/** A watcher of all places. */
export interface Watched {
  readonly name: string;
  /** Of rows of the ledger, not of levels. */
  readonly isOfLedger: boolean;
  readonly sights: readonly Sight[];
  /** What there was before it stopped: so far at the least it has to have seen. */
  readonly due: readonly { readonly goodsId: number; readonly locationId: number; readonly version: number }[];
}

/** All calls of a run, in any order, and what was watched. */
export interface History {
  readonly calls: readonly Call[];
  /** Absent: nobody watched. */
  readonly watched?: readonly Watched[];
}

/**
 * One call as Connect in JSON has it: a method, of `inventory.v1.InventoryService` unless it says so, and its message.
 */
export interface WireRequest {
  readonly service?: "HoldService" | "StockService";
  readonly method: string;
  readonly body: Record<string, unknown>;
}

/** See {@link WireRequest}. */
export function wireRequest(request: Request): WireRequest {
  switch (request.kind) {
    case "set": {
      const { goodsId, num, expectedVersion } = request;
      const expected = expectedVersion === undefined ? {} : { expectedVersion: String(expectedVersion) };
      return { method: "SetInv", body: { goodsId, num, ...expected } };
    }
    case "detail": {
      const { goodsId, locationId } = request;
      return { method: "InvDetail", body: { goodsId, ...(locationId === undefined ? {} : { locationId }) } };
    }
    case "sell": {
      const { orderId, lines, buyerId } = request;
      return { method: "Sell", body: { orderId, goodsInfo: lines, ...(buyerId === undefined ? {} : { buyerId }) } };
    }
    case "rollback": {
      const { orderId, rollbackId, lines } = request;
      return { method: "Rollback", body: { orderId, rollbackId, goodsInfo: lines } };
    }
    case "reserve":
    case "extend":
    case "confirm":
    case "release":
      return { service: "HoldService", ...holdRequest(request) };
    default:
      return { service: "StockService", ...stockRequest(request) };
  }
}

function holdRequest(
  request: Extract<Request, { kind: "reserve" | "extend" | "confirm" | "release" }>,
): Omit<WireRequest, "service"> {
  const { orderId } = request;
  switch (request.kind) {
    case "reserve": {
      const { lines, ttlMs, buyerId } = request;
      const body = { orderId, goodsInfo: lines, ttl: duration(ttlMs) };
      return { method: "Reserve", body: buyerId === undefined ? body : { ...body, buyerId } };
    }
    case "extend":
      return { method: "ExtendHold", body: { orderId, ttl: duration(request.ttlMs) } };
    case "confirm":
      return { method: "ConfirmHold", body: { orderId, goodsInfo: request.lines } };
    case "release":
      return { method: "ReleaseHold", body: { orderId } };
  }
}

function stockRequest(
  request: Extract<Request, { kind: "adjust" | "count" | "transfer" | "policy" | "delete" | "restore" }>,
): Omit<WireRequest, "service"> {
  switch (request.kind) {
    case "adjust": {
      const { operationId, lines } = request;
      const deltas = lines.map(({ num, ...place }) => ({ ...place, delta: num }));
      return { method: "AdjustInv", body: { operationId, lines: deltas, reason: "correction" } };
    }
    case "count": {
      const { operationId, goodsId, num } = request;
      return { method: "CountInv", body: { operationId, goodsId, num } };
    }
    case "transfer": {
      const { operationId, from, to, lines } = request;
      return { method: "TransferInv", body: { operationId, fromLocationId: from, toLocationId: to, lines } };
    }
    case "policy":
      return { method: "SetPolicy", body: { goodsId: request.goodsId, policy: request.policy } };
    case "delete":
      return { method: "DeleteInv", body: { goodsId: request.goodsId } };
    case "restore":
      return { method: "RestoreInv", body: { goodsId: request.goodsId } };
  }
}

/** A google.protobuf.Duration in JSON. */
function duration(ms: number): string {
  return `${ms / 1000}s`;
}

/** Codes after which the API says to send the same again. */
const FOR_NOW = new Set(["aborted", "unavailable", "resource_exhausted"]);

/** Codes after which a call may or may not have been applied, as the API says. */
const UNCLEAR_CODES = new Set(["deadline_exceeded", "canceled", "unknown"]);

/**
 * What an HTTP answer of Connect's unary protocol in JSON came to. No body that can be read (a connection that was cut,
 * a gateway's own page) is "unknown", under the code "cut".
 */
export function classify(httpStatus: number, body: string): Answer {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return CUT;
  }
  if (typeof parsed !== "object" || parsed === null) return CUT;
  if (httpStatus === 200) return { outcome: "ok", body: parsed as Record<string, unknown> };
  const { code, details } = parsed as { code?: unknown; details?: unknown };
  if (typeof code !== "string") return CUT;
  const list = Array.isArray(details) ? details : [];
  if (UNCLEAR_CODES.has(code) || (code === "unavailable" && reasonOf(list) === "OUTCOME_UNKNOWN")) {
    return { outcome: "unknown", code };
  }
  return { outcome: "refused", code, details: list };
}

/** The answer of a call whose connection ended, or whose caller left, before there was one. */
export const CUT: Answer = { outcome: "unknown", code: "cut" };

/**
 * Whether the same may be sent again, as the API says: it was refused for a moment. Where it is not as expected it
 * never will be again.
 */
export function isForNow(answer: Answer): boolean {
  if (answer.outcome !== "refused" || !FOR_NOW.has(answer.code)) return false;
  return !answer.details.some((detail) => (detail as { type?: unknown }).type === "inventory.v1.CurrentLevel");
}

/** The `reason` of the ErrorInfo among the details of an error; undefined if there is none. */
export function reasonOf(details: readonly unknown[]): string | undefined {
  for (const detail of details as readonly { type?: unknown; debug?: { reason?: unknown } }[]) {
    if (detail.type === "google.rpc.ErrorInfo" && typeof detail.debug?.reason === "string") return detail.debug.reason;
  }
  return undefined;
}
