/** Where the codes of errors are chosen. */
import { assertEquals } from "@std/assert";
import { sourceFiles, sourceText } from "../support/source_files.ts";

/** Makes a smaller copy of an error that has its code already. */
const COPIES = "src/rpc/trailer_budget.ts";

Deno.test("every error of the rpc room is made in one file, and the transport makes none but for its own refusals", () => {
  const makers = [...sourceFiles("src/rpc/"), ...sourceFiles("src/transport/")].filter((file) =>
    sourceText(file).includes("new ConnectError(")
  );
  assertEquals(makers.sort(), ["src/rpc/errors.ts", COPIES, "src/transport/own_answer.ts"].sort());
});
