/**
 * Whether the header of a request is within the limits, decided on what has arrived. It is a second look: node:http
 * and node:http2 have limits of their own, but node:http drops the fields over its count in silence, and nghttp2 holds a
 * peer to the size only once that peer has acknowledged the SETTINGS, which a rude one never does.
 */
import type { ListenerLimits } from "./listener_limits.ts";

/** What a field costs beside its name and value (RFC 9113, section 6.5.2, SETTINGS_MAX_HEADER_LIST_SIZE). */
const FIELD_OVERHEAD_BYTES = 32;

/** Whether a header, given as names and values by turns, has too many fields or too many bytes of them. */
export function isHeaderOverLimit(
  raw: readonly string[],
  limits: Pick<ListenerLimits, "headerBytesMax" | "headerFieldsMax">,
): boolean {
  if (raw.length > 2 * limits.headerFieldsMax) return true;
  let bytes = raw.length / 2 * FIELD_OVERHEAD_BYTES;
  for (const text of raw) bytes += text.length;
  return bytes > limits.headerBytesMax;
}
