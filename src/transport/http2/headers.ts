/**
 * Headers and trailers between node:http2 and Connect, as connect-node maps them: joined where Connect reads them,
 * repeated where they must not be joined.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";

/** Fields of a connection, which HTTP/2 has none of (RFC 9113, section 8.2.2). node:http2 throws at them. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "upgrade",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
]);

/**
 * What is encoded without need: the printable ASCII characters but `%`, and at either end a space, which would get
 * lost.
 */
const NEEDLESS = /(?!^%20|%20$)%(2[0-46-9A-F]|[3-6][0-9A-F]|7[0-9A-E])/g;

/**
 * A request's header for Connect, without the pseudo-header fields.
 *
 * @throws TypeError at a value that no header may have, such as one with characters above U+00FF
 */
export function toWebHeaders(fields: IncomingHttpHeaders): Headers {
  const headers = new Headers();
  for (const name of Object.keys(fields)) {
    if (name.startsWith(":")) continue;
    const value = fields[name];
    if (typeof value === "string") headers.append(name, value);
    else if (value !== undefined) { for (const one of value) headers.append(name, one); }
  }
  return headers;
}

/**
 * A `Headers` that is made only when somebody needs one. The platform's checks each field that comes in and looks
 * through all of them for each that is asked for; of most calls a few fields are asked for by name, and nothing else.
 */
export class LazyHeaders implements Headers {
  #made: Headers | undefined;

  /** @param fields what they are at first, by lower-case name; never changed */
  constructor(private readonly fields: IncomingHttpHeaders) {}

  /** The fields as they were given; undefined where they may have been changed. */
  get unchanged(): IncomingHttpHeaders | undefined {
    return this.#made === undefined ? this.fields : undefined;
  }

  get(name: string): string | null {
    if (this.#made !== undefined) return this.#made.get(name);
    const value = this.fields[name.toLowerCase()];
    if (value === undefined) return null;
    // Of several values, and of pseudo-header fields, the real one knows what it makes.
    return typeof value === "string" && !name.startsWith(":") ? value : this.#whole().get(name);
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  append(name: string, value: string): void {
    this.#whole().append(name, value);
  }

  set(name: string, value: string): void {
    this.#whole().set(name, value);
  }

  delete(name: string): void {
    this.#whole().delete(name);
  }

  getSetCookie(): string[] {
    return this.#whole().getSetCookie();
  }

  forEach(callback: (value: string, name: string, parent: this) => void, thisArg?: unknown): void {
    this.#whole().forEach((value, name) => callback.call(thisArg, value, name, this));
  }

  entries(): ReturnType<Headers["entries"]> {
    return this.#whole().entries();
  }

  keys(): ReturnType<Headers["keys"]> {
    return this.#whole().keys();
  }

  values(): ReturnType<Headers["values"]> {
    return this.#whole().values();
  }

  [Symbol.iterator](): ReturnType<Headers["entries"]> {
    return this.entries();
  }

  #whole(): Headers {
    return this.#made ??= toWebHeaders(this.fields);
  }
}

/**
 * Puts Connect's header or trailers into an object for node:http2, over what it has; fields of a connection are left
 * out.
 */
export function addFields(target: OutgoingHttpHeaders, headers: Headers): OutgoingHttpHeaders {
  let cookies: string[] | undefined;
  headers.forEach((value, name) => {
    if (CONNECTION_FIELDS.has(name) || (name === "te" && value !== "trailers")) return;
    // The one field that comes once for each value, as its values may contain commas.
    if (name === "set-cookie") target[name] = cookies = [...cookies ?? [], value];
    else target[name] = name === "grpc-message" ? respellGrpcMessage(value) : value;
  });
  return target;
}

/** Sends trailers once node:http2 asks for them, unless the stream is gone by then. `fields` is called at that time. */
export function sendTrailersOnceWanted(stream: ServerHttp2Stream, fields: () => OutgoingHttpHeaders): void {
  // Once for a stream.
  stream.on("wantTrailers", () => {
    // It throws at a closed stream, and from within an event that would end the process.
    if (!stream.closed && !stream.destroyed) stream.sendTrailers(fields());
  });
}

/**
 * The value of `grpc-message` with nothing encoded that need not be (the gRPC protocol over HTTP/2, "Status-Message"):
 * only bytes outside 0x20 to 0x7E and `%` are. Connect encodes whatever a URL would, which is read the same by whoever
 * decodes all of it; but grpc-js decodes with decodeURI, and shows `%3A` for a colon.
 */
export function respellGrpcMessage(encoded: string): string {
  if (!encoded.includes("%")) return encoded;
  return encoded.replace(NEEDLESS, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
