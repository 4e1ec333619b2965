/**
 * deploy/kubernetes without a cluster: it is built as kustomize does, and compared with the schemas of Kubernetes, with
 * the settings, with what the program is permitted, and with itself.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/config.ts";
import { STOP_MS_MAX } from "../../src/config/stop_times.ts";
import { CONSOLE_DIR } from "../../src/config/console_dir.ts";
import { serverFlags } from "../../src/config/flags.ts";
import { SETTING_NAMES } from "../../src/config/settings.ts";
import { EXIT_UNUSABLE } from "../../src/process/exit_codes.ts";
import { LOCK_RULES, REDIS_USER } from "../../tools/stack/redis_users.ts";
import { schemaProblems } from "../support/kubernetes_schemas.ts";
import { built, builtBy, kustomization, listedFiles, type Manifest, podOf } from "../support/kustomize.ts";
import { sourceText } from "../support/source_files.ts";

const ROOT = "deploy/kubernetes";
const FOLDERS = [...Deno.readDirSync(ROOT)].map(({ name }) => `${ROOT}/${name}`).sort();
const { version, tasks } = JSON.parse(sourceText("deno.json"));
const COMPOSE = parse(sourceText("compose.yaml"), { merge: true }).services;

const BASE = built(`${ROOT}/base`);
const TRIAL = built(`${ROOT}/trial`);
const KEYS = built(`${ROOT}/keys`);
/** The overlay that docs/deploy.md shows, which has all that there is beside it. */
const WHOLE = builtBy(
  `${ROOT}/shop`,
  /^```yaml kustomization.yaml\n(.*?)^```$/ms.exec(sourceText("docs/deploy.md"))?.[1] ?? "",
);
const BUILDS = { base: BASE, trial: TRIAL, keys: KEYS, whole: WHOLE };
const ALL = Object.entries(BUILDS).flatMap(([build, manifests]) =>
  manifests.map((manifest) => ({ where: `${build}: ${manifest.kind} ${manifest.metadata.name}`, manifest }))
);

/** As the secrets of docs/deploy.md say it. */
const NODES = [0, 1, 2, 3, 4].map((i) => `holdfast-redis-${i}.holdfast-redis`);
function secretFile(path: string, databaseHost = ""): string {
  if (path.endsWith("/urls")) return NODES.map((host) => `redis://${REDIS_USER}:password@${host}:6379`).join(",");
  return `postgres://holdfast_server:password@${databaseHost}/holdfast?sslmode=verify-full`;
}

/** PostgreSQL's own default, less those that it keeps for superusers. */
const CONNECTIONS_MAX = 97;
/** Of a server beside its pool: for its health, for streams of changes, and for keys. */
const CONNECTIONS_BESIDE_POOL = 3;

function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

/** The settings of the server, as the ConfigMap has them. */
function settingsOf(manifests: readonly Manifest[]): Record<string, string> {
  return find(manifests, "ConfigMap", "holdfast")["data"];
}

function configOf(manifests: readonly Manifest[]) {
  const settings = settingsOf(manifests);
  return loadConfig((name) => settings[name], (path) => secretFile(path, settings["DATABASE_HOST"]));
}

/** The one container of a pod. */
// deno-lint-ignore no-explicit-any -- YAML of any kind: its schemas are checked for themselves
function containerOf(manifest: Manifest): any {
  const { containers } = podOf(manifest)!.spec;
  assertEquals(containers.length, 1, manifest.metadata.name);
  return containers[0];
}

/** A command line after Kubernetes has put variables in. */
function wordsOf(manifest: Manifest, variables: Readonly<Record<string, string>>): string[] {
  return containerOf(manifest).args.map((word: string) =>
    word.replaceAll(/\$\((\w+)\)/g, (_, name) => variables[name] ?? `$(${name})`)
  );
}

/** All values that are permitted, by kind of permission, in one list each; flags without values as they are. */
function permissionsOf(words: readonly string[]): string[] {
  return words.flatMap((word) => {
    const [, flag, list] = /^(--allow-\w+)=(.*)$/.exec(word) ?? [];
    return flag === undefined ? [word] : list!.split(",").map((value) => `${flag}=${value}`);
  }).sort();
}

const pods = (manifests: readonly Manifest[]) => manifests.filter((manifest) => podOf(manifest) !== undefined);

function isSelected(labels: Readonly<Record<string, string>>, selector: Selector = {}): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return Object.entries(matchLabels).every(([label, value]) => labels[label] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      assertEquals(operator, "In");
      return values.includes(labels[key] ?? "");
    });
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values: readonly string[];
  }[];
}

Deno.test("kubernetes: each file is listed by the kustomization of its folder, and none that is not there", () => {
  const there = FOLDERS.flatMap((folder) =>
    [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile).map(({ name }) => `${folder}/${name}`)
  );
  assertEquals(FOLDERS.flatMap(listedFiles).sort(), there.sort());
});

Deno.test("kubernetes: every object is as the schemas of Kubernetes want it, and has no field that they do not have", () => {
  for (const { where, manifest } of ALL) assertEquals(schemaProblems(manifest), [], where);
});

Deno.test("kubernetes: the check of schemas finds a field that there is not, and a value of another type", () => {
  const server = structuredClone(find(BASE, "Deployment", "holdfast"));
  server["spec"].template.spec.containers[0].readynessProbe = {};
  assertEquals((schemaProblems(server)).length, 1);
  const redis = structuredClone(find(BASE, "StatefulSet", "holdfast-redis"));
  redis["spec"].replicas = "five";
  assert((schemaProblems(redis)).length > 0);
  const base = { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources: ["../base"] };
  const target = { kind: "Deployment", name: "nobody" };
  const wrong = {
    "no component": { components: ["../trial"] },
    "with helmCharts": { helmCharts: [] },
    "there is no": { patches: [{ path: "../trial/small_server.yaml", target }] },
  };
  for (const [words, fields] of Object.entries(wrong)) {
    assertThrows(() => builtBy(`${ROOT}/shop`, JSON.stringify({ ...base, ...fields })), Error, words);
  }
});

Deno.test("kubernetes: all stands in the namespace, which enforces the standard that all of it keeps to", () => {
  for (const { where, manifest } of ALL) {
    assertEquals(manifest.metadata.namespace, manifest.kind === "Namespace" ? undefined : "holdfast", where);
    if (podOf(manifest) === undefined) continue;
    const { spec } = podOf(manifest)!;
    const { runAsNonRoot, runAsUser, seccompProfile } = spec.securityContext;
    assertEquals([runAsNonRoot, seccompProfile.type], [true, "RuntimeDefault"], where);
    assert(runAsUser > 0, where);
    assertEquals([spec.automountServiceAccountToken, spec.enableServiceLinks], [false, false], where);
    for (const { securityContext, resources } of spec.containers) {
      assertEquals(securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      }, where);
      assert(resources.limits.memory !== undefined && resources.requests.cpu !== undefined, where);
    }
  }
  const { labels } = find(BASE, "Namespace", "holdfast").metadata;
  assertEquals(labels?.["pod-security.kubernetes.io/enforce"], "restricted");
});

Deno.test("kubernetes: the server is given known settings, and they go together", () => {
  for (const manifests of [BASE, TRIAL, WHOLE]) {
    const settings = settingsOf(manifests);
    const permitted = containerOf(find(manifests, "Deployment", "holdfast")).args.join(" ");
    const unknown = Object.keys(settings).filter((name) => !SETTING_NAMES.includes(name));
    assertEquals(unknown.filter((name) => !permitted.includes(`$(${name})`)), []);
    const config = configOf(manifests);
    assertEquals(config.auth, ["keys"], "said outright, as it listens beyond loopback");
    assertEquals(config.redisNodes.map(({ host }) => host), NODES);
  }
  assert(configOf(WHOLE).tlsFiles !== undefined);
});

Deno.test("kubernetes: docs/deploy.md explains each setting that is given, with its value", () => {
  const rows = [...sourceText("docs/deploy.md").matchAll(/^\| `([A-Z_]+)` +\| `([^`]+)` +\|/gm)];
  const explained = Object.fromEntries(rows.map(([, name, value]) => [name, value]));
  const { TLS_CERT_FILE, TLS_KEY_FILE } = settingsOf(WHOLE);
  assertEquals(explained, { ...settingsOf(BASE), TLS_CERT_FILE, TLS_KEY_FILE });
});

Deno.test("kubernetes: the server may reach its own ports, its stores and its files, and nothing more", () => {
  for (const manifests of [BASE, TRIAL, WHOLE]) {
    const words = wordsOf(find(manifests, "Deployment", "holdfast"), settingsOf(manifests));
    const expected = ["run", "--cached-only", ...serverFlags(configOf(manifests)), "src/main.ts"];
    const inImage = expected.map((word) => word.replace(CONSOLE_DIR, "dist/console"));
    assertEquals(permissionsOf(words), permissionsOf(inImage));
    assertEquals([words[0], words.at(-1)], ["run", "src/main.ts"]);
  }
});

Deno.test("kubernetes: the job migrates once for each version, as in compose.yaml but for its files and its host", () => {
  const job = find(BASE, "Job", `holdfast-migrate-${version.replaceAll(".", "-")}`);
  const files = ["/etc/holdfast/database/url", "/etc/holdfast/owner/url"];
  const expected = [...COMPOSE.migrate.command, ...files.map((file) => `--allow-read=${file}`)];
  assertEquals(permissionsOf(wordsOf(job, settingsOf(BASE))), permissionsOf(expected));
  assertEquals(containerOf(job).args.slice(-2), ["src/migrate/main.ts", "up"]);
  assertEquals(containerOf(job).env, [{ name: "DATABASE_OWNER_URL_FILE", value: files[1] }]);
  assertEquals(job["spec"].podFailurePolicy.rules[0].onExitCodes.values, [EXIT_UNUSABLE]);
});

Deno.test("kubernetes: keys are made by the task, which is permitted the file of the owner's address", () => {
  const pod = find(KEYS, "Pod", "holdfast-keys");
  assertEquals(containerOf(pod).env, [{ name: "DATABASE_OWNER_URL_FILE", value: "/etc/holdfast/owner/url" }]);
  assert(tasks.keys.includes("--allow-read ") && tasks.keys.includes("DATABASE_OWNER_URL_FILE"));
  assert(sourceText("docs/deploy.md").includes(`exec ${pod.metadata.name} -- deno task keys add`));
});

Deno.test("kubernetes: probes, services, policies and scrapes name the ports of the settings", () => {
  for (const manifests of [BASE, TRIAL, WHOLE]) {
    const { port, admin } = configOf(manifests);
    const server = find(manifests, "Deployment", "holdfast");
    const { ports, startupProbe, livenessProbe, readinessProbe } = containerOf(server);
    assertEquals(ports, [{ name: "api", containerPort: port }, { name: "admin", containerPort: admin?.port }]);
    const probes = [startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet);
    assertEquals(probes, [
      { path: "/livez", port: "admin" },
      { path: "/livez", port: "admin" },
      { path: "/readyz", port: "admin" },
    ]);
    assertEquals(podOf(server)?.metadata.annotations, {
      "prometheus.io/scrape": "true",
      "prometheus.io/port": `${admin?.port}`,
      "prometheus.io/path": "/metrics",
    });
    for (const name of ["holdfast", "holdfast-pods"]) {
      const [{ targetPort, ...service }] = find(manifests, "Service", name)["spec"].ports;
      assertEquals([service.port, targetPort], [port, "api"], name);
      assertEquals(service.appProtocol, manifests === WHOLE ? undefined : "kubernetes.io/h2c");
    }
    const { ingress } = find(manifests, "NetworkPolicy", "holdfast")["spec"];
    assertEquals(ingress.map((rule: { ports: { port: number }[] }) => rule.ports[0]!.port), [port, admin?.port]);
    const redisPort = containerOf(find(manifests, "StatefulSet", "holdfast-redis")).ports[0].containerPort;
    assertEquals(configOf(manifests).redisNodes.map((node) => node.port), NODES.map(() => redisPort));
  }
  const [endpoint] = find(WHOLE, "PodMonitor", "holdfast")["spec"].podMetricsEndpoints;
  assertEquals([endpoint.port, endpoint.path], ["admin", "/metrics"]);
});

Deno.test("kubernetes: what selects pods selects those that it is for, and all of them are there", () => {
  const selections: Record<string, readonly string[]> = {
    "Deployment holdfast": ["holdfast"],
    "StatefulSet holdfast-redis": ["holdfast-redis"],
    "Service holdfast": ["holdfast"],
    "Service holdfast-pods": ["holdfast"],
    "Service holdfast-redis": ["holdfast-redis"],
    "PodDisruptionBudget holdfast": ["holdfast"],
    "PodDisruptionBudget holdfast-redis": ["holdfast-redis"],
    "PodMonitor holdfast": ["holdfast"],
    "StatefulSet postgres": ["postgres"],
    "Service postgres": ["postgres"],
    "NetworkPolicy nobody": ["holdfast", "holdfast-redis", "migrate", "keys", "postgres"],
    "NetworkPolicy holdfast": ["holdfast"],
    "NetworkPolicy holdfast-redis": ["holdfast-redis"],
    "NetworkPolicy holdfast-database": ["holdfast", "migrate", "keys"],
    "NetworkPolicy postgres": ["postgres"],
  };
  const all = [...TRIAL, ...WHOLE.filter(({ kind }) => kind === "PodMonitor"), ...KEYS];
  const nameOf = ({ metadata }: Manifest) => /^holdfast-(migrate|keys)/.exec(metadata.name)?.[1] ?? metadata.name;
  const seen = all.flatMap((manifest) => {
    const { kind, metadata, spec } = manifest;
    const selector: Selector | undefined = kind === "Service"
      ? { matchLabels: spec.selector }
      : spec?.podSelector ?? spec?.selector;
    if (selector === undefined) return [];
    const selected = pods(all).filter((pod) => isSelected(podOf(pod)!.metadata.labels ?? {}, selector)).map(nameOf);
    assertEquals(selected.sort(), selections[`${kind} ${metadata.name}`]?.toSorted(), `${kind} ${metadata.name}`);
    return [`${kind} ${metadata.name}`];
  });
  assertEquals(seen.sort(), Object.keys(selections).sort());
  for (const pod of pods(all)) {
    const { affinity, topologySpreadConstraints: spread = [] } = podOf(pod)!.spec;
    const apart = affinity?.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const { labelSelector } of [...spread, ...apart]) {
      assertEquals(pods(all).filter((other) => isSelected(podOf(other)!.metadata.labels ?? {}, labelSelector)), [pod]);
    }
  }
});

Deno.test("kubernetes: policies let in whom they name, and the Redis nobody but servers", () => {
  const labels = (manifests: readonly Manifest[], kind: string, name: string) =>
    podOf(find(manifests, kind, name))!.metadata.labels ?? {};
  const [redis, server] = [labels(TRIAL, "StatefulSet", "holdfast-redis"), labels(TRIAL, "Deployment", "holdfast")];
  const [{ from }] = find(TRIAL, "NetworkPolicy", "holdfast-redis")["spec"].ingress;
  const [{ to }] = find(TRIAL, "NetworkPolicy", "holdfast")["spec"].egress;
  assert(isSelected(server, from[0].podSelector) && !isSelected(redis, from[0].podSelector));
  assert(isSelected(redis, to[0].podSelector) && !isSelected(server, to[0].podSelector));
  const [postgres] = find(TRIAL, "NetworkPolicy", "postgres")["spec"].ingress;
  assert(isSelected(server, postgres.from[0].podSelector) && !isSelected(redis, postgres.from[0].podSelector));
  const { podSelector, ingress, egress, policyTypes } = find(TRIAL, "NetworkPolicy", "nobody")["spec"];
  assertEquals([podSelector, ingress, egress, policyTypes], [{}, undefined, undefined, ["Ingress", "Egress"]]);
});

Deno.test("kubernetes: images are those of this version and of compose.yaml", () => {
  const imagesOf = (manifests: readonly Manifest[]) =>
    [...new Set(pods(manifests).map((pod) => containerOf(pod).image))].sort();
  const { "redis-1": redis, postgres } = COMPOSE;
  assertEquals(imagesOf([...TRIAL, ...KEYS]), [`holdfast:${version}`, postgres.image, redis.image].sort());
  assertEquals(imagesOf(WHOLE), [redis.image, `registry.example/holdfast:${version}`]);
});

Deno.test("kubernetes: the secrets and settings that are mounted are those that the trial makes", () => {
  const made = new Map(
    TRIAL.filter(({ kind }) => kind === "Secret").map(({ metadata, stringData }) => [
      metadata.name,
      Object.keys(stringData),
    ]),
  );
  for (const pod of pods([...TRIAL, ...KEYS])) {
    const { spec } = podOf(pod)!;
    const volumes = spec.volumes as { name: string; secret?: { secretName: string; items?: { key: string }[] } }[];
    for (const { secret } of volumes) {
      const keys = secret?.items?.map(({ key }) => key) ?? [];
      assertEquals(keys.filter((key) => !made.get(secret!.secretName)?.includes(key)), [], pod.metadata.name);
      assert(secret === undefined || made.has(secret.secretName), pod.metadata.name);
    }
    const mounted = containerOf(pod).volumeMounts.map(({ name }: { name: string }) => name);
    const claimed = (pod["spec"].volumeClaimTemplates ?? []).map(({ metadata }: Manifest) => metadata.name);
    assertEquals(mounted.sort(), [...volumes.map(({ name }) => name), ...claimed].sort(), pod.metadata.name);
    for (const { configMapRef } of containerOf(pod).envFrom ?? []) find(TRIAL, "ConfigMap", configMapRef.name);
  }
  const ignored = sourceText(".gitignore").split("\n");
  const files = kustomization(`${ROOT}/trial`).secretGenerator?.flatMap(({ files }) => files) ?? [];
  assert(files.length > 0 && files.every((file) => /^\w+=secrets\/\w+$/.test(file)), files.join());
  assert(ignored.includes(`${ROOT}/trial/secrets/`));
});

Deno.test("kubernetes: a server is given more time to stop than it may take", () => {
  const { terminationGracePeriodSeconds: seconds } = podOf(find(BASE, "Deployment", "holdfast"))!.spec;
  assert(seconds * 1000 > STOP_MS_MAX, `${seconds} s for up to ${STOP_MS_MAX} ms`);
});

Deno.test("kubernetes: as many servers as there may be have their connections to PostgreSQL", () => {
  const { minReplicas, maxReplicas, scaleTargetRef } = find(BASE, "HorizontalPodAutoscaler", "holdfast")["spec"];
  assertEquals(scaleTargetRef, { apiVersion: "apps/v1", kind: "Deployment", name: "holdfast" });
  const { replicas, strategy } = find(BASE, "Deployment", "holdfast")["spec"];
  assertEquals(replicas, undefined, "how many there are, the autoscaler says");
  assert(minReplicas >= 3);
  const servers = maxReplicas + strategy.rollingUpdate.maxSurge;
  assert(servers * (configOf(BASE).databasePoolMax + CONNECTIONS_BESIDE_POOL) <= CONNECTIONS_MAX, `${servers}`);
});

Deno.test("kubernetes: Redis are five, apart, and renewed one at a time, each after its quarantine", () => {
  const { replicas, minReadySeconds, updateStrategy, serviceName } =
    find(BASE, "StatefulSet", "holdfast-redis")["spec"];
  assertEquals([replicas, updateStrategy, serviceName], [5, undefined, "holdfast-redis"]);
  // Redis counts whole seconds, so up to one more.
  assert(minReadySeconds * 1000 >= configOf(BASE).lockTtlMs + 1000, `${minReadySeconds} s`);
  assertEquals(find(BASE, "PodDisruptionBudget", "holdfast-redis")["spec"].maxUnavailable, 1);
  const [apart] = podOf(find(BASE, "StatefulSet", "holdfast-redis"))!.spec.affinity.podAntiAffinity
    .requiredDuringSchedulingIgnoredDuringExecution;
  assertEquals(apart.topologyKey, "kubernetes.io/hostname");
  assertEquals(find(BASE, "Service", "holdfast-redis")["spec"].clusterIP, "None");
});

Deno.test("kubernetes: Redis is started as in compose.yaml, with one user who may do what the lock does", () => {
  const [shell, flags, script] = containerOf(find(BASE, "StatefulSet", "holdfast-redis")).command;
  const [, , inCompose] = COMPOSE["redis-1"].command;
  assertEquals([shell, flags], ["sh", "-ec"]);
  const [read, ...rest] = script.split("\n");
  assert(read.startsWith("read -r password < "), read);
  assertEquals(rest.join("\n"), inCompose.replaceAll("$$REDIS_PASSWORD", "$password"));
  assert(script.includes(`user ${REDIS_USER} reset on >$password ${LOCK_RULES.join(" ")}\n`));
});
