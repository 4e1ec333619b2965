/** The fields of a message by the keys that JSON may have for them. Pure. */
import type { DescField, DescMessage } from "@bufbuild/protobuf";

/** One field; where it is a message, with the fields of that. */
export interface FieldPlan {
  readonly desc: DescField;
  readonly message: MessagePlan | undefined;
}

/** The schema of one message by the keys that JSON may have for its fields: a field has two spellings. */
export type MessagePlan = Map<string, FieldPlan>;

/**
 * Makes the plan of one type of message, and of those within it.
 *
 * @throws Error for one with maps, or with types that have a JSON form of their own
 */
export function jsonPlan(schema: DescMessage, known = new Map<DescMessage, MessagePlan>()): MessagePlan {
  const found = known.get(schema);
  if (found !== undefined) return found;
  if (schema.file.proto.package === "google.protobuf") {
    throw new Error(`Cannot scan messages with ${schema}: it has a JSON form of its own`);
  }
  const plan: MessagePlan = new Map();
  known.set(schema, plan);
  for (const desc of schema.fields) {
    if (desc.fieldKind === "map") throw new Error(`Cannot scan messages with ${desc}: a map`);
    const field = { desc, message: desc.message === undefined ? undefined : jsonPlan(desc.message, known) };
    plan.set(desc.jsonName, field);
    plan.set(desc.name, field);
  }
  return plan;
}
