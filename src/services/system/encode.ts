/** What the process says of its callers, as messages. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Identity } from "../../auth/identity.ts";
import { RIGHTS } from "../../auth/rights.ts";
import { VERSION } from "../../base/version.ts";
import type { WhoAmIResponseSchema } from "../../gen/inventory/v1/system_pb.ts";

/** The answer to WhoAmI; undefined: callers are not asked who they are, and may do everything. */
export function whoAmIMessage(identity: Identity | undefined): MessageInitShape<typeof WhoAmIResponseSchema> {
  return {
    name: identity?.name ?? "",
    kind: identity?.kind ?? "",
    rights: RIGHTS.filter((right) => identity?.rights.has(right) ?? true),
    version: VERSION,
  };
}
