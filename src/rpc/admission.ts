/**
 * The decision about a call before anything of its message is read, by its header and its connection alone. Every call
 * of every protocol goes through it, for whatever path: who may not know what is served here learns it from no refusal.
 */
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, type ConnectError, type ContextValues } from "@connectrpc/connect";
import { codeToHttpStatus } from "@connectrpc/connect/protocol-connect";
import type { IncomingHttpHeaders } from "node:http";
import type { Log } from "../telemetry/log.ts";
import { REQUEST_ID_HEADER } from "../transport/exchange.ts";
import { type OwnAnswer, refuseCall } from "../transport/own_answer.ts";
import { errorForCaller } from "./interceptors.ts";

/** What is known of a call by then. */
export interface CallHead {
  /** Undefined where nothing is served at the path. */
  readonly method: DescMethod | undefined;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** What the call came by, for whatever is known of that: the session of HTTP/2, or the socket of HTTP/1. */
  readonly carrier: object | undefined;
  /** What answers it: the stream of HTTP/2, or the response of HTTP/1. */
  readonly answer: {
    /** Calls back once, when the call is over. */
    onceClosed(closed: () => void): void;
  };
  /** They have the address already, and go to the handler with what is added here. */
  readonly values: ContextValues;
}

/** Why a call does not go on; undefined: it does. */
export type Admitted = ConnectError | undefined;

/** Who decides, at once where that is possible. What it throws, or rejects with, is a fault of the service. */
export interface CallAdmission {
  admit(head: CallHead): Admitted | Promise<Admitted>;
  /** Whether every call but streams goes on now, and need not be asked about. Absent: not known. */
  readonly isOpen?: boolean;
  /** What callers are asked for by HTTP's status 401, such as `Bearer`; undefined: HTTP has no word for it. */
  readonly challenge: string | undefined;
}

/** Whether a call need not be asked about. */
export function isOpen(admission: CallAdmission, isStream = false): boolean {
  return admission.isOpen === true && !isStream;
}

/** Asks for the decision; does not throw, and does not reject. */
export function decide(admission: CallAdmission, head: CallHead, log: Log): Admitted | Promise<Admitted> {
  try {
    const admitted = admission.admit(head);
    return admitted instanceof Promise ? admitted.catch((error) => faultOf(error, head, log)) : admitted;
  } catch (error) {
    return faultOf(error, head, log);
  }
}

function faultOf(error: unknown, head: CallHead, log: Log): ConnectError {
  const requestId = head.headers[REQUEST_ID_HEADER];
  const call = { requestId: typeof requestId === "string" ? requestId : null, method: methodName(head) };
  return errorForCaller(error, call, log, "admission");
}

/** The method that is called, for a log line. */
export function methodName({ method }: CallHead): string {
  return method === undefined ? "none" : `${method.parent.typeName}/${method.name}`;
}

/** How a refused call was sent. */
export interface RefusedCall {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** Whether it is one by GET, by how it is written and not by what is asked: who calls so reads JSON. */
  readonly isGet: boolean;
}

/**
 * The refusal in the words of the call's protocol. HTTP wants a challenge with status 401 (RFC 9110, section 11.6.1);
 * where the protocol has a status of its own there is none.
 */
export function refusalOf(
  { method, headers, isGet }: RefusedCall,
  error: ConnectError,
  { challenge }: Pick<CallAdmission, "challenge">,
): OwnAnswer {
  const asked = isGet
    ? { method: "POST", contentType: "application/json", accept: undefined }
    : { method, contentType: headers["content-type"], accept: headers.accept };
  const answer = refuseCall(asked, { error, status: codeToHttpStatus(error.code) });
  const isChallenged = challenge !== undefined && answer.status === 401 && error.code === Code.Unauthenticated;
  return isChallenged ? { ...answer, headers: { ...answer.headers, "www-authenticate": challenge } } : answer;
}
