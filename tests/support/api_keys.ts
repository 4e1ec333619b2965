/** Keys of callers as rows, made and changed as the owner, without the command. */
import type postgres from "postgres";
import { keyHash, newKey } from "../../src/auth/keys/key_text.ts";
import { addKey, type NewKey } from "../../src/store/statements/keys.ts";

/** A key, and its id. */
export interface TestKey {
  readonly id: string;
  readonly key: string;
  /** What a call with it brings. */
  readonly headers: { readonly authorization: string };
}

/** Adds a key of this name with these rights. */
export async function addTestKey(
  sql: postgres.Sql,
  { name, rights, expires }: Pick<NewKey, "name" | "rights"> & Partial<NewKey>,
): Promise<TestKey> {
  const { id, key } = newKey();
  const [added] = await addKey({ id, sha256: keyHash(key).toString("hex"), name, rights, expires })(sql);
  if (added === undefined) throw new Error("the key was not added");
  return { id, key, headers: { authorization: `Bearer ${key}` } };
}
