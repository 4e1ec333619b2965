/**
 * The parameters of a PostgreSQL address: every one that libpq (18) knows is honoured or refused by its name, and so
 * are those of other drivers that stand in addresses as providers hand them out. Pure.
 */
import { AddressError, cutAt, percentDecoded } from "./address_text.ts";
import { optionsProblem } from "./postgres_options.ts";

/** As libpq has them. `allow` is taken as `prefer`. */
const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
/** One of {@link SSL_MODES}. */
export type SslMode = typeof SSL_MODES[number];

/** How TLS is spoken. */
export interface PostgresTls {
  /** Undefined: nothing is said; `disable` on this machine and `prefer` elsewhere. */
  readonly mode: SslMode | undefined;
  /** Without asking first. */
  readonly direct: boolean;
  /** Path of the certificates to trust; `system`: those that everybody trusts. Undefined: not said. */
  readonly rootCertificate: string | undefined;
  /** Paths of a certificate of our own and its key. */
  readonly own: { readonly certificate: string; readonly key: string } | undefined;
  /** True: the files are those of the settings DATABASE_TLS_*, and not of the address. */
  readonly isSet?: boolean;
}

/** Parameters that stand for a part of the address itself. */
const PARTS = ["host", "port", "user", "password", "dbname", "load_balance_hosts"] as const;

/** What the parameters of an address say. */
export interface PostgresParameters {
  /** Those that stand for a part of the address, where they are given. */
  readonly given: { readonly [name in typeof PARTS[number]]?: string };
  readonly tls: PostgresTls;
  /** Whether the log-in is bound to the certificate of the server: `require` refuses any other. */
  readonly channelBinding: "disable" | "prefer" | "require";
  readonly applicationName: string | undefined;
  /** Sent to the server, or to the proxy before it. */
  readonly options: string | undefined;
  /** Whole seconds; undefined: not said. */
  readonly connectTimeoutS: number | undefined;
  /** How long a connection is idle before TCP looks after it; 0: it never does. Undefined: not said. */
  readonly keepaliveIdleS: number | undefined;
  /** False: statements are not kept prepared, as a pooler without a place for them needs it. */
  readonly prepare: boolean;
  /** What is taken and does nothing, each a sentence that begins with the name. */
  readonly notes: readonly string[];
}

const NO_KERBEROS = "there is no Kerberos here";
const BY_THE_SERVER = "the connection's end at the server is looked after by the role's settings that migrate makes";
const PASSWORD_IN_ADDRESS = "the password stands in the address";

/** libpq's, as of version 18, that can't be honoured, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  hostaddr: "give the address as host",
  passfile: PASSWORD_IN_ADDRESS,
  service: "there is no service file here",
  servicefile: "there is no service file here",
  require_auth: "ways to log in can't be chosen; SCRAM is the server's to ask for",
  keepalives_interval: BY_THE_SERVER,
  keepalives_count: BY_THE_SERVER,
  tcp_user_timeout: BY_THE_SERVER,
  replication: "this is no replica",
  krbsrvname: NO_KERBEROS,
  gsslib: NO_KERBEROS,
  gssdelegation: NO_KERBEROS,
  requiressl: "sslmode=require says it",
  sslcompression: "there is no compression under TLS",
  sslpassword: "a key must not be encrypted",
  sslkeylogfile: "keys are not written out",
  sslcrl: "lists of revoked certificates can't be looked at",
  sslcrldir: "lists of revoked certificates can't be looked at",
  requirepeer: "the user behind a socket can't be looked at",
  scram_client_key: PASSWORD_IN_ADDRESS,
  scram_server_key: PASSWORD_IN_ADDRESS,
  oauth_issuer: "there is no OAuth here",
  oauth_client_id: "there is no OAuth here",
  oauth_client_secret: "there is no OAuth here",
  oauth_scope: "there is no OAuth here",
  connection_limit: "DATABASE_POOL_MAX says it",
  pool_timeout: "waiting has limits of its own",
  socket_timeout: "statements have limits of their own",
  sslaccept: "sslmode says it",
  sslidentity: "sslcert and sslkey say it",
  max: "DATABASE_POOL_MAX says it",
};

/** Those that say something only with the values that are listed: what the program does anyway. */
const AS_IT_IS: Readonly<Record<string, readonly string[]>> = {
  gssencmode: ["disable", "prefer"],
  client_encoding: ["UTF8", "UTF-8", "utf8", "utf-8", "auto"],
  target_session_attrs: ["read-write", "primary", "any"],
  load_balance_hosts: ["disable", "random"],
  sslcertmode: ["allow"],
  sslsni: ["1"],
  ssl_min_protocol_version: ["TLSv1", "TLSv1.1", "TLSv1.2"],
  ssl_max_protocol_version: ["TLSv1.3"],
  min_protocol_version: ["3.0"],
  max_protocol_version: ["3.0", "latest"],
  channel_binding: ["disable", "prefer", "require"],
  schema: ["public"],
  currentSchema: ["public"],
  uselibpqcompat: ["true"],
};

/** Marks that providers put into their addresses and that say nothing to a server. */
const MARKS = new Set(["supa", "workaround"]);

/** Parameters by which drivers learn that a pooler keeps no prepared statements, and the values that say so. */
const UNPREPARED: Readonly<Record<string, { readonly off: readonly string[]; readonly on: readonly string[] }>> = {
  pgbouncer: { off: ["true"], on: ["false"] },
  prepare: { off: ["false"], on: ["true"] },
  prepared_statements: { off: ["false"], on: ["true"] },
  statement_cache_size: { off: ["0"], on: [] },
  statement_cache_capacity: { off: ["0"], on: [] },
  prepareThreshold: { off: ["0"], on: [] },
};

const READ = new Set([
  ...PARTS,
  "sslmode",
  "ssl",
  "sslnegotiation",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "application_name",
  "fallback_application_name",
  "options",
  "connect_timeout",
  "keepalives",
  "keepalives_idle",
]);

/** A name of one of PostgreSQL's own settings, such as statement_timeout. */
const SERVER_SETTING =
  /(_timeout|^synchronous_commit|^search_path|^jit|^enable_[a-z_]+|^default_[a-z_]+|^work_mem|^timezone)$/i;

/**
 * Reads what stands behind the `?`. `isDoubtful`: it may be something else, and no unknown name is repeated.
 *
 * Throws AddressError with every problem.
 */
export function readParameters(query: string | undefined, isDoubtful: boolean): PostgresParameters {
  const problems: string[] = [];
  const values = new Map<string, string>();
  for (const piece of (query ?? "").split("&")) {
    if (piece === "") continue;
    try {
      const [name, value] = cutAt(piece, "=");
      if (value === undefined) throw new AddressError(["a parameter has no = and no value"]);
      const decoded = percentDecoded(name, "the name of a parameter");
      const problem = nameProblem(decoded, isDoubtful);
      if (problem !== undefined) throw new AddressError([problem]);
      values.set(decoded, percentDecoded(value, decoded));
    } catch (error) {
      if (!(error instanceof AddressError)) throw error;
      problems.push(...error.problems);
    }
  }
  for (const [name, value] of values) {
    const expected = AS_IT_IS[name];
    if (expected !== undefined && !expected.includes(value)) {
      problems.push(`${name}: expected ${expected.join(" or ")}`);
    }
  }
  const parameters = parametersOf(values, problems);
  if (problems.length > 0) throw new AddressError(problems);
  return parameters;
}

function nameProblem(name: string, isDoubtful: boolean): string | undefined {
  if (READ.has(name) || Object.hasOwn(AS_IT_IS, name) || MARKS.has(name) || Object.hasOwn(UNPREPARED, name)) {
    return undefined;
  }
  if (Object.hasOwn(REFUSED, name)) return `${name} can't be honoured: ${REFUSED[name]}`;
  if (isDoubtful || !/^[A-Za-z][A-Za-z0-9_.]{0,62}$/.test(name)) return "a parameter has a name that is not known";
  if (SERVER_SETTING.test(name)) {
    return `${name} is a setting of the server, and those are the role's: alter role ... set ${name} = ...`;
  }
  return `the parameter ${name} is not known`;
}

function parametersOf(values: ReadonlyMap<string, string>, problems: string[]): PostgresParameters {
  const whole = (name: string, min: number): number | undefined => {
    const value = values.get(name);
    if (value === undefined) return undefined;
    if (/^-?\d{1,9}$/.test(value) && Number(value) >= min) return Number(value);
    problems.push(`${name}: expected a whole number of seconds${min >= 0 ? `, ${min} or more` : ""}`);
  };
  const options = values.get("options");
  if (options !== undefined) problems.push(...optionsProblem(options));
  const keepalives = values.get("keepalives") ?? "1";
  if (!/^[01]$/.test(keepalives)) problems.push("keepalives: expected 0 or 1");
  const idleS = whole("keepalives_idle", 0) || undefined;
  const tls = tlsOf(values, problems);
  const unprepared = Object.keys(UNPREPARED).filter((name) => {
    const value = values.get(name);
    if (value === undefined) return false;
    const { off, on } = UNPREPARED[name]!;
    if (![...off, ...on].includes(value)) problems.push(`${name}: expected ${[...off, ...on].join(" or ")}`);
    return off.includes(value);
  });
  const binding = values.get("channel_binding") ?? "prefer";
  return {
    given: Object.fromEntries(PARTS.filter((name) => values.has(name)).map((name) => [name, values.get(name)!])),
    tls,
    channelBinding: binding as PostgresParameters["channelBinding"],
    applicationName: values.get("application_name") || values.get("fallback_application_name") || undefined,
    options: options || undefined,
    connectTimeoutS: whole("connect_timeout", -Infinity),
    keepaliveIdleS: keepalives === "0" ? 0 : idleS,
    prepare: unprepared.length === 0,
    notes: [
      ...[...values.keys()].filter((name) => MARKS.has(name)).map((name) =>
        `${name} is a mark of a provider's and changes nothing`
      ),
      ...(tls.mode === "disable" && (tls.rootCertificate ?? tls.own) !== undefined
        ? ["sslrootcert, sslcert and sslkey change nothing with sslmode=disable"]
        : []),
      ...(keepalives === "0" && idleS !== undefined ? ["keepalives_idle changes nothing with keepalives=0"] : []),
    ],
  };
}

/** `ssl=true` is libpq's own word for `sslmode=require`, and its other values are those of drivers. */
function sslModeOf(values: ReadonlyMap<string, string>, problems: string[]): SslMode | undefined {
  const isMode = (value: string): value is SslMode => (SSL_MODES as readonly string[]).includes(value);
  const mode = values.get("sslmode");
  if (mode !== undefined && !isMode(mode)) {
    problems.push(`sslmode: expected ${SSL_MODES.join(", ")}`);
    return undefined;
  }
  const ssl = values.get("ssl");
  if (ssl === undefined) return mode;
  const said = ssl === "true" || ssl === "1" ? "require" : ssl === "false" || ssl === "0" ? "disable" : ssl;
  if (!isMode(said)) problems.push("ssl: expected true; sslmode says more");
  else if (mode === undefined) return said;
  else if ((said === "disable") !== (mode === "disable")) problems.push("ssl and sslmode say different things");
  return mode;
}

function tlsOf(values: ReadonlyMap<string, string>, problems: string[]): PostgresTls {
  let mode = sslModeOf(values, problems);
  const rootCertificate = values.get("sslrootcert") || undefined;
  if (rootCertificate === "system") {
    mode ??= "verify-full";
    if (mode !== "verify-full") problems.push("sslrootcert=system needs sslmode=verify-full");
  }
  const [certificate, key] = [values.get("sslcert"), values.get("sslkey")];
  if ((certificate === undefined) !== (key === undefined)) {
    problems.push("sslcert and sslkey: expected both or neither");
  }
  const negotiation = values.get("sslnegotiation") ?? "postgres";
  if (!["postgres", "direct"].includes(negotiation)) problems.push("sslnegotiation: expected postgres or direct");
  const isStrong = mode === "require" || mode === "verify-ca" || mode === "verify-full";
  if (negotiation === "direct" && !isStrong) problems.push("sslnegotiation=direct needs sslmode=require or stronger");
  if (values.get("channel_binding") === "require" && mode === "disable") {
    problems.push("channel_binding=require needs TLS, and sslmode is disable");
  }
  return {
    mode,
    direct: negotiation === "direct",
    rootCertificate,
    own: certificate && key ? { certificate, key } : undefined,
  };
}
