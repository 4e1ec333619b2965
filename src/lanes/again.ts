/** What is done again where its connection was lost: reads, and writes that make nothing twice. */
import { DatabaseUnavailableError, OutcomeUnknownError } from "../store/errors.ts";

/** Attempts whose connection is lost each time. */
const LOST_ATTEMPTS_MAX = 3;

/** A read that lost its connection changed nothing and is simply done again. Throws the errors of the store. */
export async function readAgain<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) throw error;
      if (attempt === LOST_ATTEMPTS_MAX) throw new DatabaseUnavailableError(error.message, { cause: error });
    }
  }
}

/**
 * A write that makes nothing twice, done again where its connection was lost. Once it was lost it may have been made,
 * or may still be, so whatever keeps it from an answer then is no proof that it was not. Nor is an answer that
 * `metNobody`, for it wrote nothing that a lost write would have to wait for. Throws the errors of the store.
 */
export async function writeAgain<T>(write: () => Promise<T>, metNobody: (answer: T) => boolean): Promise<T> {
  let lost: OutcomeUnknownError | undefined;
  for (let attempt = 1;; attempt++) {
    try {
      const answer = await write();
      if (lost === undefined || !metNobody(answer)) return answer;
    } catch (error) {
      if (error instanceof OutcomeUnknownError) lost = error;
      else if (lost === undefined) throw error;
      else throw new OutcomeUnknownError(lost.message, { cause: error });
    }
    if (attempt === LOST_ATTEMPTS_MAX) throw lost;
  }
}
