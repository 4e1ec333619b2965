/**
 * What the suite's callers saw: every call, from when it was made until it was answered, and what a Connect answer in
 * JSON says of it. Shared by those who write histories and the checker that reads them; it knows nothing of the
 * program.
 */

/** One goods and a quantity of it. */
export interface AskedLine {
  readonly goodsId: number;
  readonly num: number;
}

/** What was asked, once; every retry under the same id carries exactly this. */
export type Request =
  | { readonly kind: "set"; readonly goodsId: number; readonly num: number }
  | { readonly kind: "sell"; readonly orderId: string; readonly lines: readonly AskedLine[] }
  | {
    readonly kind: "rollback";
    /** "": none; its lines are given back whatever was sold, under its id. */
    readonly orderId: string;
    /** "": none. */
    readonly rollbackId: string;
    /** None for the whole order. */
    readonly lines: readonly AskedLine[];
  }
  | { readonly kind: "detail"; readonly goodsId: number };

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

/** All calls of a run, in any order. */
export interface History {
  readonly calls: readonly Call[];
}

/** One call as Connect in JSON has it: a method of `inventory.v1.InventoryService` and its message. */
export function wireRequest(request: Request): { readonly method: string; readonly body: Record<string, unknown> } {
  switch (request.kind) {
    case "set":
      return { method: "SetInv", body: { goodsId: request.goodsId, num: request.num } };
    case "detail":
      return { method: "InvDetail", body: { goodsId: request.goodsId } };
    case "sell":
      return { method: "Sell", body: { orderId: request.orderId, goodsInfo: request.lines } };
    case "rollback": {
      const { orderId, rollbackId, lines } = request;
      return { method: "Rollback", body: { orderId, rollbackId, goodsInfo: lines } };
    }
  }
}

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

/** The `reason` of the ErrorInfo among the details of an error; undefined if there is none. */
export function reasonOf(details: readonly unknown[]): string | undefined {
  for (const detail of details as readonly { type?: unknown; debug?: { reason?: unknown } }[]) {
    if (detail.type === "google.rpc.ErrorInfo" && typeof detail.debug?.reason === "string") return detail.debug.reason;
  }
  return undefined;
}
