/** Which errors a launcher shows as a sentence, and which with all that is known of them. */
import { ConfigError } from "../src/config/config.ts";

/** A plain Error and a ConfigError are written for the reader. Where any other comes from is worth a look. */
export function isForReader(error: unknown): boolean {
  return error instanceof ConfigError || (error instanceof Error && error.constructor === Error);
}

/** The error's own words. */
export function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
