/**
 * Passwords of PostgreSQL that are replaced or taken back while the store is at work: what stands in the file of its
 * address is taken up by the next log-in, without a restart and without a call that fails, and a refusal is not taken
 * for a server that is away.
 */
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { DatabaseUnavailableError, LogInFailedError, OutcomeUnknownError } from "../../src/store/errors.ts";
import { openDatabaseAccess } from "../../src/store/postgres/access.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { createTestDatabase } from "../support/database.ts";
import { newRole, type Role } from "../support/own_role.ts";
import { applyTo, set } from "../support/apply.ts";
import { NEVER, TEST_LIMITS } from "../support/pool_probe.ts";
import { testEnvironment } from "../support/env.ts";
import { eventually } from "../support/eventually.ts";
import { unlessLate } from "../support/late_answers.ts";

const PASSWORDS = ["first-s3cret", "second-s3cret", "third-s3cret", "fourth-s3cret", "fifth-s3cret"];

const look = (store: Store) => unlessLate(() => store.ping(NEVER));

/** A store on what stands in the role's file now, and all lines that it logs. */
function openStore({ file }: Role): { readonly store: Store; readonly lines: () => string } & AsyncDisposable {
  let lines = "";
  const note = (fields: Record<string, unknown>, message: string) =>
    void (lines += `${JSON.stringify(fields)} ${message}\n`);
  const log = { debug: note, info: note, warn: note, error: note };
  const access = openDatabaseAccess(parsePostgresAddress(Deno.readTextFileSync(file)), file, log);
  const store = createStore({ ...TEST_LIMITS, connectTimeoutMs: 5000, ...access.current, access, log });
  return { store, lines: () => lines, [Symbol.asyncDispose]: () => store.close() };
}

function words(error: unknown): string {
  return error instanceof Error ? `${error.message} ${words(error.cause)}` : "";
}

/** What a call is refused with once no connection is taken any more that was ended and has not heard of it yet. */
async function refusalOf(call: () => Promise<unknown>): Promise<unknown> {
  let refusal: unknown;
  await eventually(async () => {
    refusal = await assertRejects(() => unlessLate(call));
    return !(refusal instanceof OutcomeUnknownError);
  }, "the end of its connections is heard of");
  return refusal;
}

Deno.test("a password is replaced while the store is at work", async (t) => {
  await using database = await createTestDatabase();
  await using role = await newRole(database);
  await role.change(PASSWORDS[0]);
  await role.write(PASSWORDS[0]!);
  await using opened = openStore(role);
  const { store } = opened;

  await t.step("in the file and then in PostgreSQL: no call fails, whichever kind is the first", async () => {
    await applyTo(store, set("first", 1, 10));
    await role.write(PASSWORDS[1]!);
    await role.change(PASSWORDS[1]);
    // None of them finds a connection that lives, and all of them the old password.
    const read = () => unlessLate(() => store.readLevels([1], NEVER));
    await Promise.all([read(), read(), look(store), unlessLate(() => applyTo(store, set("second", 1, 11)))]);

    await using another = openStore(role);
    await look(another.store);
    await role.write(PASSWORDS[2]!);
    await role.change(PASSWORDS[2]);
    await unlessLate(() =>
      another.store.changeUnderRowLocks(
        { stockKeys: [1], orderIds: [], operationIds: [] },
        () => Promise.resolve(undefined),
        NEVER,
      )
    );
  });

  await t.step("of several hosts, where the one that takes writes is looked for", async () => {
    const hosts = { before: "127.0.0.1:1," };
    await role.write(PASSWORDS[2]!, hosts);
    await using another = openStore(role);
    await role.write(PASSWORDS[1]!, hosts);
    await role.change(PASSWORDS[1]);
    await look(another.store);
    await role.change(PASSWORDS[2]);
    const refusal = await refusalOf(() => another.store.ping(NEVER));
    assert(words(refusal).includes("PostgreSQL refuses the log-in (28P01)"), words(refusal));
    await role.write(PASSWORDS[2]!);
  });

  await t.step("in PostgreSQL and then in the file: calls are refused in between, and say why", async () => {
    await eventually(() => store.ping(NEVER).then(() => true, () => false), "it is taken up");
    await role.change(PASSWORDS[3]);
    const refusal = await refusalOf(() => store.readLevels([1], NEVER));
    assertInstanceOf(refusal, LogInFailedError);
    assertEquals(refusal.message, "PostgreSQL refuses the log-in (28P01): user, password or certificate");
    assertInstanceOf(await look(store).catch((error) => error), LogInFailedError);
    await role.write(PASSWORDS[3]!);
    await eventually(() => store.ping(NEVER).then(() => true, () => false), "it is taken up");
    await applyTo(store, set("third", 1, 12));
  });

  await t.step("taken back, and given again", async () => {
    await role.change(undefined);
    const refusal = await refusalOf(() => store.readLevels([1], NEVER));
    assertInstanceOf(refusal, LogInFailedError);
    assert(refusal.message.includes("(28000)"), refusal.message);
    await role.change(PASSWORDS[3]);
    // Who comes right behind a search that found nobody is refused by what that found.
    await eventually(() => store.readLevels([1], NEVER).then(() => true, () => false), "it is let in");
  });

  await t.step("a file that says more than that, or nothing, is said once and changes nothing", async () => {
    await role.write(PASSWORDS[4]!, { host: "127.0.0.2" });
    await role.change(PASSWORDS[4]);
    const refused = async () => assertInstanceOf(await look(store).catch((error) => error), LogInFailedError);
    await eventually(async () => {
      await refused();
      return opened.lines().includes("more has changed than users and passwords, which takes a restart");
    }, "it is said");
    await Deno.remove(role.file);
    await eventually(async () => {
      await refused();
      return opened.lines().includes("DATABASE_URL_FILE: there is no such file");
    }, "it is said");
    await role.write(PASSWORDS[4]!);
    await eventually(() => store.ping(NEVER).then(() => true, () => false), "it is taken up");
    assertEquals(opened.lines().split("can't be read anew").length - 1, 2, opened.lines());
  });

  for (const password of PASSWORDS) assert(!opened.lines().includes(password), "a password was logged");
});

Deno.test("a server that is away is none that refuses", async () => {
  const url = testEnvironment().databaseServerUrl.replace(/:\d+\//, ":1/");
  const store = createStore({ ...TEST_LIMITS, address: parsePostgresAddress(url) });
  const error = await store.ping(NEVER).catch((error) => error);
  assert(error instanceof DatabaseUnavailableError && !(error instanceof LogInFailedError), words(error));
  await store.close();
});
