/** How answers are written as JSON. */
import { createRegistry } from "@bufbuild/protobuf";
import { file_google_rpc_error_details } from "../gen/google/rpc/error_details_pb.ts";
import { file_inventory_v1_inventory } from "../gen/inventory/v1/inventory_pb.ts";

/** The files with the messages that details of errors are, of which answers carry some as `google.protobuf.Any`. */
export const DETAIL_FILES = [file_google_rpc_error_details, file_inventory_v1_inventory] as const;

/**
 * A quantity of 0 is an answer, so JSON shows it. Without the registry the details in the verdicts of a batch could not
 * be written at all.
 */
export const ANSWER_JSON = { alwaysEmitImplicit: true, registry: createRegistry(...DETAIL_FILES) } as const;
