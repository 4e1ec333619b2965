/**
 * Any call over HTTP/1, by Connect's own handlers: what connect-node's adapter does, but with the body gathered.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { assertByteStreamRequest, type UniversalHandlerFn } from "@connectrpc/connect/protocol";
import type { IncomingMessage, ServerResponse } from "node:http";
import { addressKey } from "./address_key.ts";
import { callerValues } from "./caller_address.ts";
import { gatheredBody } from "./gathered_body.ts";

/**
 * Answers a call. Throws at once where no URL can be made of its host and path.
 *
 * @param failed told why the answer could not be written, unless that is that the peer has gone
 */
export function answerHttp1(
  handler: UniversalHandlerFn,
  request: IncomingMessage,
  response: ServerResponse,
  failed: (error: unknown) => void,
): void {
  const asked = universalRequestFromNodeRequest(
    request,
    response,
    undefined,
    callerValues(addressKey(request.socket.remoteAddress)),
  );
  assertByteStreamRequest(asked);
  const body = gatheredBody(asked.body, asked.header.get("content-type"));
  handler({ ...asked, body })
    .then((answer) => universalResponseToNodeResponse(answer, response))
    .catch((error) => {
      if (ConnectError.from(error).code !== Code.Aborted) failed(error);
    });
}
