/** Why operations were refused or failed, as messages. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RefusalCountSchema } from "../gen/inventory/v1/query_pb.ts";
import type { LanesTallies } from "../lanes/tallies.ts";

/** The reasons that there were, and how often, since the process started. */
export function refusalCounts(
  { reasons }: Pick<LanesTallies, "reasons">,
): MessageInitShape<typeof RefusalCountSchema>[] {
  return Object.entries(reasons.counts).filter(([, count]) => count > 0)
    .map(([reason, count]) => ({ reason, count: BigInt(count) }));
}
