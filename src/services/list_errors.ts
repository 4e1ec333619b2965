/** What reads of lists end in, as errors for their callers. */
import { Code } from "@connectrpc/connect";
import { Failure } from "../lanes/failure.ts";
import { ReadTooLongError } from "../lanes/list_reads.ts";
import { detailedError, info } from "../rpc/errors.ts";
import { failureError } from "./refusals.ts";

/** The answer that is made of a read. @throws ConnectError for what the caller can know, the fault itself for others */
export async function answered<T>(answer: () => Promise<T>): Promise<T> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof Failure) throw failureError(error);
    if (!(error instanceof ReadTooLongError)) throw error;
    // Without RetryInfo: the same would take as long again.
    throw detailedError(Code.ResourceExhausted, `${error.message}: narrower filters may do`, [
      info("QUERY_TOO_LONG", {}),
    ]);
  }
}
