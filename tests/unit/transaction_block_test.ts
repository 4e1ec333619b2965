/** A transaction block over a connection whose answers the test gives: what is sent, and what is thrown. */
import { assertEquals, assertRejects } from "@std/assert";
import type postgres from "postgres";
import {
  type Block,
  type BlockConnection,
  runBlock,
  type Statement,
} from "../../src/store/postgres/transaction_block.ts";
import { InvariantError } from "../../src/base/invariant.ts";
import { StatementTimeoutError } from "../../src/store/errors.ts";

/** A driver that makes a statement its own text. */
const TEXT = ((parts: TemplateStringsArray) => parts.join("?")) as unknown as postgres.Sql;

/** A connection that fails at some statements, and stays. */
function connection(failures: Readonly<Record<string, Error>>) {
  const sent: string[] = [];
  const send = <T>(statement: Statement<T>): Promise<T> => {
    const text = String(statement(TEXT));
    sent.push(text);
    const failure = failures[text];
    return failure === undefined ? Promise.resolve([] as T) : Promise.reject(failure);
  };
  const undo = () => send((sql) => sql`rollback`).then(() => {});
  const parts: BlockConnection = { isLost: () => false, send, write: send, undo };
  return { sent, parts };
}

const WORK = async ({ run, commit }: Block) => {
  await run((sql) => sql`read`);
  await commit((sql) => sql`write`);
};

Deno.test("a block reads, and sends its write with COMMIT right behind it", async () => {
  const { sent, parts } = connection({});
  await runBlock(parts, WORK);
  assertEquals(sent, ["begin", "read", "write", "commit"]);
});

Deno.test("a block that did not begin writes nothing: outside of it the write would be committed, and taken for undone", async () => {
  const cancelled = new StatementTimeoutError("57014");
  const { sent, parts } = connection({ begin: cancelled });
  const thrown = await assertRejects(() => runBlock(parts, WORK), StatementTimeoutError);
  assertEquals(thrown, cancelled);
  assertEquals(sent, ["begin", "read", "rollback"]);
});

Deno.test("what fails in a block is undone and thrown, and COMMIT behind a failed write needs no undoing", async () => {
  const failure = new StatementTimeoutError("57014");
  const reads = connection({ read: failure });
  assertEquals(await assertRejects(() => runBlock(reads.parts, WORK)), failure);
  assertEquals(reads.sent, ["begin", "read", "rollback"]);
  const writes = connection({ write: failure });
  assertEquals(await assertRejects(() => runBlock(writes.parts, WORK)), failure);
  assertEquals(writes.sent, ["begin", "read", "write", "commit"]);
});

Deno.test("behind the commit of a block, and behind its end, nothing is sent", async () => {
  const { sent, parts } = connection({});
  let kept: Block | undefined;
  const failure = await assertRejects(() =>
    runBlock(parts, async (block) => {
      kept = block;
      await WORK(block);
      await assertRejects(() => block.run((sql) => sql`read`), InvariantError);
      await block.commit((sql) => sql`write`);
    }), InvariantError);
  assertEquals(failure.message, "a transaction block has ended, and takes no more statements");
  await assertRejects(() => kept!.run((sql) => sql`read`), InvariantError);
  assertEquals(sent, ["begin", "read", "write", "commit"]);
});
