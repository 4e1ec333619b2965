/** Comments of protos as the page of the API shows them. */
import { assertEquals, assertThrows } from "@std/assert";
import { commentLines, method, paragraphs } from "../../tools/docs/api_comments.ts";

Deno.test("a call's comment: what it does, its errors as a table, and whether a retry is safe", () => {
  const comment = ` Takes all lines,
 or none.

 NOT_FOUND: no such goods;
 ErrorInfo names it.
 ABORTED, CANCELED: a | b.
 Retry: safe with an order_id.
 Without one it is not.
`;
  assertEquals(
    method("Service/Call", comment, true),
    [
      "Takes all lines, or none.",
      "",
      "| error | when |",
      "| --- | --- |",
      "| `NOT_FOUND` | no such goods; `ErrorInfo` names it. |",
      "| `ABORTED`, `CANCELED` | a \\| b. |",
      "",
      "**Retry:** safe with an `order_id`. Without one it is not.",
    ].join("\n"),
  );
});

Deno.test("a call without a comment, or one that does not say whether a retry is safe, has no page", () => {
  assertThrows(() => method("Service/Call", "", true), Error, "Service/Call has no comment");
  assertThrows(() => method("Service/Call", " Takes all.\n", true), Error, "whether a retry is safe");
  assertEquals(method("Service/Call", " Takes all.\n", false), "Takes all.");
});

Deno.test("an indented list of codes becomes a table, and the text goes on behind it", () => {
  assertEquals(
    paragraphs(" Errors:\n   ABORTED    busy;\n              retry.\n   INTERNAL   a fault.\n More.\n"),
    "Errors:\n\n| error | when |\n| --- | --- |\n| `ABORTED` | busy; retry. |\n| `INTERNAL` | a fault. |\n\nMore.",
  );
});

Deno.test("so does an indented list of fields and headers", () => {
  assertEquals(
    paragraphs(" Beside it:\n   document_uri   where it stands;\n                  no more.\n   x-actor        who.\n"),
    "Beside it:\n\n| name | meaning |\n| --- | --- |\n| `document_uri` | where it stands; no more. |\n| `x-actor` | who. |",
  );
});

Deno.test("names of fields, constants and messages are code; words, and what is code already, stay", () => {
  assertEquals(
    commentLines(' ShortStock of order_id in PostgreSQL, `goods_id`, google.rpc.Code,\n ABORTED. UUIDv7 "sold_out"\n'),
    '`ShortStock` of `order_id` in PostgreSQL, `goods_id`, `google.rpc.Code`, `ABORTED`. UUIDv7 "sold_out"',
  );
});

Deno.test("a table stays one, with text before and behind it", () => {
  const table = "| a | b |\n| - | - |\n| 1 | 2 |";
  assertEquals(
    paragraphs(` Of them:\n ${table.replaceAll("\n", "\n ")}\n So it is.\n`),
    `Of them:\n\n${table}\n\nSo it is.`,
  );
});
