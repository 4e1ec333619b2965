/**
 * What `kubectl kustomize` makes of a folder of deploy/kubernetes, as far as those use it: resources, components,
 * generators without a hash in their names, JSON patches, labels, namespace and images. Whatever else stands in a
 * kustomization is an error, and so is a patch that finds nothing.
 */
import { dirname, join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { sourceText } from "./source_files.ts";

/** An object of Kubernetes. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    namespace?: string;
    labels?: Record<string, string>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // deno-lint-ignore no-explicit-any -- YAML of any kind: its schemas are checked for themselves
  [field: string]: any;
}

interface Kustomization {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly labels?: readonly { readonly pairs: Readonly<Record<string, string>> }[];
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly configMapGenerator?: readonly {
    readonly name: string;
    readonly namespace?: string;
    readonly behavior?: "merge";
    readonly envs?: readonly string[];
    readonly literals?: readonly string[];
  }[];
  readonly secretGenerator?: readonly { readonly name: string; readonly files: readonly string[] }[];
  readonly generatorOptions?: { readonly disableNameSuffixHash: boolean };
  readonly patches?: readonly { readonly path: string; readonly target: Target }[];
  readonly images?: readonly { readonly name: string; readonly newName?: string; readonly newTag: string }[];
}

interface Target {
  readonly kind: string;
  readonly name?: string;
  readonly labelSelector?: string;
}

interface Operation {
  readonly op: "add" | "remove" | "replace";
  readonly path: string;
  readonly value?: unknown;
}

const FILE = "kustomization.yaml";
const KINDS: Readonly<Record<string, string>> = {
  Kustomization: "kustomize.config.k8s.io/v1beta1",
  Component: "kustomize.config.k8s.io/v1alpha1",
};
const FIELDS = new Set([
  ...["apiVersion", "kind", "namespace", "labels", "resources", "components", "configMapGenerator"],
  ...["secretGenerator", "generatorOptions", "patches", "images"],
]);

/** The kustomization of a folder, such as `deploy/kubernetes/base`. Throws Error for what it must not have. */
export function kustomization(dir: string): Kustomization {
  return checked(dir, parse(sourceText(join(dir, FILE))));
}

function checked(dir: string, read: Kustomization): Kustomization {
  if (KINDS[read.kind] !== read.apiVersion) throw new Error(`${dir}: ${read.kind} of ${read.apiVersion}`);
  const unknown = Object.keys(read).filter((field) => !FIELDS.has(field));
  if (unknown.length > 0) throw new Error(`${dir}: a kustomization with ${unknown.join(", ")}`);
  return read;
}

/** The files that it lists, itself included; folders, and what is made on the spot (`secrets/`), are not among them. */
export function listedFiles(dir: string): string[] {
  const { resources = [], configMapGenerator = [], patches = [] } = kustomization(dir);
  const listed = [
    ...resources.filter((path) => path.endsWith(".yaml")),
    ...configMapGenerator.flatMap(({ envs = [] }) => envs),
    ...patches.map(({ path }) => path),
  ];
  return [FILE, ...listed].map((path) => join(dir, path));
}

/** All objects of a folder, changed as its kustomization says. */
export function built(dir: string): Manifest[] {
  return completed(dir, kustomization(dir), []);
}

/** The same of a folder that is not there, with this text as its kustomization. */
export function builtBy(dir: string, text: string): Manifest[] {
  return completed(dir, checked(dir, parse(text)), []);
}

function completed(dir: string, read: Kustomization, before: readonly Manifest[]): Manifest[] {
  const own = (read.resources ?? []).flatMap((path) =>
    path.endsWith(".yaml") ? documents(join(dir, path)) : built(join(dir, path))
  );
  let manifests = [...before, ...own];
  for (const path of read.components ?? []) {
    const component = kustomization(join(dir, path));
    if (component.kind !== "Component") throw new Error(`${path} is no component`);
    manifests = completed(join(dir, path), component, manifests);
  }
  for (const { name, namespace, behavior, envs = [], literals = [] } of read.configMapGenerator ?? []) {
    const lines = [...envs.flatMap((path) => sourceText(join(dir, path)).split("\n")), ...literals];
    const data = environment(lines);
    const there = manifests.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === name);
    if ((behavior === "merge") !== (there !== undefined)) throw new Error(`${dir}: ConfigMap ${name} is there twice`);
    if (there?.metadata.namespace !== namespace) throw new Error(`${dir}: ConfigMap ${name} of another namespace`);
    if (there === undefined) manifests.push({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });
    else Object.assign(there.data, data);
  }
  for (const { name, files } of read.secretGenerator ?? []) {
    const data = Object.fromEntries(files.map((file) => file.split("=") as [string, string]));
    manifests.push({ apiVersion: "v1", kind: "Secret", metadata: { name }, stringData: data });
  }
  for (const { path, target } of read.patches ?? []) patch(manifests, target, join(dir, path));
  for (const manifest of manifests) complete(manifest, read);
  return manifests;
}

function documents(path: string): Manifest[] {
  return parseAllDocuments(sourceText(path)).map((document) => {
    if (document.errors.length > 0) throw new Error(`${path}: ${document.errors[0]}`);
    return document.toJS();
  });
}

/** Lines NAME=value; comments and empty ones are none. */
function environment(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.filter((line) => line !== "" && !line.startsWith("#")).map((line): [string, string] => {
      const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new Error(`"${line}" sets nothing`);
      return [name, value];
    }),
  );
}

function patch(manifests: readonly Manifest[], target: Target, path: string): void {
  const isMeant = ({ kind, metadata }: Manifest) =>
    kind === target.kind && (target.name ?? metadata.name) === metadata.name &&
    (target.labelSelector ?? "").split(",").filter((each) => each !== "").every((each) => {
      const [label = "", value] = each.split("=");
      return metadata.labels?.[label] === value;
    });
  const found = manifests.filter(isMeant);
  if (found.length === 0) throw new Error(`${path}: there is no ${JSON.stringify(target)}`);
  for (const manifest of found) {
    for (const operation of parse(sourceText(path)) as Operation[]) change(manifest, operation, path);
  }
}

/** One operation of RFC 6902. */
function change(manifest: Manifest, { op, path, value }: Operation, file: string): void {
  const steps = path.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = steps.pop() ?? "";
  // deno-lint-ignore no-explicit-any -- YAML of any kind: its schemas are checked for themselves
  const parent: any = steps.reduce((inner: any, step) => inner?.[step], manifest);
  if (typeof parent !== "object") throw new Error(`${file}: there is no ${dirname(path)}`);
  if (op !== "add" && !(last in parent)) throw new Error(`${file}: there is no ${path}`);
  if (Array.isArray(parent)) {
    parent.splice(last === "-" ? parent.length : Number(last), op === "add" ? 0 : 1, ...op === "remove" ? [] : [value]);
  } else if (op === "remove") delete parent[last];
  else parent[last] = structuredClone(value);
}

function complete(manifest: Manifest, { namespace, labels = [], images = [] }: Kustomization): void {
  const { kind, metadata } = manifest;
  if (namespace !== undefined && kind !== "Namespace") metadata.namespace = namespace;
  const pairs = Object.assign({}, ...labels.map(({ pairs }) => pairs));
  if (Object.keys(pairs).length > 0) metadata.labels = { ...metadata.labels, ...pairs };
  for (const container of podOf(manifest)?.spec.containers ?? []) {
    const [given] = container.image.split(":");
    const image = images.find(({ name }) => name === given);
    if (image !== undefined) container.image = `${image.newName ?? image.name}:${image.newTag}`;
  }
}

/** The pod that an object is, or of which it makes some; undefined where it has to do with none. */
// deno-lint-ignore no-explicit-any -- YAML of any kind: its schemas are checked for themselves
export function podOf(manifest: Manifest): { metadata: Manifest["metadata"]; spec: any } | undefined {
  if (manifest.kind === "Pod") return manifest as unknown as { metadata: Manifest["metadata"]; spec: unknown };
  return manifest["spec"]?.template;
}
