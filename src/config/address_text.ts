/**
 * What the addresses of PostgreSQL and Redis have in common as text (RFC 3986). A problem is named without a piece of
 * the text: what stands where a host is expected may be the rest of a password. Pure.
 */
import { isIPv4, isIPv6 } from "node:net";

/** An address or a list that can't be taken. Each problem is a sentence without any part of what was given. */
export class AddressError extends Error {
  override name = "AddressError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("; "));
    this.problems = problems;
  }
}

/**
 * What reads a part of an address, and goes on with `undefined` where that can't be taken: its problems are then in
 * `problems`.
 */
export function triedInto(problems: string[]): <T>(read: () => T) => T | undefined {
  return (read) => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof AddressError)) throw error;
      problems.push(...error.problems);
    }
  };
}

/** What a user, a password, a database or a value must be written with to stand in an address. */
const PERCENT_HINT = "in a user, a password or a name write space as %20, # as %23, % as %25, , as %2C, " +
  "/ as %2F, : as %3A, ? as %3F and @ as %40";

/** An address in its parts, none of them decoded. */
export interface AddressText {
  /** Undefined where there is no `@`. */
  readonly userInfo: string | undefined;
  readonly authority: string;
  /** From the first `/` on, without it; undefined where there is none. */
  readonly path: string | undefined;
  /** Behind the `?`; undefined where there is none. */
  readonly query: string | undefined;
}

/**
 * The parts of what stands behind `scheme://`.
 *
 * Throws AddressError where a character stands raw that programs read differently: each of them would take another
 * part of a password for a host.
 */
export function addressParts(text: string): AddressText {
  const at = text.indexOf("@");
  const end = text.search(/[/?]/);
  const isAmbiguous = at !== text.lastIndexOf("@") || (at >= 0 && end >= 0 && end < at);
  // deno-lint-ignore no-control-regex
  if (isAmbiguous || /[\s#\x00-\x1f\x7f]/.test(text)) {
    throw new AddressError([`a character stands in it that can't stand there as it is: ${PERCENT_HINT}`]);
  }
  const [front, query] = cutAt(text, "?");
  const [address, path] = cutAt(front, "/");
  const [userInfo, authority] = address.includes("@") ? cutAt(address, "@") : [undefined, address];
  return { userInfo, authority: authority ?? "", path, query };
}

/** What stands before the first `mark`, and what behind it; undefined where there is none. */
export function cutAt(text: string, mark: string): [before: string, behind: string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** The text that `text` stands for. Throws AddressError for a `%` that stands for nothing; `what` names the part. */
export function percentDecoded(text: string, what: string): string {
  try {
    const decoded = decodeURIComponent(text);
    if (!decoded.includes("\0")) return decoded;
  } catch {
    // The error of the runtime says no more, and repeats the text.
  }
  throw new AddressError([`${what} has a % that two hexadecimal digits of a character don't follow: ${PERCENT_HINT}`]);
}

/** `text` as it stands in an address. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** A host's name, or its address without brackets, and the port as written; each "" where it is not there. */
export interface HostText {
  readonly name: string;
  readonly port: string;
}

/** Reads `name:port` or `[address]:port`; undefined where it is neither. */
export function hostText(text: string): HostText | undefined {
  const [, address, name, port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(text) ?? [];
  if (address === undefined && name === undefined) return undefined;
  if (address !== undefined && !isIPv6(address)) return undefined;
  return { name: address ?? name ?? "", port: port ?? "" };
}

/** Longest name of a host (RFC 1035). */
const NAME_CHARACTERS_MAX = 253;

/**
 * Whether it is a name that can be looked up, or an address. A zone (`fe80::1%eth0`) is none that the runtime can dial.
 */
export function isHostName(name: string): boolean {
  if (isIPv4(name) || (isIPv6(name) && !name.includes("%"))) return true;
  return name.length <= NAME_CHARACTERS_MAX &&
    /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i.test(name);
}

/** The port, or undefined where it is none. */
export function portNumber(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** `name:port`, with brackets where they must be. */
export function hostAndPort(name: string, port: number): string {
  return `${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/** Whether it can't be anything but this machine. */
export function isLoopback(name: string): boolean {
  return /^(localhost|[a-z0-9.-]+\.localhost|127(\.\d{1,3}){3}|::1)$/i.test(name);
}
