/**
 * The store as the rest of the program sees it: the committed book, and whole changes to it.
 */
import type { Book, Changes, Level } from "../inventory/model.ts";
import { Pool, type PoolOptions } from "./pool.ts";
import { type BookKeys, readBook } from "./read_book.ts";
import { readLevel } from "./read_level.ts";
import { writeChanges } from "./write_changes.ts";

/**
 * Every method ends with its signal and throws the errors of errors.ts.
 */
export interface Store {
  /** The rows of these keys at one moment. */
  readBook(keys: BookKeys, signal: AbortSignal): Promise<Book>;
  /** Commits all changes, or none of them: FenceLostError if a row was changed since the book was read. */
  writeChanges(changes: Changes, signal: AbortSignal): Promise<void>;
  /** The level of a goods that is sold; undefined if there is none. */
  readLevel(goodsId: number, signal: AbortSignal): Promise<Level | undefined>;
  /** Resolves if PostgreSQL answers and the schema is there. */
  ping(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** The store on PostgreSQL. Connects on first use. */
export function createStore(options: PoolOptions): Store {
  const pool = new Pool(options);
  return {
    readBook: (keys, signal) => readBook(pool, keys, signal),
    writeChanges: (changes, signal) => writeChanges(pool, changes, signal),
    readLevel: (goodsId, signal) => readLevel(pool, goodsId, signal),
    ping: async (signal) => {
      await pool.run((sql) => sql`select 1 from stock limit 1`, signal);
    },
    close: () => pool.close(),
  };
}
