/**
 * `deno task docs`: writes the pages that are made from code. The gate makes them once more and compares
 * (tools/gate/generated.ts).
 */
import { generatedPages } from "./pages.ts";

for (const [path, text] of await generatedPages()) await Deno.writeTextFile(path, text);
