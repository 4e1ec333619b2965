/** gRPC reflection, both versions, over the in-memory transport: what can be asked for, and what comes with it. */
import { assert, assertEquals, assertExists, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { create, createFileRegistry, type DescFile, type DescService, fromBinary } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { inventory } from "../../src/gen/article/inventory_pb.ts";
import { ServerReflection, type ServerReflectionResponse } from "../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../src/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { Health } from "../../src/gen/health/v1/health_pb.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import {
  REFLECTION_REQUEST_BYTES_MAX,
  REFLECTION_REQUESTS_MAX,
  REFLECTION_STREAMS_MAX,
  reflectionModules,
} from "../../src/services/reflection/service.ts";
import { addServices } from "../../src/services/service_module.ts";

type Response = ServerReflectionResponse["messageResponse"];
type Question =
  | { case: "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType" | "listServices"; value: string }
  | { case: "fileContainingExtension"; value: { containingType: string; extensionNumber: number } }
  | { case: undefined };
type Ask = (...questions: Question[]) => Promise<Response[]>;

const SERVED = [InventoryService, inventory, Health];
const NOT_FOUND = { code: Code.NotFound };

/** One stream per call: asks all questions and collects the answers, with the version of the protocol that is named. */
function asker(
  version: "v1" | "v1alpha",
  services: readonly DescService[],
  files: readonly DescFile[] = [],
): Ask {
  const transport = createRouterTransport((router) =>
    addServices(router, reflectionModules({ listed: services, files }))
  );
  const v1 = createClient(ServerReflection, transport);
  const v1alpha = createClient(ServerReflectionAlpha, transport);
  return async (...questions) => {
    const requests = questions.map((messageRequest) => ({ host: "shop", messageRequest }));
    const stream = version === "v1"
      ? v1.serverReflectionInfo(iterate(requests))
      : v1alpha.serverReflectionInfo(iterate(requests));
    const answers: Response[] = [];
    for await (const { validHost, originalRequest, messageResponse } of stream) {
      assertEquals(validHost, "shop");
      assertEquals(originalRequest?.messageRequest.case, questions[answers.length]?.case);
      answers.push(messageResponse as Response);
    }
    return answers;
  };
}

async function* iterate<T>(items: T[]): AsyncGenerator<T> {
  yield* items;
}

/** The files of an answer; for an error its code, so that one comparison distinguishes both. */
function filesIn(answer: Response | undefined): FileDescriptorProto[] | { code: number } {
  if (answer?.case === "errorResponse") return { code: answer.value.errorCode };
  assert(answer?.case === "fileDescriptorResponse", `unexpected answer: ${answer?.case}`);
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

function namesIn(answer: Response | undefined): string[] | { code: number } {
  const files = filesIn(answer);
  return Array.isArray(files) ? files.map(({ name }) => name) : files;
}

function symbol(value: string): Question {
  return { case: "fileContainingSymbol", value };
}

for (const version of ["v1", "v1alpha"] as const) {
  const ask = asker(version, SERVED);

  Deno.test(`${version} lists each service once, reflection itself too`, async () => {
    const [answer] = await asker(version, [...SERVED, Health])({ case: "listServices", value: "*" });
    assert(answer?.case === "listServicesResponse");
    assertEquals(answer.value.service.map(({ name }) => name), [
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "inventory",
      "inventory.v1.InventoryService",
    ]);
  });

  Deno.test(`${version} keeps the service "inventory" and the package "inventory.v1" apart`, async () => {
    const [root, method, packaged, packageName] = await ask(
      symbol("inventory"),
      symbol("inventory.Sell"),
      symbol("inventory.v1.InventoryService"),
      symbol("inventory.v1"),
    );
    assertEquals(namesIn(root), ["inventory.proto"]);
    assertEquals(namesIn(method), ["inventory.proto"]);
    assertEquals(namesIn(packaged), [
      "inventory/v1/inventory.proto",
      "google/protobuf/timestamp.proto",
      "google/rpc/status.proto",
      "google/protobuf/any.proto",
    ]);
    assertEquals(namesIn(packageName), NOT_FOUND);
  });

  Deno.test(`${version} goes on after an error, whatever was unknown`, async () => {
    const answers = await ask(
      symbol("inventory.v1.Nobody"),
      symbol(""),
      symbol("constructor"),
      { case: "fileByFilename", value: "inventory/v2/inventory.proto" },
      { case: "fileContainingExtension", value: { containingType: "inventory.v1.Line", extensionNumber: 1 } },
      { case: "allExtensionNumbersOfType", value: "inventory.v1.Nobody" },
      { case: undefined },
      { case: "fileByFilename", value: "inventory.proto" },
    );
    assertEquals(answers.slice(0, 6).map(namesIn), Array(6).fill(NOT_FOUND));
    assertEquals(answers.slice(6).map(namesIn), [{ code: Code.Unimplemented }, ["inventory.proto"]]);
  });
}

Deno.test("each kind of symbol leads to its file", async () => {
  const health = "health/v1/health.proto";
  const kinds: [string, string][] = [
    ["grpc.health.v1.Health", health],
    ["grpc.health.v1.Health.Check", health],
    ["grpc.health.v1.HealthCheckResponse", health],
    ["grpc.health.v1.HealthCheckResponse.status", health],
    ["grpc.health.v1.HealthCheckResponse.ServingStatus", health],
    ["grpc.health.v1.HealthCheckResponse.NOT_SERVING", health],
    ["SellInfo", "inventory.proto"],
    ["SellInfo.orderId", "inventory.proto"],
    ["google.protobuf.Timestamp", "google/protobuf/timestamp.proto"],
    ["grpc.reflection.v1.ServerReflectionRequest.message_request", "grpc/reflection/v1/reflection.proto"],
  ];
  const answers = await asker("v1", SERVED)(...kinds.map(([name]) => symbol(name)));
  const found = answers.map(namesIn).map((names, i) => [kinds[i]?.[0], Array.isArray(names) ? names[0] : names]);
  assertEquals(found, kinds);
});

Deno.test("files that no service names are found when they are given, with what they import", async () => {
  const base = fileOf({ name: "base.proto" });
  const detail = fileOf({ name: "detail.proto", dependency: ["base.proto"], messageType: [{ name: "Detail" }] }, base);
  const service = serviceOf(fileOf({ name: "service.proto", service: [{ name: "Service" }] }));
  assertEquals(namesIn((await asker("v1", [service])(symbol("Detail")))[0]), NOT_FOUND);
  const [found, services] = await asker("v1", [service], [detail])(symbol("Detail"), {
    case: "listServices",
    value: "",
  });
  assertEquals(namesIn(found), ["detail.proto", "base.proto"]);
  assert(services?.case === "listServicesResponse");
  assertEquals(services.value.service.map(({ name }) => name).at(0), "Service");
});

Deno.test("one answer is enough to build the service: methods, types and all", async () => {
  const [answer] = await asker("v1", SERVED)(symbol(InventoryService.typeName));
  const files = filesIn(answer);
  assertInstanceOf(files, Array);
  // Only the importing order differs from what a registry wants.
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: files.reverse() }));
  const methods = registry.getService(InventoryService.typeName)?.methods.map((method) => method.toString());
  assertEquals(methods, InventoryService.methods.map((method) => method.toString()));
});

Deno.test("extensions are found by extended message and number, nested ones too", async () => {
  const ask = asker("v1", [serviceOf(extended())]);
  const [one, nested, other, numbers, none, name, deep] = await ask(
    { case: "fileContainingExtension", value: { containingType: "shop.Open", extensionNumber: 100 } },
    { case: "fileContainingExtension", value: { containingType: "shop.Open", extensionNumber: 101 } },
    { case: "fileContainingExtension", value: { containingType: "shop.Open", extensionNumber: 102 } },
    { case: "allExtensionNumbersOfType", value: "shop.Open" },
    { case: "allExtensionNumbersOfType", value: "shop.Closed" },
    symbol("shop.Closed.nested_extension"),
    symbol("shop.Closed.Inner.Innermost"),
  );
  assertEquals([one, nested, name, deep].map(namesIn), Array(4).fill(["extended.proto"]));
  assertEquals(namesIn(other), NOT_FOUND);
  assert(numbers?.case === "allExtensionNumbersResponse" && none?.case === "allExtensionNumbersResponse");
  assertEquals(numbers.value.baseTypeName, "shop.Open");
  assertEquals([numbers.value.extensionNumber, none.value.extensionNumber], [[100, 101], []]);
});

Deno.test("an answer carries the file first, and each of its dependencies once a stream", async () => {
  const base = fileOf({ name: "base.proto" });
  const left = fileOf({ name: "left.proto", dependency: ["base.proto"] }, base);
  const right = fileOf({ name: "right.proto", dependency: ["base.proto"] }, base);
  const top = fileOf(
    {
      name: "top.proto",
      dependency: ["left.proto", "right.proto"],
      service: [{ name: "Top" }],
    },
    left,
    right,
  );
  const ask = asker("v1", [serviceOf(top)]);
  const byName: Question = { case: "fileByFilename", value: "left.proto" };
  const [part, whole, again] = await ask(byName, symbol("Top"), byName);
  assertEquals(namesIn(part), ["left.proto", "base.proto"]);
  // What this stream has sent before is left out, unless it is the very file that is asked for.
  assertEquals(namesIn(whole), ["top.proto", "right.proto"]);
  assertEquals(namesIn(again), ["left.proto"]);
  const [fresh] = await ask(symbol("Top"));
  assertEquals(namesIn(fresh), ["top.proto", "left.proto", "right.proto", "base.proto"]);
});

Deno.test("a stream of more than REFLECTION_REQUESTS_MAX requests ends in RESOURCE_EXHAUSTED", async () => {
  const ask = asker("v1", []);
  const question = symbol("grpc.reflection.v1.Nobody");
  const most = Array<Question>(REFLECTION_REQUESTS_MAX).fill(question);
  assertEquals((await ask(...most)).length, REFLECTION_REQUESTS_MAX);
  const error = await assertRejects(() => ask(...most, question), ConnectError);
  assertEquals(error.code, Code.ResourceExhausted);
});

Deno.test("a request longer than REFLECTION_REQUEST_BYTES_MAX is RESOURCE_EXHAUSTED", async () => {
  const ask = asker("v1", []);
  const error = await assertRejects(() => ask(symbol("s".repeat(REFLECTION_REQUEST_BYTES_MAX))), ConnectError);
  assertEquals(error.code, Code.ResourceExhausted);
});

Deno.test("a stream past REFLECTION_STREAMS_MAX is RESOURCE_EXHAUSTED until another ends", async () => {
  const transport = createRouterTransport((router) => addServices(router, reflectionModules({ listed: [] })));
  const v1 = createClient(ServerReflection, transport);
  const v1alpha = createClient(ServerReflectionAlpha, transport);
  const list = { messageRequest: { case: "listServices" as const, value: "" } };
  const end = Promise.withResolvers<void>();
  async function* waiting() {
    yield list;
    await end.promise;
  }
  const open = Array.from({ length: REFLECTION_STREAMS_MAX }, (_, i) => {
    const stream = i % 2 === 0 ? v1.serverReflectionInfo(waiting()) : v1alpha.serverReflectionInfo(waiting());
    return stream[Symbol.asyncIterator]();
  });
  for (const stream of open) assertEquals((await stream.next()).done, false);
  const oneMore = () => v1.serverReflectionInfo(iterate([list]))[Symbol.asyncIterator]().next();
  assertEquals((await assertRejects(oneMore, ConnectError)).code, Code.ResourceExhausted);
  end.resolve();
  for (const stream of open) assertEquals((await stream.next()).done, true);
  assertEquals((await oneMore()).done, false);
});

Deno.test("reflection refuses two files with one name, and two with one symbol", () => {
  const first = fileOf({ name: "a.proto", service: [{ name: "A" }] });
  const sameFile = fileOf({ name: "a.proto", service: [{ name: "B" }] });
  const sameSymbol = fileOf({ name: "b.proto", service: [{ name: "A" }] });
  for (const [other, name] of [[sameFile, "a.proto"], [sameSymbol, "A"]] as const) {
    const services = [serviceOf(first), serviceOf(other)];
    assertThrows(() => reflectionModules({ listed: services }), Error, `"${name}" is declared twice`);
  }
});

type FileInit = Parameters<typeof create<typeof FileDescriptorProtoSchema>>[1];

function fileOf(init: FileInit, ...dependencies: DescFile[]): DescFile {
  const proto = create(FileDescriptorProtoSchema, { syntax: "proto2", ...init });
  const file = createFileRegistry(proto, (name) => dependencies.find((file) => file.proto.name === name))
    .getFile(proto.name);
  assertExists(file);
  return file;
}

function serviceOf(file: DescFile): DescService {
  const [service] = file.services;
  assertExists(service);
  return service;
}

/** A proto2 file with a message that can be extended, and two extensions of it. */
function extended(): DescFile {
  const extension = { type: Type.INT32, label: Label.OPTIONAL, extendee: ".shop.Open" };
  return fileOf({
    name: "extended.proto",
    package: "shop",
    messageType: [
      { name: "Open", extensionRange: [{ start: 100, end: 200 }] },
      {
        name: "Closed",
        extension: [{ name: "nested_extension", number: 101, ...extension }],
        nestedType: [{ name: "Inner", nestedType: [{ name: "Innermost" }] }],
      },
    ],
    extension: [{ name: "extension", number: 100, ...extension }],
    service: [{ name: "Shop" }],
  });
}
