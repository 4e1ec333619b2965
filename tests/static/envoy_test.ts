/** deploy/envoy/envoy.yaml, which no test can run: it is read as Envoy reads it, by the descriptors of its settings. */
import { assert, assertEquals } from "@std/assert";
import { createFileRegistry, fromBinary, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { gunzipSync } from "node:zlib";
import { parse } from "yaml";
import { HEARTBEAT_MS } from "../../src/watch/events.ts";
import { sourceText } from "../support/source_files.ts";

const TEXT = sourceText("deploy/envoy/envoy.yaml");
const SET = Deno.readFileSync(new URL("../support/envoy/descriptors.binpb.gz", import.meta.url));
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, gunzipSync(SET)));

/** What is wrong with the text as settings of Envoy; undefined: nothing. */
function problemOf(text: string): string | undefined {
  try {
    fromJson(registry.getMessage("envoy.config.bootstrap.v3.Bootstrap")!, parse(text) as JsonValue, { registry });
  } catch (error) {
    return (error as Error).message;
  }
}

Deno.test("envoy: each field is one that Envoy has, with a value that it takes", () => {
  assertEquals(problemOf(TEXT), undefined);
});

Deno.test("envoy: the check finds a field, a value and a type that there are not", () => {
  const wrong: Readonly<Record<string, string>> = {
    "stream_idle_timeout:": "stream_idle_timout:",
    "timeout: 0s": "timeout: never",
    "LEAST_REQUEST": "LEAST",
    "v3.Router": "v3.Rooter",
    "{ path: /readyz }": "{ paht: /readyz }",
  };
  for (const [from, to] of Object.entries(wrong)) {
    assert(TEXT.includes(from) && problemOf(TEXT.replace(from, to)) !== undefined, from);
  }
});

Deno.test("envoy: streams are passed on as they come, callers are known, and who asks is not for them to say", () => {
  const { static_resources: { listeners: [listener], clusters: [cluster] } } = parse(TEXT);
  const [{ transport_socket, filters: [{ typed_config: http }] }] = listener.filter_chains;
  const [{ route }] = http.route_config.virtual_hosts[0].routes;
  assertEquals(transport_socket.typed_config.common_tls_context.alpn_protocols, ["h2", "http/1.1"]);
  assertEquals([http.use_remote_address, http.route_config.request_headers_to_remove], [true, ["x-holdfast-actor"]]);
  assertEquals(http.http_filters.map(({ name }: { name: string }) => name), ["envoy.filters.http.router"]);
  assertEquals([route.timeout, route.cluster], ["0s", cluster.name]);
  assert(parseFloat(http.stream_idle_timeout) * 1000 > HEARTBEAT_MS);
  const [{ explicit_http_config }] = Object.values(cluster.typed_extension_protocol_options) as [
    { explicit_http_config: unknown },
  ];
  assertEquals(explicit_http_config, { http2_protocol_options: {} });
  assertEquals(cluster.health_checks[0].http_health_check, { path: "/readyz" });
});
