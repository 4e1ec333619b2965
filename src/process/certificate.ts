/**
 * The certificate of a process that serves: found usable before anything starts, and taken up anew when it was renewed.
 */
import { type Config, ConfigError } from "../config/config.ts";
import type { FileProblem, KeyPair } from "../tls/key_pair.ts";
import { type FilesRead, Renewal } from "../tls/renewal.ts";
import { readTlsFiles, type TlsFiles } from "../tls/files.ts";
import { type Watch, watchFiles } from "../tls/watch_files.ts";
import type { Log } from "../telemetry/log.ts";

/** Addresses to listen on that nobody asks for by that name, or only on this machine. */
const UNNAMED_HOSTS = new Set(["0.0.0.0", "::", "127.0.0.1", "::1", "localhost"]);

/** A certificate that can serve, where the settings name one. */
export interface OpenedCertificate {
  readonly pair: KeyPair;
  /** When the one in use expires, in ms since 1970. */
  readonly expiresAtMs: number;
  /** Says what is in use, and takes up what the files come to contain. */
  watch(use: (pair: KeyPair) => void, log: Log): Watch;
}

/**
 * Reads the files of the settings; undefined where there are none.
 *
 * @throws ConfigError naming the setting of each file that can't serve, without anything of its content
 */
export async function openCertificate(config: Config): Promise<OpenedCertificate | undefined> {
  const files = config.tlsFiles;
  if (files === undefined) return undefined;
  const hosts = [...(UNNAMED_HOSTS.has(config.host) ? [] : [config.host]), ...config.allowedHosts];
  let last: FilesRead | undefined;
  const read = async () => last = await readTlsFiles(files, Date.now(), hosts, last);
  const say = (problem: FileProblem) => problemText(problem, files);
  const first = await read();
  if ("problems" in first) throw new ConfigError(first.problems.map(say));
  const renewal = new Renewal(first, say);
  return {
    pair: first.pair,
    get expiresAtMs() {
      return renewal.expiresAtMs;
    },
    watch: (use, log) => watchFiles({ renewal, read, use, log }),
  };
}

/** The settings that name the files. */
const SETTING_OF: Readonly<Record<FileProblem["file"], string>> = {
  cert: "TLS_CERT_FILE",
  key: "TLS_KEY_FILE",
  clientCa: "TLS_CLIENT_CA_FILE",
};

function problemText({ file, problem }: FileProblem, files: TlsFiles): string {
  return `${SETTING_OF[file]}: ${problem}, got "${files[file]}"`;
}
