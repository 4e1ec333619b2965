/**
 * Names under which a request can't have been brought here by somebody else's page. Anybody can point a name of his own
 * at this machine (DNS rebinding), and a page from there then calls the very host that it came from. Pure.
 */
import { isIP } from "node:net";

/**
 * Whether nobody else can have brought a page here under this host, as URLs spell it: a listed name, a name that can't
 * be anything but this machine (RFC 6761, section 6.3), or an address, which no name server was asked for.
 */
export function isOwnName(host: string, hosts: ReadonlySet<string>): boolean {
  return hosts.has(host) || host === "localhost" || host.endsWith(".localhost") ||
    isIP(host.replace(/^\[|\]$/g, "")) !== 0;
}

/**
 * Says the same of a host as a request names it, with its port or without. A request that names none is no page's:
 * every browser names it.
 */
export function ownHosts(names: readonly string[]): (host: string | undefined) => boolean {
  const hosts = new Set(names);
  return (host) => {
    if (host === undefined || host === "") return true;
    const url = `http://${host}`;
    return URL.canParse(url) && isOwnName(new URL(url).hostname, hosts);
  };
}
