/** What reads, and writes that are none of stock, end in, as errors for their callers. */
import { Code } from "@connectrpc/connect";
import { Failure, failureOf } from "../lanes/failure.ts";
import { ReadTooLongError } from "../lanes/list_reads.ts";
import { detailedError, info } from "../rpc/errors.ts";
import { failureError } from "./refusals.ts";

/** The answer that is made of a read. Rejects as {@link throwReadError} throws. */
export async function answered<T>(answer: () => Promise<T>): Promise<T> {
  try {
    return await answer();
  } catch (error) {
    throwReadError(error);
  }
}

/** @throws ConnectError for what the caller can know, the fault itself for others */
export function throwReadError(error: unknown): never {
  const failure = failureOf(error);
  if (failure instanceof Failure) throw failureError(failure);
  if (!(failure instanceof ReadTooLongError)) throw failure;
  // Without RetryInfo: the same would take as long again.
  throw detailedError(Code.ResourceExhausted, `${failure.message}: narrower filters may do`, [
    info("QUERY_TOO_LONG", {}),
  ]);
}
