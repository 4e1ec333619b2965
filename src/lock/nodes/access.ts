/** Who logs in to the nodes, and by which certificates: read anew where a log-in fails. */
import { invariant } from "../../base/invariant.ts";
import { Reread } from "../../base/reread.ts";
import { percentEncoded } from "../../config/address_text.ts";
import type { RedisAddress } from "../../config/redis_address.ts";
import { rereadNodes } from "../../config/renewed_secrets.ts";
import type { TlsPaths } from "../../config/store_tls.ts";
import { type Certificates, NO_CERTIFICATES, readCertificates, readCertificatesSync } from "../../config/tls_files.ts";
import type { Log } from "../../telemetry/log.ts";

/** What nodes are dialled with. */
export interface NodesAccess {
  readonly nodes: readonly RedisAddress[];
  /** For nodes that are spoken to under TLS. */
  readonly certificates: Certificates;
}

/** The files that it stands in. */
export interface NodesFiles {
  /** Of the addresses; undefined: the environment. */
  readonly urls: string | undefined;
  /** Undefined: none are named. */
  readonly tls: TlsPaths | undefined;
}

/** Reads the files of TLS for a start. Throws ConfigError that names each that can't be used. */
export function openNodesAccess(
  nodes: readonly RedisAddress[],
  { urls, tls }: NodesFiles,
  log: Log,
): Reread<NodesAccess> {
  return new Reread({
    first: { nodes, certificates: tls === undefined ? NO_CERTIFICATES : readCertificatesSync(tls) },
    read: async () => ({
      nodes: urls === undefined ? nodes : await rereadNodes(urls, nodes),
      certificates: tls === undefined ? NO_CERTIFICATES : await readCertificates(tls),
    }),
    renewed: () => log.info({}, "the access to Redis was read anew and is another one"),
    failed: ({ message }) => log.warn({ problem: message }, "the access to Redis can't be read anew"),
    nowMs: () => performance.now(),
  });
}

/** So many texts are hidden: what was a secret before may be repeated once more. */
const SECRETS_MAX = 12;

/** The access of one node. */
export class NodeAccess {
  readonly #ofAll: Reread<NodesAccess>;
  readonly #number: number;
  #current: NodesAccess;
  #secrets: readonly string[];

  /** `number` is the node's place, from 1. */
  constructor(ofAll: Reread<NodesAccess>, number: number) {
    this.#ofAll = ofAll;
    this.#number = number;
    this.#current = ofAll.current;
    this.#secrets = secretsOf(this.address);
  }

  get address(): RedisAddress {
    const address = this.#current.nodes[this.#number - 1];
    invariant(address !== undefined, `there is no node ${this.#number}`);
    return address;
  }

  get certificates(): Certificates {
    return this.#current.certificates;
  }

  /** What of the address must not be shown. */
  get secrets(): readonly string[] {
    return this.#secrets;
  }

  /** A log-in failed. Whether there is other access now: somebody may have replaced a password or a certificate. */
  async renew(): Promise<boolean> {
    if (!await this.#ofAll.isOther(this.#current)) return false;
    this.#current = this.#ofAll.current;
    this.#secrets = [...new Set([...secretsOf(this.address), ...this.#secrets])].slice(0, SECRETS_MAX);
    return true;
  }
}

function secretsOf({ user = "", password = "" }: RedisAddress): string[] {
  return [password, percentEncoded(password), user].filter((secret) => secret !== "");
}
