/** `deno task pictures`: takes what docs/console.md shows from the pictures that tests in the browser have made. */
import { join } from "node:path";

const PAGE = "docs/console.md";
const TAKEN = "dist/pictures";

if (import.meta.main) {
  const shown = [...(await Deno.readTextFile(PAGE)).matchAll(/\]\((console\/([\w.-]+\.png))\)/g)];
  await Deno.mkdir("docs/console", { recursive: true });
  for (const [, path = "", name = ""] of shown) await Deno.copyFile(join(TAKEN, name), join("docs", path));
  console.log(`${shown.length} pictures taken over`);
}
