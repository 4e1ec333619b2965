/** What every process of ours does first: it looks at the runtime, then reads the settings, and says what is wrong. */
import { type Config, ConfigError, loadConfig } from "../config/config.ts";
import { refusedDenoVersion } from "./deno_version.ts";
import { refuse } from "./exit_codes.ts";

/** The settings of the environment. Ends the process, with a message, where the runtime or the settings don't do. */
export function startSettings(): Config {
  const refusal = refusedDenoVersion(Deno.version.deno);
  if (refusal !== undefined) refuse(refusal);
  try {
    return loadConfig((name) => Deno.env.get(name));
  } catch (error) {
    if (error instanceof ConfigError) refuse(error.message);
    throw error;
  }
}
