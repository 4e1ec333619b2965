/** The proxies among the settings. Pure. */
import { ipAddress, type IpNetwork, ipNetwork, isInNetwork } from "../base/ip_address.ts";
import { AddressError } from "./address_text.ts";

const EXPECTED = "expected an address such as 10.0.0.7, or a network such as 10.0.0.0/8 or 2001:db8::/32";

/** The first and the last address of IPv4: what has both has all. */
const ENDS = ["0.0.0.0", "255.255.255.255"].map((text) => ipAddress(text)!);

/** The address or the network of a proxy. Throws AddressError where it is neither, or is everybody. */
export function parseProxy(text: string): IpNetwork {
  const network = ipNetwork(text);
  if (network === undefined) {
    const isAddress = /^[^/]+\/\d+$/.test(text) && ipAddress(text.split("/", 1)[0]!) !== undefined;
    throw new AddressError([isAddress ? `${EXPECTED}, whose bits behind the prefix are 0` : EXPECTED]);
  }
  // Then whoever calls says himself who he is.
  if (network.bits === 0 || ENDS.every((end) => isInNetwork(end, network))) {
    throw new AddressError([`${EXPECTED}; this one is everybody`]);
  }
  return network;
}
