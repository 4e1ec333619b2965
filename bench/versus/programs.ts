/** What a comparison needs beside PostgreSQL and Redis: Go with its libraries, protoc, and h2load. */
import type { Log } from "../../src/telemetry/log.ts";
import { aptInstall } from "../../tools/stack/apt.ts";
import { findProgram } from "../../tools/stack/programs.ts";

/** Where Debian's packages put libraries of Go. */
export const GO_LIBRARIES = "/usr/share/gocode";

/** Debian's packages, by what shows that they are there: a program on PATH, or a library of Go. */
const PACKAGES = {
  go: "golang-go",
  protoc: "protobuf-compiler",
  "protoc-gen-go": "golang-goprotobuf-dev",
  h2load: "nghttp2-client",
  "google.golang.org/grpc": "golang-google-grpc-dev",
  "github.com/lib/pq": "golang-github-lib-pq-dev",
  "github.com/gomodule/redigo": "golang-github-gomodule-redigo-dev",
} as const;
type Name = keyof typeof PACKAGES;

/** Full paths of the programs. */
export interface VersusPrograms {
  readonly go: string;
  readonly protoc: string;
  readonly h2load: string;
}

/**
 * Finds them, and brings in what is missing.
 *
 * @throws Error that says what is missing and how to install it
 */
export async function bringVersusPrograms(log: Log): Promise<VersusPrograms> {
  await bring(Object.keys(PACKAGES) as Name[], log);
  return { go: programOf("go"), protoc: programOf("protoc"), h2load: programOf("h2load") };
}

/** The same for h2load alone, with its path. */
export async function bringH2load(log: Log): Promise<string> {
  await bring(["h2load"], log);
  return programOf("h2load");
}

async function bring(names: readonly Name[], log: Log): Promise<void> {
  const missing = names.filter((name) => !isThere(name)).map((name) => PACKAGES[name]);
  if (missing.length > 0) await aptInstall(missing, log);
}

function programOf(name: Name): string {
  const path = findProgram(name);
  if (path !== undefined) return path;
  throw new Error(`${name} is missing, and is in no package of apt: install it (Debian's is ${PACKAGES[name]})`);
}

function isThere(name: string): boolean {
  if (!name.includes("/")) return findProgram(name) !== undefined;
  try {
    return Deno.statSync(`${GO_LIBRARIES}/src/${name}`).isDirectory;
  } catch {
    return false;
  }
}
