/**
 * The address of a PostgreSQL, as libpq reads it (PostgreSQL manual, 34.1.1.2):
 * `postgres://user:password@host:5432,host:5432/database?parameter=value`. What can't be honoured is refused by the
 * name of its parameter. Pure.
 */
import {
  AddressError,
  addressParts,
  cutAt,
  hostAndPort,
  hostText,
  isHostName,
  isLoopback,
  percentDecoded,
  portNumber,
  triedInto,
} from "./address_text.ts";
import { type PostgresParameters, readParameters } from "./postgres_parameters.ts";

/** One place where PostgreSQL may be. */
export interface PostgresHost {
  /** A name in lower case, an address without brackets, or the directory of a socket. */
  readonly name: string;
  readonly port: number;
  /** Where the connection goes, as node:net takes it. */
  readonly dial: { readonly host: string; readonly port: number } | { readonly path: string };
}

/** Where a PostgreSQL is, who asks it, and how; each part decoded. */
export interface PostgresAddress extends Omit<PostgresParameters, "given"> {
  /** One or more. Of several, the one that takes writes is meant. */
  readonly hosts: readonly PostgresHost[];
  readonly user: string;
  /** Undefined: none is given. */
  readonly password: string | undefined;
  readonly database: string;
}

/** More than this is no cluster, and each is asked when the one that takes writes is looked for. */
const HOSTS_MAX = 10;

const PORT = "5432";
const EXPECTED = "expected an address such as postgres://user:password@host:5432/database";

/**
 * Reads an address; `userDefault`: who asks where no user is given, else there must be one. Throws AddressError with
 * every problem, none of which repeats a value.
 */
export function parsePostgresAddress(text: string, userDefault = ""): PostgresAddress {
  const [, rest] = /^postgres(?:ql)?:\/\/(.*)$/is.exec(text.trim()) ?? [];
  if (rest === undefined) throw new AddressError([EXPECTED]);
  const { userInfo, authority, path, query } = addressParts(rest);
  const problems: string[] = [];
  const tried = triedInto(problems);
  const [user, password] = tried(() => userAndPassword(userInfo)) ?? [];
  const named = tried(() => hostList(authority));
  const database = tried(() => percentDecoded(path ?? "", "the database"));
  // Of an address without a user, or that can't be read so far, what stands behind the ? may be the rest of a password.
  const parameters = tried(() => readParameters(query, problems.length > 0 || userInfo === undefined));
  const over = parameters?.given;
  const hosts = tried(() =>
    hostsOf(over?.host?.split(",") ?? named?.names ?? [""], over?.port?.split(",") ?? named?.ports ?? [""])
  );
  const finalUser = (over?.user ?? user) || userDefault;
  if (problems.length === 0 && finalUser === "") problems.push(`the user is missing; ${EXPECTED}`);
  if (problems.length > 0 || parameters === undefined || hosts === undefined) throw new AddressError(problems);
  const { given, ...others } = parameters;
  return {
    ...others,
    notes: [...others.notes, ...hostNotes(hosts, given)],
    hosts,
    user: finalUser,
    password: (given.password ?? password) || undefined,
    database: (given.dbname ?? database) || finalUser,
  };
}

/** The same address, leading to one of its hosts only. */
export function withOneHost(address: PostgresAddress, index: number): PostgresAddress {
  const host = address.hosts[index];
  if (host === undefined) throw new RangeError(`there is no host ${index}`);
  return { ...address, hosts: [host] };
}

/** Where a host is, as anybody may know it. */
export function postgresHostText({ name, port, dial }: PostgresHost): string {
  return "path" in dial ? dial.path : hostAndPort(name, port);
}

/** Whether the host can't be anything but this machine. */
export function isThisMachine(host: PostgresHost): boolean {
  return "path" in host.dial || isLoopback(host.name);
}

function userAndPassword(userInfo: string | undefined): [user?: string, password?: string] {
  if (userInfo === undefined) return [];
  const [user, password] = cutAt(userInfo, ":");
  return [percentDecoded(user, "the user"), percentDecoded(password ?? "", "the password")];
}

/** The names and the ports in `host:port,host:port`, "" where one is not there. */
function hostList(authority: string): { names: string[]; ports: string[] } {
  const texts = authority.split(",").map((text) => hostText(text));
  const wrong = texts.indexOf(undefined);
  if (wrong >= 0) throw new AddressError([`${placeOf(wrong, texts.length)} is no host:port, nor [address]:port`]);
  const found = texts as NonNullable<typeof texts[number]>[];
  // A name may be of a list of its own, behind %2C.
  return {
    names: percentDecoded(found.map(({ name }) => name).join(","), "the host").split(","),
    ports: found.map(({ port }) => port),
  };
}

function hostsOf(names: readonly string[], ports: readonly string[]): PostgresHost[] {
  if (names.length > HOSTS_MAX) {
    throw new AddressError([`there are ${names.length} hosts; expected up to ${HOSTS_MAX}`]);
  }
  if (ports.length !== 1 && ports.length !== names.length) {
    throw new AddressError([
      `there are ${ports.length} ports for ${names.length} hosts; expected one, or one for each`,
    ]);
  }
  const problems: string[] = [];
  const hosts = names.map((given, i): PostgresHost => {
    const place = placeOf(i, names.length);
    const port = portNumber((ports.length === 1 ? ports[0] : ports[i]) || PORT);
    if (port === undefined) problems.push(`the port of ${place} is no number from 1 to 65535`);
    const name = given === "" && names.length === 1 ? "localhost" : given;
    const isDirectory = name.startsWith("/");
    if (!isDirectory && !isHostName(name)) {
      problems.push(`${place} is no name, nor an address (an IPv6 one in brackets), nor the directory of a socket`);
    }
    const at = port ?? 0;
    return isDirectory
      ? { name, port: at, dial: { path: `${name.replace(/\/+$/, "")}/.s.PGSQL.${at}` } }
      : { name: name.toLowerCase(), port: at, dial: { host: name.toLowerCase(), port: at } };
  });
  const keys = hosts.map(postgresHostText);
  if (new Set(keys).size < keys.length) problems.push("a host stands in it twice");
  if (problems.length > 0) throw new AddressError(problems);
  return hosts;
}

function hostNotes(hosts: readonly PostgresHost[], given: PostgresParameters["given"]): string[] {
  const isMeant = given.load_balance_hosts === "random" && hosts.length > 1;
  return isMeant
    ? ["load_balance_hosts changes nothing: of several hosts one takes writes, and that is found by asking all"]
    : [];
}

function placeOf(index: number, count: number): string {
  return count === 1 ? "the host" : `host ${index + 1} of ${count}`;
}
