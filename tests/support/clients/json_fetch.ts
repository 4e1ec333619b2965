/** No client at all: `fetch` and JSON, as a script or a webhook would do it. */
import { callerSetup } from "../caller_setup.ts";
import { post } from "../server.ts";
import {
  type CallResult,
  canonicalCode,
  type Client,
  decodeDetail,
  type Json,
  type Method,
  serviceOf,
} from "./client.ts";

/** Connect with messages as JSON, by hand. */
export function jsonClient(baseUrl: string): Client {
  return {
    name: "fetch, JSON",
    contract: "v1",
    call: (method, request) => callJson(baseUrl, method, JSON.stringify(request)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Posts a body as it is. */
export async function callJson(baseUrl: string, method: Method, body: BodyInit): Promise<CallResult> {
  const { headers, ca } = callerSetup();
  const url = `${baseUrl}/${serviceOf(method).service}/${method}`;
  if (ca !== undefined) {
    const { status, body: answer } = await post(url, JSON.parse(String(body)), ca, headers);
    return status === 200 ? { answer: answer as Json } : jsonResult(answer as unknown as JsonError);
  }
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  const message = await response.json();
  return response.ok ? { answer: message as Json } : jsonResult(message);
}

/** An error in Connect's JSON. */
interface JsonError {
  readonly code: string;
  readonly details?: readonly { readonly type: string; readonly value: string }[];
}

/** What it says. */
export function jsonResult(error: JsonError): CallResult {
  return { code: canonicalCode(error.code), details: (error.details ?? []).map(decodeDetail) };
}
