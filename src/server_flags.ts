/** The flags that the server is started with: what its settings need, one by one and no wider. */
import { type Config, SETTING_NAMES } from "./config.ts";
import { neededPermissions } from "./permissions.ts";

/** The flags for `deno run`, to stand before `src/main.ts`. */
export function serverFlags(config: Config): string[] {
  const { net, read } = neededPermissions(config);
  return [
    "--no-prompt",
    `--allow-net=${net.join(",")}`,
    "--allow-sys=hostname",
    ...(read.length === 0 ? [] : [`--allow-read=${read.join(",")}`]),
    `--allow-env=${SETTING_NAMES.join(",")}`,
    // Libraries that look through the whole environment then see the named variables only, and do not fail.
    "--ignore-env",
  ];
}
