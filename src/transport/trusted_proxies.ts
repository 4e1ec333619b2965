/**
 * Whose a call is that came through proxies: by the header in which each of them notes who called it, believed as far
 * as those who wrote it are (TRUSTED_PROXIES). Pure.
 *
 * A proxy adds its caller at the right. So the list is read from there: what a trusted proxy noted is believed, and the
 * first address that is no proxy of ours is the caller, whatever stands left of it, which anybody may have written.
 * What is no address ends the list as well: the caller is then the last of our proxies that was named.
 */
import { type IpAddress, ipAddress, type IpNetwork, ipText, isInNetwork } from "../base/ip_address.ts";
import { addressKey, forwardedKey } from "./addresses.ts";

/** The headers that proxies note their callers in: the usual one, and that of RFC 7239. */
const FORWARDED_HEADERS = ["x-forwarded-for", "forwarded"] as const;

/** Which proxies are believed, and in which header: another one may be what a caller sent, passed on as it came. */
export interface TrustedProxiesRules {
  readonly networks: readonly IpNetwork[];
  readonly header: typeof FORWARDED_HEADERS[number];
}

/** Header fields by lower-case name, as node:http and node:http2 have them. */
type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Proxies behind each other that are looked at. More are no set-up, but an attempt to make us work. */
export const PROXIES_MAX = 16;

/** Knows the proxies of ours, and who calls through them. */
export class TrustedProxies {
  constructor(private readonly rules: TrustedProxiesRules) {}

  /** Whether a socket from this address, as node:net names it, is that of a proxy of ours. */
  isProxy(address: string | undefined): boolean {
    if (this.rules.networks.length === 0 || address === undefined) return false;
    const parsed = ipAddress(address.split("%", 1)[0]!);
    return parsed !== undefined && this.#isTrusted(parsed);
  }

  /**
   * The key (`addresses.ts`) of who made a call that a proxy of ours at `proxy` passed on; never one of this machine's
   * own.
   */
  callerKey(proxy: string, fields: Fields): string {
    let caller: IpAddress | undefined;
    for (const address of this.#noted(fields)) {
      if (address === undefined) break;
      caller = address;
      if (!this.#isTrusted(address)) break;
    }
    return forwardedKey(addressKey(caller === undefined ? proxy : ipText(caller)));
  }

  #isTrusted(address: IpAddress): boolean {
    return this.rules.networks.some((network) => isInNetwork(address, network));
  }

  #noted(fields: Fields): Generator<IpAddress | undefined> {
    const { header } = this.rules;
    const value = fields[header] ?? "";
    const text = typeof value === "string" ? value : value.join(",");
    return header === "forwarded" ? notedByFor(text) : notedInList(text);
  }
}

/** Whether a proxy, ours or not, says of a call that it has passed it on. */
export function isForwarded(fields: Fields): boolean {
  return FORWARDED_HEADERS.some((header) => fields[header] !== undefined);
}

/** From the right, the addresses of an X-Forwarded-For; undefined for what is none. */
function* notedInList(text: string): Generator<IpAddress | undefined> {
  let end = text.length;
  for (let count = 0; count < PROXIES_MAX && end > 0; count++) {
    const comma = text.lastIndexOf(",", end - 1);
    yield nodeAddress(text.slice(comma + 1, end).trim());
    end = comma;
  }
}

/** From the right, the addresses of the `for` of a Forwarded; undefined for an element that has none. */
function* notedByFor(text: string): Generator<IpAddress | undefined> {
  let end = text.length;
  for (let count = 0; count < PROXIES_MAX && end > 0; count++) {
    const comma = commaBefore(text, end);
    yield forOf(text.slice(comma + 1, end));
    end = comma;
  }
}

/** The last comma before `end` that stands in no quoted string; -1 where there is none. */
function commaBefore(text: string, end: number): number {
  let isQuoted = false;
  for (let at = end - 1; at >= 0; at--) {
    if (text[at] === '"' && !(isQuoted && isEscaped(text, at))) isQuoted = !isQuoted;
    else if (text[at] === "," && !isQuoted) return at;
  }
  return -1;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === "\\") slashes++;
  return slashes % 2 === 1;
}

/** A pair of an element: a token, and a token or a quoted string (RFC 7239, section 4). */
const PAIR = /^\s*([!#$%&'*+.^_`|~0-9a-z-]+)=(?:([!#$%&'*+.^_`|~0-9a-z-]+)|"((?:[^"\\]|\\.)*)")\s*(?:;|$)/i;

/** The address of its one `for`, where all of the element is as it must be. */
function forOf(element: string): IpAddress | undefined {
  let found: string | undefined;
  for (let rest = element; rest.trim() !== "";) {
    const [all, name, token, quoted] = PAIR.exec(rest) ?? [];
    if (all === undefined) return undefined;
    rest = rest.slice(all.length);
    if (name!.toLowerCase() !== "for") continue;
    if (found !== undefined) return undefined;
    found = token ?? quoted!;
  }
  return found === undefined ? undefined : nodeAddress(found);
}

/** An address with or without a port, that of IPv6 with a port in brackets. */
function nodeAddress(text: string): IpAddress | undefined {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::\d{1,5})?$/.exec(text) ?? [];
  return ipAddress(bracketed ?? plain ?? text);
}
