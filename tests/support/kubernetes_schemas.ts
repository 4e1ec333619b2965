/**
 * Compares objects with the schemas of Kubernetes and of the Prometheus Operator, as npm's `kubernetes-models` has them
 * compiled. Those leave alone what they do not know; here a field that none of them reads is a problem as well.
 */
import { PodMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { StatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler";
import { Job } from "kubernetes-models/batch/v1/Job";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import { Namespace } from "kubernetes-models/v1/Namespace";
import { Pod } from "kubernetes-models/v1/Pod";
import { Secret } from "kubernetes-models/v1/Secret";
import { Service } from "kubernetes-models/v1/Service";
import type { Manifest } from "./kustomize.ts";

const MODELS = [
  ...[ConfigMap, Deployment, HorizontalPodAutoscaler, Job, Namespace, NetworkPolicy, Pod, PodDisruptionBudget],
  ...[PodMonitor, Secret, Service, StatefulSet],
];

/** What is wrong with an object, a line each, with the path of the field. */
export function schemaProblems(manifest: Manifest): string[] {
  const { apiVersion, kind } = manifest;
  const model = MODELS.find((each) => each.apiVersion === apiVersion && each.kind === kind);
  if (model === undefined) return [`there is no schema here of ${apiVersion} ${kind}`];
  const unread = new Set<string>();
  try {
    // Of an object of the model, which is a copy, nothing would be known of what is read.
    model.prototype.validate.call(watched(manifest, "", unread) as never);
    return [...unread].map((path) => `${path} is no field`);
  } catch (error) {
    return (error as Error).message.split("\n");
  }
}

/** The value, of which `unread` has the paths of all fields until they are read. */
function watched(value: unknown, path: string, unread: Set<string>): unknown {
  if (typeof value !== "object" || value === null) return value;
  const inner = new Map<string | symbol, unknown>();
  for (const [name, each] of Object.entries(value)) {
    if (!Array.isArray(value)) unread.add(`${path}/${name}`);
    inner.set(name, watched(each, `${path}/${name}`, unread));
  }
  return new Proxy(value, {
    get: (target, name) => {
      unread.delete(`${path}/${String(name)}`);
      return inner.has(name) ? inner.get(name) : Reflect.get(target, name);
    },
  });
}
