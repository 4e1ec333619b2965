/** The slips that are planted by hand: each must still have its place, and the tests that are to notice it. */
import { assert } from "@std/assert";
import { plant } from "../../tools/mutants/plant.ts";
import { SLIPS } from "../../tools/mutants/slips.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("every slip can be planted, and its tests are there", async () => {
  const problems: string[] = [];
  for (const slip of SLIPS) {
    const planted = plant(await Deno.readTextFile(new URL(slip.file, ROOT)), slip);
    if ("notPlanted" in planted) problems.push(`${slip.file}, "${slip.rule}": ${planted.notPlanted}`);
    for (const test of slip.tests) await Deno.stat(new URL(test, ROOT));
  }
  assert(problems.length === 0, problems.join("\n"));
});
