/**
 * A transaction block: plain statements on one connection, of which the last one writes.
 *
 *     (none) --begin--> open --the write, and COMMIT right behind it--> ended
 *     open   --anything fails, or nothing was to be written--> ended, by ROLLBACK where the connection is still there
 *     ended  --another statement--> refused: outside of the block it would commit by itself
 *
 * The driver's own `begin` (postgres.js 3.4.9) is not used: a statement of its block whose connection died can run
 * outside the block, or end the process. Here the connection is never dialled again while the block is open, and
 * nothing is sent on one that is known to be lost.
 */
import type postgres from "postgres";
import { invariant } from "../../base/invariant.ts";
import { BlockLostError, OutcomeUnknownError } from "../errors.ts";

/** A statement, given the driver. */
export type Statement<T> = (sql: postgres.Sql) => postgres.PendingQuery<postgres.Row[] & T>;

/**
 * An open block. Statements may be sent without waiting for those before; they run in the sequence in which they were
 * sent.
 */
export interface Block {
  /** Throws the errors of errors.ts; BlockLostError where the connection went away under it. */
  run<T>(statement: Statement<T>): Promise<T>;
  /**
   * Sends the block's one statement that writes, and COMMIT right behind it, which undoes the block if that statement
   * fails. Throws the errors of errors.ts.
   */
  commit<T>(statement: Statement<T>): Promise<void>;
}

/** The connection of a block. */
export interface BlockConnection {
  isLost(): boolean;
  send<T>(statement: Statement<T>): Promise<T>;
  /** The same, but it is never cancelled. */
  write<T>(statement: Statement<T>): Promise<T>;
  /** Sends ROLLBACK; never rejects. */
  undo(): Promise<void>;
}

/** Runs `work` in a block. What it did not commit is undone. Throws what `work` throws, and what BEGIN fails with. */
export async function runBlock<T>(
  { isLost, send, write, undo }: BlockConnection,
  work: (block: Block) => Promise<T>,
): Promise<T> {
  let open = true;
  let sealed = false;
  const assertOpen = () => {
    invariant(!sealed, "a transaction block has ended, and takes no more statements");
    if (isLost()) throw new BlockLostError("the connection was lost before anything was written");
  };
  const run = async <R>(statement: Statement<R>): Promise<R> => {
    assertOpen();
    try {
      return await send(statement);
    } catch (error) {
      throw error instanceof OutcomeUnknownError ? new BlockLostError(error.message, { cause: error }) : error;
    }
  };
  const commit = async <R>(statement: Statement<R>): Promise<void> => {
    // Outside of a block the statement would commit by itself, and what BEGIN failed with would be taken for its
    // answer. BEGIN's answer is there: that to what was read has come behind it.
    await begun;
    assertOpen();
    sealed = true;
    const written = write(statement);
    const committed = write((sql) => sql`commit`).then(() => void (open = false));
    await firstFailure([written, committed]);
  };
  // Not waited for alone: reads behind it do no harm where it fails.
  const begun = run((sql) => sql`begin`);
  try {
    const [, result] = await firstFailure([begun, work({ run, commit })]);
    return result;
  } finally {
    sealed = true;
    if (open && !isLost()) await undo();
  }
}

/** What all of the promises come to, once all are settled; throws what the first of them in the list failed with. */
async function firstFailure<const T extends readonly Promise<unknown>[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return await Promise.all(promises) as { -readonly [K in keyof T]: Awaited<T[K]> };
}
