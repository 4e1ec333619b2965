/** Origins, names of hosts and of headers among the settings, in the form in which a browser sends them. Pure. */
import { isIP } from "node:net";
import { AddressError, hostText, isHostName } from "./address_text.ts";

const EXPECTED_ORIGIN = "expected an origin such as https://shop.example or https://*.shop.example, without a path";
const EXPECTED_HOST = "expected a name such as shop.example, without a scheme, a port or a path";

/**
 * The normal form of an origin: `https://Shop.example:443/` is `https://shop.example`. `https://*.shop.example` stands
 * for all hosts below `shop.example`. Throws AddressError for anything that no page could come from.
 */
export function parseOrigin(text: string): string {
  if (text === "*") throw new AddressError(["* would let every page call; name the origins"]);
  const [, scheme, star = "", rest] = /^(https?):\/\/(\*\.)?([^/?#@\\\s*]+)\/?$/i.exec(text) ?? [];
  const url = rest !== undefined && URL.canParse(`${scheme}://${rest}`) ? new URL(`${scheme}://${rest}`) : undefined;
  if (url === undefined) throw new AddressError([EXPECTED_ORIGIN]);
  if (star !== "" && (isAddress(url.hostname) || !/[^.]\.[^.]/.test(url.hostname))) {
    throw new AddressError(["*. stands for what is below a name such as shop.example; expected that name behind it"]);
  }
  return `${url.protocol}//${star}${url.host}`;
}

/** The normal form of a host's name. Throws AddressError where it is none. */
export function parseHostName(text: string): string {
  if (text.includes("*")) throw new AddressError(["* can't stand in the name of a host; name each of them"]);
  const url = /[/?#@\\\s:]/.test(text) && isIP(text) === 0 ? undefined : hostUrl(text);
  if (url === undefined) throw new AddressError([EXPECTED_HOST]);
  return url.hostname.replace(/^\[|\]$/g, "");
}

/** Whether pages come under it whether it is listed or not. */
export function isAlwaysOwn(host: string): boolean {
  return isAddress(host) || host === "localhost" || host.endsWith(".localhost");
}

/**
 * What can be listened on: a name or an address, that of IPv6 with or without brackets. Throws AddressError otherwise.
 * `portName`: the setting of its port.
 */
export function parseListenHost(text: string, portName = "PORT"): string {
  if (text === "*") {
    throw new AddressError(["expected a name or an address; 0.0.0.0 or :: is every address of this machine"]);
  }
  if (isIP(text) !== 0) return text;
  const host = hostText(text);
  if (host === undefined || host.port !== "" || !isHostName(host.name) || text.endsWith(":")) {
    throw new AddressError([
      `expected a name or an address such as 127.0.0.1, ::1 or 0.0.0.0; the port is ${portName}'s`,
    ]);
  }
  return host.name;
}

/** What no page may set (the Fetch standard, "forbidden request-header"), so that naming it would do nothing. */
const NO_PAGES_HEADER =
  /^(accept-charset|accept-encoding|access-control-request-.*|connection|content-length|cookie2?|date|dnt|expect|host|keep-alive|origin|referer|set-cookie|te|trailer|transfer-encoding|upgrade|via|proxy-.*|sec-.*)$/;

/** The name of a header in lower case. Throws AddressError where it is none, or none that a page can set. */
export function parsePageHeader(text: string): string {
  const name = text.toLowerCase();
  if (!/^[a-z0-9!#$%&'+.^_`|~-]+$/.test(name)) throw new AddressError(["expected names of headers such as x-tenant"]);
  if (NO_PAGES_HEADER.test(name)) {
    throw new AddressError(["expected headers that a page can set, which no browser lets it here"]);
  }
  return name;
}

function isAddress(host: string): boolean {
  return isIP(host.replace(/^\[|\]$/g, "")) !== 0;
}

function hostUrl(text: string): URL | undefined {
  const address = `http://${isIP(text) === 6 ? `[${text}]` : text}`;
  return URL.canParse(address) && new URL(address).hostname !== "" ? new URL(address) : undefined;
}
