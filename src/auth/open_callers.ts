/** Everything that decides who may call, made of the settings. */
import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { type Config, ConfigError } from "../config/config.ts";
import type { CallAdmission } from "../rpc/admission.ts";
import type { Log } from "../telemetry/log.ts";
import type { ListenerOptions } from "../transport/listener.ts";
import type { CertificatePair } from "../transport/port.ts";
import { Authenticator } from "./authenticator.ts";
import { ClientCertificates } from "./client_certificates.ts";
import type { JwtVerifier } from "./jwt.ts";
import type { JwtRules } from "./jwt_rules.ts";
import { KeyTable, type KeyTableOptions } from "./keys/key_table.ts";
import { MtlsVerifier } from "./mtls.ts";
import type { RefusalAudit } from "./refusal_audit.ts";
import type { ANYONE, Right } from "./rights.ts";
import { watchStreams } from "./stream_watch.ts";
import type { Verifier } from "./verifier.ts";

/** What it is made of. */
export interface CallersOptions {
  readonly config: Pick<Config, "auth" | "jwt" | "mtls" | "addressShareMax">;
  readonly readKeys: KeyTableOptions["read"];
  /** What a caller of the method must be allowed. */
  readonly rightOf: (method: DescMethod) => Right | typeof ANYONE | undefined;
  /** What the port speaks TLS with, and by whom certificates of clients may be signed; undefined: it is cleartext. */
  readonly tls?: CertificatePair | undefined;
  /** Where refused calls are noted. */
  readonly audit: RefusalAudit;
  readonly log: Log;
}

/** Who decides, and what must answer for that. */
export interface Callers {
  readonly admission: CallAdmission;
  /** Ends streams. */
  readonly interceptor: Interceptor;
  /** Gets each TLS connection where clients are asked for certificates. */
  readonly carried: ListenerOptions["carried"];
  /** Takes up authorities that were renewed. */
  useCertificate(pair: CertificatePair): void;
  readonly dependencies: readonly { readonly name: string; ping(): Promise<void> }[];
  close(): Promise<void>;
}

/**
 * Undefined where callers prove nothing.
 *
 * @throws ConfigError for a file of an issuer's keys that can't be used
 */
export async function openCallers(options: CallersOptions): Promise<Callers | undefined> {
  const { config, readKeys, rightOf, tls, audit, log } = options;
  if (config.auth.length === 0) return undefined;
  const keys = config.auth.includes("keys") ? new KeyTable({ read: readKeys, log }) : undefined;
  const jwt = config.jwt === undefined ? undefined : await openTokens(config.jwt, config, log).catch(async (error) => {
    await keys?.close();
    throw error;
  });
  const mtls = config.mtls === undefined ? undefined : new MtlsVerifier(config.mtls.rights);
  const certificates = mtls === undefined || tls?.clientCa === undefined
    ? undefined
    : new ClientCertificates(tls.clientCa);
  const verifiers: readonly Verifier[] = [keys, jwt, mtls].filter((verifier) => verifier !== undefined);
  const hasBearer = config.auth.some((kind) => kind !== "mtls");
  const authenticator = new Authenticator({
    verifiers,
    rightOf,
    audit,
    certificateOf: certificates && ((carrier) => certificates.of(carrier)),
    challenge: hasBearer ? "Bearer" : undefined,
  });
  return {
    admission: authenticator,
    interceptor: watchStreams((...stream) => authenticator.streamEnded(...stream)),
    carried: certificates && ((carrier, socket) => certificates.shown(carrier, socket)),
    useCertificate: ({ clientCa }) => clientCa === undefined ? undefined : certificates?.useAuthorities(clientCa),
    dependencies: keys === undefined ? [] : [{ name: "keys of callers", ping: () => keys.ping() }],
    async close() {
      await Promise.all(verifiers.map((verifier) => verifier.close()));
    },
  };
}

async function openTokens(
  rules: JwtRules,
  { addressShareMax: addressShare }: Pick<Config, "addressShareMax">,
  log: Log,
): Promise<JwtVerifier> {
  // Loaded only where there are tokens: the library is 46 files.
  const [{ JwtVerifier }, { KeySetError }] = await Promise.all([import("./jwt.ts"), import("./jwt_key_set.ts")]);
  try {
    return await JwtVerifier.open(rules, { addressShare, log, random: Math.random });
  } catch (error) {
    if (!(error instanceof KeySetError) || !("file" in rules.keys)) throw error;
    throw new ConfigError([`JWT_JWKS: ${error.message}, got "${rules.keys.file}"`]);
  }
}
