/** No client at all: `fetch` and JSON, as a script or a webhook would do it. */
import { identityHeaders } from "../identity_headers.ts";
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
  const response = await fetch(`${baseUrl}/${serviceOf(method).service}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...identityHeaders() },
    body,
  });
  const message = await response.json();
  return response.ok ? { answer: message as Json } : jsonResult(message);
}

/** What an error in Connect's JSON says. */
export function jsonResult(error: { code: string; details?: { type: string; value: string }[] }): CallResult {
  return { code: canonicalCode(error.code), details: (error.details ?? []).map(decodeDetail) };
}
