/** What a busy machine makes too late, which says nothing of what is tested. */

/** As src/store/postgres/primary.ts says it: PostgreSQL may have been there, and its answer was not waited for. */
const TOO_LATE = /^no answer within \d+ ms$/;

/**
 * Does it, and again as long as all that it met was that PostgreSQL let nobody in within the three quarters of a second
 * for which a search is waited for, once it was there before. Every other end is the first one's.
 */
export async function unlessLate<T>(run: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!isLate(error)) throw error;
    }
  }
}

function isLate(error: unknown): boolean {
  return error instanceof Error && (TOO_LATE.test(error.message) || isLate(error.cause));
}
