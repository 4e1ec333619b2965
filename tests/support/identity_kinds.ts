/**
 * The kinds of identity, as tests make callers of each: one list, so that every rule about who may do what is tried
 * with all of them.
 */
import type { IdentityKind } from "../../src/auth/identity.ts";
import { type Right, RIGHTS } from "../../src/auth/rights.ts";
import { addTestKey } from "./api_keys.ts";
import { ownerOf, type TestDatabase } from "./database.ts";
import { CLIENT_AUTHORITY, CLIENT_KEY, CLIENTS } from "./tls/client_certificates.ts";
import { CERTIFICATE, KEY } from "./tls/pems.ts";
import { AUDIENCE, ISSUER, newIssuer } from "./tokens.ts";

/** A caller: its name, and what its connections and calls bring. */
export interface TestCaller {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Its certificate, as PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** Callers of one kind, and the settings of a server that knows them. */
export interface PreparedKind {
  readonly settings: Readonly<Record<string, string>>;
  /** Of the server, as PEM, where the kind needs TLS. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string; readonly clientCa?: string };
  readonly callers: Readonly<Record<Right, TestCaller>>;
  close(): Promise<void>;
}

/** One kind. */
export interface TestKind {
  readonly kind: IdentityKind;
  /** Makes a caller for each right, before the server starts. */
  prepare(database: TestDatabase): Promise<PreparedKind>;
}

const KEYS: TestKind = {
  kind: "keys",
  async prepare({ ownerUrl }) {
    await using owner = ownerOf(ownerUrl);
    const callers = {} as Record<Right, TestCaller>;
    for (const right of RIGHTS) {
      const name = `a ${right}`;
      callers[right] = { name, ...await addTestKey(owner.sql, { name, rights: [right] }) };
    }
    return { settings: { AUTH: "keys" }, callers, close: () => Promise.resolve() };
  },
};

const JWT: TestKind = {
  kind: "jwt",
  async prepare() {
    const issuer = await newIssuer();
    const keys = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response(issuer.keySet));
    const callers = {} as Record<Right, TestCaller>;
    for (const right of RIGHTS) {
      const sub = `a ${right}`;
      const token = await issuer.token({ sub, scope: `openid holdfast:${right}` });
      callers[right] = { name: sub, headers: { authorization: `Bearer ${token}` } };
    }
    const place = `http://127.0.0.1:${keys.addr.port}/jwks`;
    const settings = { AUTH: "jwt", JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE, JWT_JWKS: place };
    return { settings, callers, close: () => keys.shutdown() };
  },
};

const MTLS: TestKind = {
  kind: "mtls",
  prepare() {
    const shown = {
      reader: ["cn:till", CLIENTS.till],
      seller: ["spiffe://shop/orders", CLIENTS.orders],
      stocker: ["dns:pos.shop", CLIENTS.pos],
      operator: ["dns:ops.shop", CLIENTS.ops],
    } as const satisfies Record<Right, readonly [name: string, certificate: string]>;
    const callers = {} as Record<Right, TestCaller>;
    for (const right of RIGHTS) {
      const [name, cert] = shown[right];
      callers[right] = { name, headers: {}, tls: { cert, key: CLIENT_KEY } };
    }
    const files = { TLS_CERT_FILE: "certificate", TLS_KEY_FILE: "key", TLS_CLIENT_CA_FILE: "authorities" };
    const rights = RIGHTS.map((right) => `${callers[right].name}=${right}`).join(",");
    return Promise.resolve({
      settings: { AUTH: "mtls", MTLS_RIGHTS: rights, ...files },
      tls: { cert: CERTIFICATE, key: KEY, ca: CERTIFICATE, clientCa: CLIENT_AUTHORITY },
      callers,
      close: () => Promise.resolve(),
    });
  },
};

/** All of them. */
export const TEST_KINDS: readonly TestKind[] = [KEYS, JWT, MTLS];
