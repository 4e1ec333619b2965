/**
 * Health as plain HTTP, for load balancers and probes that speak no gRPC: a status and a word, by whatever version and
 * under whatever host they ask, with or without one.
 *
 * - `/healthz` and `/readyz`: 200 where the board says SERVING, else 503. For whoever sends work here.
 * - `/livez`: 200, for the process answers. For whoever restarts it: while a database is away that would not help.
 *
 * A gRPC call is answered by its status, OK or UNAVAILABLE: some balancers check a server of gRPC by the code of a call
 * of their own choice, and Health.Check, which is OK whatever it says, is of no use to them.
 */
import { Code } from "@connectrpc/connect";
import type { IncomingHttpHeaders } from "node:http";
import { protocolOf } from "../../transport/content_types.ts";
import type { HealthBoard } from "../../health/board.ts";
import type { WireHandler } from "../../transport/exchange.ts";
import { type OwnAnswer, refuseCall, sendOverHttp1, sendOverHttp2, textAnswer } from "../../transport/own_answer.ts";

type State = (board: HealthBoard) => { readonly status: number; readonly word: string };

const readiness: State = (board) => {
  const word = board.get("") ?? "NOT_SERVING";
  return { status: word === "SERVING" ? 200 : 503, word };
};

const PATHS: ReadonlyMap<string, State> = new Map([
  ["/healthz", readiness],
  ["/readyz", readiness],
  ["/livez", () => ({ status: 200, word: "ALIVE" })],
]);

/** Beside calls of gRPC. OPTIONS is what HAProxy asks with where nothing else is set. */
const METHODS = ["GET", "HEAD", "OPTIONS"];
const FIELDS = { "cache-control": "no-store" };

/** The handler with the paths of health in front of it. */
export function withHealthPaths(handler: WireHandler, board: HealthBoard): WireHandler {
  return {
    answersAtOnce: (path) => PATHS.has(withoutQuery(path)) || handler.answersAtOnce?.(path) === true,
    http1(request, response, call) {
      const answer = answerTo(request.method ?? "", request.url ?? "", request.headers);
      if (answer === undefined) return handler.http1(request, response, call);
      sendOverHttp1(response, answer);
    },
    http2(call) {
      const answer = answerTo(call.headers[":method"] ?? "", call.headers[":path"] ?? "", call.headers);
      if (answer === undefined) return handler.http2(call);
      sendOverHttp2(call, answer);
    },
  };

  function answerTo(method: string, path: string, headers: IncomingHttpHeaders): OwnAnswer | undefined {
    const state = PATHS.get(withoutQuery(path));
    if (state === undefined) return undefined;
    const { status, word } = state(board);
    const contentType = headers["content-type"];
    if (method === "POST" && protocolOf(contentType) === "grpc") {
      if (status === 200) return GRPC_OK;
      const asked = { method, contentType, accept: headers.accept };
      return refuseCall(asked, { code: Code.Unavailable, message: word, status });
    }
    if (!METHODS.includes(method)) return textAnswer(405, "expected GET or HEAD\n", { allow: METHODS.join(", ") });
    return textAnswer(status, `${word}\n`, FIELDS);
  }
}

/** Without a message: only its status is asked for. */
const GRPC_OK: OwnAnswer = {
  status: 200,
  headers: { "content-type": "application/grpc+proto", "grpc-status": "0" },
  body: new Uint8Array(),
};

function withoutQuery(path: string): string {
  return path.split("?", 1)[0]!;
}
