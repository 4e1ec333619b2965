/** What `deno task up` may be asked for on its command line. */

/** All of it off where nobody asks. */
export interface UpOptions {
  /** A shop with weeks of history, and a gentle load on it. */
  readonly demo: boolean;
  /** HTTP/2 over TLS, by a certificate of its own making. */
  readonly tls: boolean;
}

/**
 * The database that `up` makes and serves. The demo shop has one of its own: what is in a ledger is never taken out,
 * and whoever looks at the demo where a shop of their own is must not find thousands of goods in it ever after.
 */
export function databaseOf({ demo }: Pick<UpOptions, "demo">): string {
  return demo ? "holdfast_demo" : "holdfast";
}

/** Is not called as it should be; the message says what was expected. */
export class UsageError extends Error {}

/** For whoever asks for something else. */
export const USAGE = `Usage: deno task up [--demo] [--tls]

  --demo  fills a shop, once (goods with skus, three locations, holds, orders, weeks of history), in a database beside
          that of your own, and then sells, reserves and restocks in it, some calls a second, until it is stopped
  --tls   speaks TLS (gRPC and HTTP/2, and HTTP/1.1) with a certificate that it makes and keeps under DATA_DIR

Settings come from the environment, see docs/settings.md.`;

/** @throws UsageError that names the arguments which are no options */
export function upOptions(args: readonly string[]): UpOptions {
  const given = new Set(args.filter((arg) => arg !== "--"));
  const options = { demo: given.delete("--demo"), tls: given.delete("--tls") };
  if (given.size > 0) throw new UsageError(`expected --demo, --tls or nothing, got ${[...given].join(" ")}`);
  return options;
}

/**
 * Looks whether the settings leave room for what is asked for.
 *
 * @throws Error naming the option and the setting that do not go together
 */
export function checkOptions({ demo, tls }: UpOptions, get: (setting: string) => string | undefined): void {
  const against = (option: string, settings: readonly string[], why: string) => {
    const set = settings.find((setting) => !["", "none"].includes(get(setting) ?? ""));
    if (set !== undefined) throw new Error(`${option} does not go with ${set}: ${why}`);
  };
  if (demo) {
    against("--demo", ["DATABASE_URL", "DATABASE_URL_FILE"], "it fills a database that `up` brings, and no other");
    against("--demo", ["AUTH"], "its load has no credentials");
  }
  if (tls) {
    const why = "with a certificate of your own the port speaks TLS already";
    against("--tls", ["TLS_CERT_FILE", "TLS_KEY_FILE"], why);
  }
}
