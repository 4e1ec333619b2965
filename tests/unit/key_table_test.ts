/** The keys as a process knows them: by a clock and reads of the test's own. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Identity } from "../../src/auth/identity.ts";
import { KeyTable, KNOWN_LATE_MS_MAX, KNOWN_MS_MAX } from "../../src/auth/keys/key_table.ts";
import { keyHash, newKey } from "../../src/auth/keys/key_text.ts";
import { UnauthenticatedError, VerifierUnavailableError } from "../../src/auth/verifier.ts";
import type { KeyRow, KeysRead } from "../../src/store/statements/keys.ts";

const quiet = () => {};

/** A key, and its row. */
function made(more: Partial<KeyRow> = {}): { key: string; row: KeyRow } {
  const { id, key } = newKey();
  const sha256 = keyHash(key).toString("hex");
  return { key, row: { id, sha256, name: "till", rights: ["seller"], endsInMs: undefined, isRevoked: false, ...more } };
}

/** A table whose reads the test ends, one after the other. */
class Bench implements Disposable {
  nowMs = 0;
  readonly warnings: string[] = [];
  readonly table: KeyTable;
  /** Digests that reads said they know. */
  readonly known: (string | undefined)[] = [];
  #reads: PromiseWithResolvers<KeysRead>[] = [];
  #begun = Promise.withResolvers<void>();

  constructor() {
    const log = {
      debug: quiet,
      info: quiet,
      error: quiet,
      warn: (_: unknown, text: string) => void this.warnings.push(text),
    };
    this.table = new KeyTable({
      log,
      nowMs: () => this.nowMs,
      read: (known) => {
        this.known.push(known);
        const read = Promise.withResolvers<KeysRead>();
        this.#reads.push(read);
        this.#begun.resolve();
        return read.promise;
      },
    });
  }

  /** Ends the next read, which it waits for. */
  async end(read: KeysRead | Error): Promise<void> {
    while (this.#reads.length === 0) {
      this.#begun = Promise.withResolvers();
      await this.#begun.promise;
    }
    const ended = this.#reads.shift()!;
    if (read instanceof Error) ended.reject(read);
    else ended.resolve(read);
    // What the table makes of it comes a few turns later.
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }

  verify(bearer: string): Identity | undefined | Promise<Identity | undefined> {
    return this.table.verify({ bearer, certificate: undefined, address: "" });
  }

  /** Why it is refused at once; "" where it is not. */
  refusal(bearer: string): string {
    try {
      assert(!(this.verify(bearer) instanceof Promise));
      return "";
    } catch (error) {
      assert(error instanceof UnauthenticatedError);
      return error.reason;
    }
  }

  [Symbol.dispose](): void {
    void this.table.close();
    for (const read of this.#reads) read.reject(new Error("closed"));
  }
}

Deno.test("a key is known by all of its text, and what is not quite a key is none", async () => {
  using bench = new Bench();
  const { key, row } = made();
  const other = made().key;
  await bench.end({ digest: "1", keys: [row] });
  for (let time = 1; time <= 2; time++) {
    const identity = bench.verify(key) as Identity;
    assertEquals([identity.kind, identity.name, [...identity.rights]], ["keys", "till", ["seller", "reader"]]);
  }
  const [hf, id, secret] = key.split("_");
  const wrong = (text: string) => text.slice(0, -1) + (text.endsWith("0") ? "1" : "0");
  assertEquals(bench.refusal(other), "unknown");
  assertEquals(bench.refusal(wrong(key)), "wrong_secret");
  assertEquals(bench.refusal(`${hf}_${id}_${"0".repeat(64)}`), "wrong_secret");
  const bad = [
    `${key} `,
    `${key}0`,
    key.slice(0, -1),
    `${hf}_${id}`,
    "hf_",
    `${hf}__${secret}`,
    key.toUpperCase(),
    `${key}\n`,
  ];
  for (const text of bad.filter((each) => each.startsWith("hf_"))) assertEquals(bench.refusal(text), "malformed", text);
  for (const text of ["", "HF_", "hf", "eyJ.a.b"]) assertEquals(bench.verify(text), undefined, text);
  assertEquals(bench.table.verify({ bearer: undefined, certificate: undefined, address: "" }), undefined);
});

Deno.test("a key is refused from the read on that finds it revoked, changed or gone, and at the moment it expires", async () => {
  using bench = new Bench();
  const [a, b, c, d] = [made(), made(), made(), made({ endsInMs: 700 })];
  await bench.end({ digest: "1", keys: [a.row, b.row, c.row, d.row] });
  const before = [a, b, c, d].map(({ key }) => bench.verify(key) as Identity);
  assertEquals(before.map((identity) => identity.isValid()), [true, true, true, true]);
  bench.nowMs = 500;
  const changed = { ...c.row, rights: ["reader"] };
  await bench.end({ digest: "2", keys: [{ ...a.row, isRevoked: true }, changed, { ...d.row, endsInMs: 200 }] });
  assertEquals([a, b, c, d].map(({ key }) => bench.refusal(key)), ["revoked", "unknown", "", ""]);
  assertEquals([...(bench.verify(c.key) as Identity).rights], ["reader"]);
  assertEquals(before.map((identity) => identity.isValid()), [false, false, false, true]);
  bench.nowMs = 699;
  assertEquals(bench.refusal(d.key), "");
  bench.nowMs = 700;
  assertEquals(bench.refusal(d.key), "expired");
  assertEquals(before[3]!.isValid(), false);
});

Deno.test("no call is decided by what was read longer ago than a second: it waits for the next read", async () => {
  using bench = new Bench();
  const { key, row } = made();
  const first = bench.verify(key);
  assert(first instanceof Promise);
  await bench.end({ digest: "1", keys: [row] });
  assertEquals((await first)?.name, "till");
  assertEquals(KNOWN_MS_MAX, 1000);
  bench.nowMs = KNOWN_MS_MAX;
  assertEquals(bench.refusal(key), "");
  bench.nowMs++;
  const waiting = bench.verify(key);
  assert(waiting instanceof Promise);
  await bench.end({ digest: "2", keys: [{ ...row, isRevoked: true }] });
  await assertRejects(() => waiting as Promise<unknown>, UnauthenticatedError, "revoked");
  // Of what has not changed nothing is sent again.
  bench.nowMs += KNOWN_MS_MAX;
  await bench.end({ digest: "2", keys: undefined });
  assertEquals(bench.refusal(key), "revoked");
  assertEquals(bench.known.slice(0, 3), [undefined, "1", "2"]);
});

Deno.test("while keys can't be read calls are UNAVAILABLE, at once, and nobody's bad key is called bad", async () => {
  using bench = new Bench();
  const { key, row } = made();
  await bench.end({ digest: "1", keys: [row] });
  const identity = bench.verify(key) as Identity;
  bench.nowMs = KNOWN_MS_MAX + 1;
  const waiting = bench.verify(key);
  await bench.end(new Error("away"));
  await assertRejects(() => waiting as Promise<unknown>, VerifierUnavailableError);
  await assertRejects(() => bench.verify(made().key) as Promise<unknown>, VerifierUnavailableError);
  await assertRejects(() => bench.table.ping(), VerifierUnavailableError);
  assertEquals(identity.isValid(), true, "an open stream goes on for a while");
  await bench.end(new Error("away"));
  assertEquals(bench.warnings, ["the keys of callers can't be read"]);
  bench.nowMs = 10_001;
  assertEquals(identity.isValid(), false);
  await bench.end({ digest: "1", keys: undefined });
  await bench.table.ping();
  assertEquals(bench.refusal(key), "");
});

Deno.test("a read that took longer is good for half a second when it is there, and no read longer than that", async () => {
  using bench = new Bench();
  const { key, row } = made();
  const waiting = bench.verify(key);
  bench.nowMs = KNOWN_LATE_MS_MAX - 500;
  await bench.end({ digest: "1", keys: [row] });
  assertEquals((await waiting)?.name, "till");
  bench.nowMs = KNOWN_LATE_MS_MAX;
  assertEquals(bench.refusal(key), "");
  bench.nowMs++;
  const late = bench.verify(key);
  assert(late instanceof Promise);
  await bench.end({ digest: "2", keys: [] });
  await assertRejects(() => late as Promise<unknown>, UnauthenticatedError, "unknown");
});
