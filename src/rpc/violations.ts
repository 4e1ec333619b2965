/** The rules that a request breaks, collected, so that its caller sees all of them at once. */
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema } from "../gen/google/rpc/error_details_pb.ts";

/** Broken rules that one answer names, in count and in bytes: they travel in trailers, which some clients bound at 8 KiB. */
const VIOLATIONS_MAX = 50;
const VIOLATIONS_BYTES_MAX = 3_500;
/** What stands around the texts of one. */
const VIOLATION_BYTES = 8;

/** Collects broken rules; `check` throws INVALID_ARGUMENT with all of them. */
export class Violations {
  readonly #found: { field: string; description: string }[] = [];

  /** A field may be named as its caller wrote it; half of a surrogate pair is told as U+FFFD, as no wire has it. */
  add(field: string, description: string): void {
    this.#found.push({ field: field.toWellFormed(), description: description.toWellFormed() });
  }

  /** Throws if a rule was broken; the detail lists the first of them. */
  check(): void {
    const count = this.#found.length;
    if (count === 0) return;
    const [first] = this.#found;
    const more = count > 1 ? `, and ${count - 1} more` : "";
    throw new ConnectError(`${first?.field}: ${first?.description}${more}`, Code.InvalidArgument, undefined, [
      { desc: BadRequestSchema, value: { fieldViolations: named(this.#found) } },
    ]);
  }
}

function named<V extends { field: string; description: string }>(found: readonly V[]): V[] {
  let bytes = 0;
  const end = found.findIndex(({ field, description }) =>
    (bytes += VIOLATION_BYTES + utf8Bytes(field) + utf8Bytes(description)) > VIOLATIONS_BYTES_MAX
  );
  return found.slice(0, Math.min(end === -1 ? found.length : end, VIOLATIONS_MAX));
}

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
