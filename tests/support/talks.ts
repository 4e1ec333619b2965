/**
 * Programs in other languages that talk with the service: their sources are in tests/clients/talks, and how they
 * connect is a block of docs/clients.md. Each is built into a directory of its own and prints a line for each step.
 */
import { join } from "node:path";
import type { Interceptor } from "@connectrpc/connect";
import { clientProgram } from "./client_programs.ts";
import { docBlock } from "./clients_doc.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const TALKS = join(ROOT, "tests/clients/talks");
const PROTOS = ["proto", "node_modules/google-proto-files", "node_modules/grpc-health-check/proto"];
const OWN_PROTO = "inventory/v1/inventory.proto";
const RUN_MS_MAX = 150_000;
/** For programs that run for a moment: what is compiled best and collected beside it pays only in longer ones. */
const JAVA_FLAGS = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];

/** A program that is ready to be run with the arguments of a talk. */
export interface Talk {
  run(args: readonly string[]): Promise<string[]>;
}

/** grpcio. Throws, like the others, with the words of what failed. */
export async function python(dir: string): Promise<Talk> {
  await lines("sh", ["-euc", docBlock("stubs.sh", { stubs: dir, "protoc -I": `${clientProgram("protoc")} -I` })]);
  await protoc(
    "--plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin",
    `--grpc_out=${dir}`,
    `--python_out=${dir}`,
    "health/v1/health.proto",
  );
  await Deno.writeTextFile(join(dir, "connect.py"), docBlock("connect.py"));
  await Deno.writeTextFile(join(dir, "watch.py"), docBlock("watch.py"));
  await Deno.copyFile(join(TALKS, "talk.py"), join(dir, "talk.py"));
  return {
    run: (args) =>
      lines(clientProgram("python"), [join(dir, "talk.py"), ...args], { env: { PYTHONDONTWRITEBYTECODE: "1" } }),
  };
}

/** grpc-js, in a directory with the contracts and packages beside it, as a shop's service has them. */
export async function node(dir: string): Promise<Talk> {
  await lines("sh", ["-c", 'ln -s "$@"', "ln", join(ROOT, "proto"), join(ROOT, "node_modules"), dir]);
  await Deno.writeTextFile(join(dir, "connect.mjs"), docBlock("connect.mjs"));
  await Deno.writeTextFile(join(dir, "watch.mjs"), watchSource());
  await Deno.copyFile(join(TALKS, "talk.mjs"), join(dir, "talk.mjs"));
  return { run: (args) => lines(clientProgram("node"), ["talk.mjs", ...args], { cwd: dir }) };
}

/** grpc-go. */
export async function go(dir: string): Promise<Talk> {
  const sources = join(dir, "src/talk");
  await Deno.mkdir(sources, { recursive: true });
  // Debian's protoc-gen-go is older than where newer ones keep these.
  const known = "github.com/golang/protobuf/ptypes";
  const packages = `Mgoogle/rpc/status.proto=google.golang.org/genproto/googleapis/rpc/status,` +
    `Mgoogle/protobuf/timestamp.proto=${known}/timestamp,Mgoogle/protobuf/any.proto=${known}/any`;
  await protoc(`--go_out=plugins=grpc,${packages}:${join(dir, "src")}`, OWN_PROTO);
  await Deno.writeTextFile(join(sources, "connect.go"), docBlock("connect.go"));
  await Deno.copyFile(join(TALKS, "talk.go"), join(sources, "talk.go"));
  // Go finds libraries that it compiled before in its own cache, by what they were made of: 8 of the 9 s of CPU.
  const env = { GO111MODULE: "off", GOPATH: `${dir}:/usr/share/gocode`, GOFLAGS: "" };
  await lines(clientProgram("go"), ["build", "-o", join(dir, "talk"), "talk"], { env });
  return {
    run: (args) => lines("sh", ["-c", 'exec "$0" "$@"', join(dir, "talk"), ...args], { env: { GRPC_GO_RETRY: "on" } }),
  };
}

/** grpc++. */
export async function cpp(dir: string): Promise<Talk> {
  const protos = [OWN_PROTO, "health/v1/health.proto", "google/rpc/status.proto"];
  await protoc(
    "--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin",
    `--grpc_out=${dir}`,
    `--cpp_out=${dir}`,
    ...protos,
  );
  await Deno.writeTextFile(join(dir, "connect.h"), docBlock("connect.h"));
  await Deno.copyFile(join(TALKS, "talk.cc"), join(dir, "talk.cc"));
  // All of it is compiled as one: the libraries' large headers are most of the time. What is made of each contract has
  // two names that the others have as well.
  const own = ["talk.cc", "inventory/v1/inventory.grpc.pb.cc", "health/v1/health.grpc.pb.cc"];
  const made = protos.map((proto) => proto.replace(/proto$/, "pb.cc"));
  const all = [
    ...own.map((name) => `#include "${name}"`),
    ...made.flatMap((name, i) => [
      ...["schemas", "file_default_instances"].flatMap((same) => [`#undef ${same}`, `#define ${same} ${same}_${i}`]),
      `#include "${name}"`,
    ]),
  ];
  await Deno.writeTextFile(join(dir, "all.cc"), all.map((line) => `${line}\n`).join(""));
  const command = `"$0" -std=c++17 -O0 -I. all.cc -o talk $(pkg-config --libs grpc++ protobuf)`;
  await lines("sh", ["-c", command, clientProgram("g++")], { cwd: dir });
  return { run: (args) => lines("sh", ["-c", 'exec ./talk "$@"', "talk", ...args], { cwd: dir }) };
}

/** grpc-java. */
export async function java(dir: string): Promise<Talk> {
  const protos = [OWN_PROTO, "health/v1/health.proto", "google/rpc/status.proto"];
  await protoc(
    "--plugin=protoc-gen-grpc=/usr/bin/grpc_java_plugin",
    `--grpc_out=${dir}`,
    `--java_out=${dir}`,
    ...protos,
  );
  await Deno.writeTextFile(join(dir, "Connect.java"), docBlock("Connect.java"));
  await Deno.copyFile(join(TALKS, "Talk.java"), join(dir, "Talk.java"));
  const classes = ".:/usr/share/java/*";
  const forCompiler = JAVA_FLAGS.map((flag) => `-J${flag}`).join(" ");
  const compile = `"$0" ${forCompiler} -proc:none -nowarn -cp "${classes}" -d . $(find . -name "*.java")`;
  await lines("sh", ["-c", compile, clientProgram("javac")], { cwd: dir });
  const run = [...JAVA_FLAGS, "-cp", classes, "Talk"];
  return { run: (args) => lines(clientProgram("java"), [...run, ...args], { cwd: dir }) };
}

/** How pages and Node watch. */
export async function watchModule(): Promise<{
  watch(method: unknown, request: object, take: (message: never) => unknown, options: object): Promise<void>;
}> {
  return await docModule("watch.js", watchSource());
}

/** How clients name the goods of their calls. */
export async function goodsModule(): Promise<{ readonly namesGoods: Interceptor }> {
  return await docModule("goods.js", docBlock("goods.js"));
}

function watchSource(): string {
  return docBlock("watch.js");
}

async function docModule<T>(name: string, text: string): Promise<T> {
  const path = join(await Deno.makeTempDir(), name);
  await Deno.writeTextFile(path, text);
  return await import(`file://${path}`);
}

/** The contracts as a FileDescriptorSet, for what reads them at run time. */
export async function descriptors(): Promise<Uint8Array<ArrayBuffer>> {
  const path = await Deno.makeTempFile();
  const protos = [OWN_PROTO, "health/v1/health.proto", "google/rpc/status.proto"];
  await protoc("--include_imports", `--descriptor_set_out=${path}`, ...protos);
  return await Deno.readFile(path);
}

async function protoc(...args: string[]): Promise<void> {
  await lines(clientProgram("protoc"), [...PROTOS.map((path) => `-I${join(ROOT, path)}`), ...args]);
}

/** What a program prints, line by line. Throws with all that it said where it fails. */
async function lines(
  program: string,
  args: readonly string[],
  { env = {}, cwd = ROOT }: { env?: Record<string, string>; cwd?: string } = {},
): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env,
    cwd,
    stdin: "null",
    signal: AbortSignal.timeout(RUN_MS_MAX),
  }).output();
  const said = new TextDecoder().decode(stdout);
  if (!success) throw new Error(`${program} ${args.join(" ")} failed: ${said}${new TextDecoder().decode(stderr)}`);
  return said.split("\n").filter((line) => line !== "");
}
