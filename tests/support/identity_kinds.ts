/**
 * The kinds of identity, as tests make callers of each: one list, so that every rule about who may do what is tried
 * with all of them.
 */
import type { IdentityKind } from "../../src/auth/identity.ts";
import { type Right, RIGHTS } from "../../src/auth/rights.ts";
import { addTestKey } from "./api_keys.ts";
import { ownerOf, type TestDatabase } from "./database.ts";

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
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
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

/** All of them. */
export const TEST_KINDS: readonly TestKind[] = [KEYS];
