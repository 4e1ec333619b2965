/**
 * Who calls, and whether they may: decided for every call before its message is read. What anyone may call is asked
 * for nothing. Whoever proves nothing gets one answer to everything else, whether it is served here or not.
 */
import { Code, type ConnectError, type ContextValues } from "@connectrpc/connect";
import type { DescMethod } from "@bufbuild/protobuf";
import { type Admitted, type CallAdmission, type CallHead, methodName } from "../rpc/admission.ts";
import { detailedError, info, retryInfo } from "../rpc/errors.ts";
import { callerAddress } from "../transport/addresses.ts";
import { REQUEST_ID_HEADER } from "../transport/exchange.ts";
import { bearerOf } from "./bearer.ts";
import { setIdentity } from "./caller.ts";
import type { Identity } from "./identity.ts";
import type { AuditReason, RefusalAudit } from "./refusal_audit.ts";
import { ANYONE, type Right } from "./rights.ts";
import {
  type ClientCertificate,
  type Credentials,
  UnauthenticatedError,
  type Verifier,
  VerifierUnavailableError,
} from "./verifier.ts";

/** What it decides by. */
export interface AuthenticatorOptions {
  /** Asked one after the other, until one knows the kind of credentials. */
  readonly verifiers: readonly Verifier[];
  /** What a caller of the method must be allowed. */
  readonly rightOf: (method: DescMethod) => Right | typeof ANYONE | undefined;
  readonly audit: RefusalAudit;
  /** The certificate that the client of this session or socket has shown. Absent: none is asked for. */
  readonly certificateOf?: ((carrier: object) => ClientCertificate | undefined) | undefined;
  /** What callers are asked for by HTTP's status 401. */
  readonly challenge: string | undefined;
}

/**
 * What balancers of AWS ask every gRPC server for where no other path is set, without credentials: they want to
 * hear that nobody serves it.
 */
const BALANCER_PATH = "/AWS.ALB/healthcheck";
/** The one text that says so: why not is nobody's business but the server's. */
const unauthenticated = () =>
  detailedError(Code.Unauthenticated, "the call has no credentials that are valid here", [info("UNAUTHENTICATED", {})]);
/** For calls that reach no handler: one for all, as nothing is added to them. */
const UNAUTHENTICATED = unauthenticated();
const UNAVAILABLE = detailedError(Code.Unavailable, "credentials can't be checked now", [
  info("CREDENTIALS_NOT_CHECKED", {}),
  retryInfo(),
]);

/** The admission of calls where callers prove who they are. */
export class Authenticator implements CallAdmission {
  constructor(private readonly options: AuthenticatorOptions) {}

  get challenge(): string | undefined {
    return this.options.challenge;
  }

  admit(head: CallHead): Admitted | Promise<Admitted> {
    const right = head.method === undefined ? undefined : this.options.rightOf(head.method);
    if (right === ANYONE || head.path === BALANCER_PATH) return undefined;
    try {
      const identity = this.#verify(head);
      if (!(identity instanceof Promise)) return this.#decide(head, right, identity);
      return identity.then((found) => this.#decide(head, right, found)).catch((error) => this.#refuse(head, error));
    } catch (error) {
      return this.#refuse(head, error);
    }
  }

  /** Of a stream whose caller's identity is no longer good. Its own: the id of its call is added to it. */
  streamEnded(identity: Identity, method: string, values: ContextValues): ConnectError {
    const address = callerAddress(values);
    this.options.audit.note({ reason: "stream_ended", method, address, requestId: undefined, who: identity.name });
    return unauthenticated();
  }

  #verify({ headers, carrier, values }: CallHead): Identity | Promise<Identity> {
    const { verifiers, certificateOf } = this.options;
    const bearer = bearerOf(headers.authorization);
    const certificate = bearer !== undefined || carrier === undefined ? undefined : certificateOf?.(carrier);
    const credentials: Credentials = { bearer, certificate, address: callerAddress(values) };
    for (let i = 0; i < verifiers.length; i++) {
      const identity = verifiers[i]!.verify(credentials);
      if (identity instanceof Promise) {
        return identity.then((found) => found ?? this.#verifyByOthers(credentials, i + 1));
      }
      if (identity !== undefined) return identity;
    }
    throw noneKnows(credentials);
  }

  async #verifyByOthers(credentials: Credentials, from: number): Promise<Identity> {
    for (const verifier of this.options.verifiers.slice(from)) {
      const identity = await verifier.verify(credentials);
      if (identity !== undefined) return identity;
    }
    throw noneKnows(credentials);
  }

  #decide(head: CallHead, right: Right | undefined, identity: Identity): Admitted {
    // Also of a call that is refused it is known who made it.
    setIdentity(head.values, identity);
    // A path that is not served, and a method that no module names: whoever is somebody may know of that.
    if (right !== undefined && !identity.rights.has(right)) {
      this.#note(head, { reason: "right_missing", who: identity.name, right });
      return rightMissing(right);
    }
    return undefined;
  }

  /** @throws what is a fault of the service */
  #refuse(head: CallHead, error: unknown): ConnectError {
    if (error instanceof UnauthenticatedError) {
      this.#note(head, { reason: error.reason, who: error.about });
      return UNAUTHENTICATED;
    }
    if (!(error instanceof VerifierUnavailableError)) throw error;
    this.#note(head, { reason: "unavailable", who: undefined });
    return UNAVAILABLE;
  }

  #note(
    head: CallHead,
    why: { readonly reason: AuditReason; readonly who: string | undefined; readonly right?: Right },
  ): void {
    const { [REQUEST_ID_HEADER]: requestId } = head.headers;
    this.options.audit.note({
      method: methodName(head),
      address: callerAddress(head.values),
      requestId: typeof requestId === "string" ? requestId : undefined,
      ...why,
    });
  }
}

/** A caller who may not do that, and what would be needed for it. */
export function rightMissing(right: Right): ConnectError {
  return detailedError(Code.PermissionDenied, `the right ${right} is missing`, [info("RIGHT_MISSING", { right })]);
}

function noneKnows({ bearer, certificate }: Credentials): UnauthenticatedError {
  return new UnauthenticatedError(bearer === undefined && certificate === undefined ? "missing" : "unknown");
}
