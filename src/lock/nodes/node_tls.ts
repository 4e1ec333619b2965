/** TLS to a node, as ioredis hands it to node:tls: the chain and the host's name are always looked at. Pure. */
import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { Certificates } from "../../config/tls_files.ts";

/** The options for a node at this host: without certificates to trust, those that the runtime trusts. */
export function nodeTls(host: string, { trusted, own }: Certificates): ConnectionOptions {
  return {
    // An address is looked for in the certificate as an address, and is no name that could be asked for.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(trusted === undefined ? {} : { ca: trusted }),
    ...(own === undefined ? {} : { cert: own.certificate, key: own.key }),
  };
}
