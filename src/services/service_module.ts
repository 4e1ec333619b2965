/**
 * A service of this program as one value: all that routing, health, draining, reflection, the bounds of messages and
 * the check of rights have to know of it. The one list of these is in `app.ts`, so that a new service is forgotten by
 * none of them.
 */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { ANYONE, type Right, RIGHTS } from "../auth/rights.ts";
import type { MessageBounds } from "../rpc/messages/check.ts";

/** Whether reflection names a service in lists, finds it by name only, or knows nothing of it. */
const REFLECTED = ["listed", "by name", "hidden"] as const;
export type Reflected = typeof REFLECTED[number];

/** What is asked of a call of one method before its handler sees it. */
export interface MethodRules {
  /** What the caller must be allowed, where callers prove who they are. */
  readonly right: Right | typeof ANYONE;
  /** What one message to it may be. */
  readonly bounds: MessageBounds;
}

/** One service. */
export interface ServiceModule<S extends DescService = DescService> {
  readonly service: S;
  readonly handlers: ServiceImpl<S>;
  /** By the local names of the methods, as in the handlers. */
  readonly methods: { readonly [M in keyof S["method"]]: MethodRules };
  /** Whether calls are still taken while the server drains. */
  readonly drainExempt: boolean;
  /** Whether health says by name whether this service takes work. */
  readonly healthListed: boolean;
  readonly reflected: Reflected;
}

/** The module of a service whose handlers and methods are checked against its descriptor. */
export function serviceModule<S extends DescService>(module: ServiceModule<S>): ServiceModule {
  return module as unknown as ServiceModule;
}

/**
 * Looks whether each module says all that it must.
 *
 * @throws Error naming service, method and field of all that is missing, and services that come twice
 */
export function checkModules(modules: readonly ServiceModule[]): void {
  const names = modules.map((module) => module.service?.typeName ?? "a service without a descriptor");
  const problems = modules.flatMap((module, i) => [
    ...(names.indexOf(names[i]!) < i ? [`${names[i]}: comes twice`] : []),
    ...missingOf(module).map((missing) => `${names[i]}${missing}`),
  ]);
  if (problems.length === 0) return;
  throw new Error(`Cannot serve these services\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
}

/** What a module written without the compiler's help, or around it, may lack. */
function missingOf(module: Partial<ServiceModule>): string[] {
  const { service, handlers, methods } = module;
  return [
    ...(service === undefined ? [": no service"] : []),
    ...(typeof module.drainExempt === "boolean" ? [] : [": no drainExempt, expected true or false"]),
    ...(typeof module.healthListed === "boolean" ? [] : [": no healthListed, expected true or false"]),
    ...(REFLECTED.includes(module.reflected!) ? [] : [`: no reflected, expected one of ${REFLECTED.join(", ")}`]),
    ...(service?.methods ?? []).flatMap(({ name, localName }) => {
      const { right, bounds }: Partial<MethodRules> = methods?.[localName] ?? {};
      return [
        ...(typeof handlers?.[localName] === "function" ? [] : [`/${name}: no handler`]),
        ...([...RIGHTS, ANYONE].includes(right!) ? [] : [`/${name}: no right, expected one of ${RIGHTS.join(", ")}`]),
        ...(bounds !== undefined && bounds.bytesMax > 0 ? [] : [`/${name}: no bounds`]),
      ];
    }),
  ];
}

/** Adds the services to a router. No message of a service may be larger than its largest method's. */
export function addServices(router: ConnectRouter, modules: readonly ServiceModule[]): void {
  for (const { service, handlers, methods } of modules) {
    const readMaxBytes = Math.max(...Object.values(methods).map(({ bounds }) => bounds.bytesMax));
    router.service(service, handlers, { readMaxBytes });
  }
}

/** The bounds of the messages of each method; undefined for methods of other services. */
export function boundsOf(modules: readonly ServiceModule[]): (method: DescMethod) => MessageBounds | undefined {
  const bounds = new Map(
    modules.flatMap(({ service, methods }) =>
      service.methods.map((method): [DescMethod, MessageBounds] => [method, methods[method.localName]!.bounds])
    ),
  );
  return (method) => bounds.get(method);
}

/** What callers of each method must be allowed; undefined for methods of other services. */
export function rightsOf(
  modules: readonly ServiceModule[],
): (method: DescMethod) => MethodRules["right"] | undefined {
  const rights = new Map(
    modules.flatMap(({ service, methods }) =>
      service.methods.map((method): [DescMethod, MethodRules["right"]] => [method, methods[method.localName]!.right])
    ),
  );
  return (method) => rights.get(method);
}

/** The services as reflection describes them. */
export function describedBy(modules: readonly ServiceModule[]): {
  readonly listed: readonly DescService[];
  readonly byName: readonly DescService[];
} {
  const servicesOf = (wanted: Reflected) =>
    modules.filter(({ reflected }) => reflected === wanted).map(({ service }) => service);
  return { listed: servicesOf("listed"), byName: servicesOf("by name") };
}

/** The full names of the services that are wanted. */
export function namesOf(modules: readonly ServiceModule[], isWanted: (module: ServiceModule) => boolean): string[] {
  return modules.filter(isWanted).map(({ service }) => service.typeName);
}
