/**
 * TLS, users and passwords of the nodes: who is let in and whom we trust, by real servers; a node that refuses is not
 * taken for one that is away, and a password may be replaced while the lock is in use.
 */
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { loadConfig } from "../../src/config/config.ts";
import { openNodesAccess } from "../../src/lock/nodes/access.ts";
import { createRedlock } from "../../src/lock/redlock.ts";
import { LeaseTakenError, type Lock, QuorumLostError } from "../../src/lock/lock.ts";
import type { NodeStatus } from "../../src/lock/status.ts";
import { acquired, LONG_TTL_MS } from "../support/lock_bench.ts";
import { testEnvironment } from "../support/env.ts";
import { storePath, tlsPath } from "../support/tls_postgres.ts";
import { startTlsRedis, type TlsRedis } from "../support/tls_redis.ts";
import { eventually } from "../support/eventually.ts";

const PASSWORDS = ["first-s3cret", "second-s3cret", "third-s3cret"];
/** As the page has it. */
const RULE = await ruleOfPage();
/** Two reach it as an address, one by its name. */
const HOSTS = ["127.0.0.1", "localhost", "127.0.0.1"];
/** What a node can't vote without. */
const NEEDED = ["info", "evalsha", "exists", "set", "mget", "pexpire", "del"];

async function ruleOfPage(): Promise<string[]> {
  const page = await Deno.readTextFile(new URL("../../docs/lock.md", import.meta.url));
  const line = page.split("\n").find((text) => text.startsWith("user holdfast "));
  assert(line !== undefined, "the page has no rule");
  return line.trim().split(" ").slice(2);
}

/** Locks that are closed at the end, and every line that they logged. */
class Locks implements AsyncDisposable {
  lines = "";
  readonly #nodes: readonly TlsRedis[];
  readonly #locks: Lock[] = [];

  constructor(nodes: readonly TlsRedis[]) {
    this.#nodes = nodes;
  }

  urls(password: string): string {
    return this.#nodes.map(({ tlsPort }, i) => `rediss://holdfast:${password}@${HOSTS[i]}:${tlsPort}`).join(",");
  }

  /** A lock on these settings, as the service makes it. */
  open(settings: Record<string, string>): Lock {
    const all: Record<string, string> = {
      REDIS_URLS: settings.REDIS_URLS_FILE ? "" : this.urls(PASSWORDS[0]!),
      ...settings,
    };
    const config = loadConfig((name) => all[name]);
    const note = (fields: Record<string, unknown>, message: string) => {
      this.lines += `${JSON.stringify(fields)} ${message}\n`;
    };
    const log = { debug: note, info: note, warn: note, error: note };
    const lock = createRedlock({
      nodes: config.redisNodes,
      access: openNodesAccess(config.redisNodes, { urls: config.redisUrlsFile, tls: config.redisTls }, log),
      ttlMs: LONG_TTL_MS,
      nodeTimeoutMs: 1000,
      quarantineMs: 0,
      keyPrefix: `${config.lockKeyPrefix}goods:`,
      random: Math.random,
      log,
    });
    this.#locks.push(lock);
    return lock;
  }

  /** Opens one, waits until its nodes stand so, and closes it. */
  async expect(
    settings: Record<string, string>,
    states: readonly NodeStatus["state"][],
    reason?: RegExp,
  ): Promise<void> {
    const lock = this.open(settings);
    await stands(lock, states, reason);
    await lock.close();
  }

  async [Symbol.asyncDispose]() {
    await Promise.all(this.#locks.map((lock) => lock.close()));
  }
}

/** Waits until the nodes stand so, those that are refused for this reason. */
async function stands(lock: Lock, states: readonly NodeStatus["state"][], reason = /^$/): Promise<void> {
  const all = () => lock.status().nodes;
  const isSo = async () => {
    // Has the nodes probed now, and not in a second.
    await lock.ping().catch(() => {});
    return all().every(({ state, reason: why = "" }, i) => state === states[i] && (state === "up" || reason.test(why)));
  };
  await eventually(isSo, `they are ${states}`).catch((error) => {
    throw new Error(`${error.message}: ${JSON.stringify(all().map(({ state, reason: why }) => [state, why]))}`);
  });
}

const UP = ["up", "up", "up"] as const;
const REFUSED = ["refused", "refused", "refused"] as const;
const CA = { REDIS_TLS_CA_FILE: storePath("authority.pem") };
const OWN = { REDIS_TLS_CERT_FILE: storePath("client.pem"), REDIS_TLS_KEY_FILE: storePath("key.pem") };

Deno.test({
  name: "nodes are spoken to under TLS by a user with the least rights, and one that refuses is no node that is away",
  // A container does not see the certificates.
  ignore: testEnvironment().redisProgram.kind === "docker",
  fn: async (t) => {
    await using servers = await startTlsRedis();
    const { nodes } = servers;
    await using locks = new Locks(nodes);
    const ofAll = (name: string, ...args: string[]) => Promise.all(nodes.map(({ owner }) => owner.call(name, ...args)));
    const setUser = (...rules: string[]) => ofAll("acl", "setuser", "holdfast", ...rules);
    await setUser(...RULE.map((rule) => rule === ">password" ? `>${PASSWORDS[0]}` : rule));

    await t.step("a trusted authority and the right names, an address and a name among them", async () => {
      const lock = locks.open(CA);
      await stands(lock, UP);
      await (await acquired(lock, [1, 2, 3], 5000)).release();
      // What is sent in one tick goes in one write, under TLS too.
      const together = await Promise.all([[1, 2, 3], [4], [5, 6]].map((goods) => lock.acquire(goods)));
      await Promise.all([...together.map((lease) => lease.release()), lock.wantedByOthers([1])]);
      // A vote that comes behind a lease that is certain counts later.
      const votes = () => lock.status().nodes.map(({ votesFor }) => votesFor).join();
      await eventually(() => votes() === "4,4,4", "each node has voted for all of them");
      await lock.close();
    });

    await t.step("an authority that is not trusted", async () => {
      const why = /^its certificate is not taken: .*certificate/;
      await locks.expect({ REDIS_TLS_CA_FILE: tlsPath("other_authority.pem") }, REFUSED, why);
      await locks.expect({}, REFUSED, why);
    });

    await t.step("another name, or one that is out of its time, is one vote less, and a lease is had", async () => {
      await nodes[1]!.present("other_name.pem");
      const lock = locks.open(CA);
      await stands(lock, ["up", "refused", "up"], /^its certificate is not taken: .*altnames/);
      await (await acquired(lock, [1], 5000)).release();
      await nodes[0]!.present("other_name.pem");
      await stands(lock, ["refused", "refused", "up"], /altnames/);
      const refusal = await lock.acquire([1]).catch((error) => error);
      assertInstanceOf(refusal, QuorumLostError);
      assert(refusal.message.includes("its certificate is not taken"), refusal.message);
      await nodes[0]!.present("server.pem");
      await nodes[1]!.present("server.pem");
      await stands(lock, UP);
      await nodes[2]!.present("expired.pem");
      await stands(lock, ["up", "up", "refused"], /^its certificate is not taken: .*out of its time/);
      await nodes[2]!.present("server.pem");
      await lock.close();
    });

    await t.step("a certificate of ours, where the nodes want one", async () => {
      await Promise.all(nodes.map((node) => node.present("server.pem", true)));
      await locks.expect({ ...CA, ...OWN }, UP);
      await locks.expect(CA, REFUSED, /^it refuses the log-in: .*(certificate|handshake)/i);

      // One of another authority, which is replaced.
      const dir = await Deno.makeTempDir();
      const own = { REDIS_TLS_CERT_FILE: `${dir}/cert.pem`, REDIS_TLS_KEY_FILE: `${dir}/key.pem` };
      const place = async (certificate: string, key: string) => {
        await Deno.copyFile(certificate, own.REDIS_TLS_CERT_FILE);
        await Deno.copyFile(key, own.REDIS_TLS_KEY_FILE);
      };
      await place(tlsPath("server_role.pem"), tlsPath("server_role_key.pem"));
      const lock = locks.open({ ...CA, ...own });
      await stands(lock, REFUSED, /^it refuses the log-in: /);
      // In between the key is not that of the certificate.
      await Deno.copyFile(storePath("client.pem"), own.REDIS_TLS_CERT_FILE);
      await eventually(
        () => locks.lines.includes("REDIS_TLS_KEY_FILE: expected the key of the certificate"),
        "it is said",
      );
      await place(storePath("client.pem"), storePath("key.pem"));
      await stands(lock, UP);
      await lock.close();
      await Deno.remove(dir, { recursive: true });
      await Promise.all(nodes.map((node) => node.present("server.pem")));
    });

    await t.step("each of the commands of the page's rule is needed, and none beside them", async () => {
      const [lock, other] = [locks.open(CA), locks.open(CA)];
      await stands(lock, UP);
      await stands(other, UP);
      const lease = await acquired(lock, [1, 2], 5000);
      await lease.extend();
      const refusal = await assertRejects(() => other.acquire([2, 3]), LeaseTakenError);
      assertEquals(refusal.stockKeys, [2]);
      await eventually(async () => (await lock.wantedByOthers([2])).length === 1, "the hint is seen");
      await lease.release();
      await other.close();
      for (const command of NEEDED) {
        await setUser(`-${command}`);
        await Promise.all(nodes.map((node) => node.cut()));
        await stands(lock, ["down", "down", "down"], /^it can't vote: (NOPERM|.*ACL failure|ERR The user executing)/);
        await setUser(`+${command}`);
        await stands(lock, UP);
      }
      await setUser("-eval");
      await ofAll("script", "flush");
      await stands(lock, ["down", "down", "down"], /^it can't vote: NOPERM .*eval/);
      await setUser("+eval");
      await stands(lock, UP);
      await (await acquired(lock, [1, 2], 5000)).release();
      await lock.close();
      assertEquals(
        RULE.filter((rule) => rule.startsWith("+")).sort(),
        [...NEEDED, "eval", "script|load"].map((name) => `+${name}`).sort(),
      );
    });

    await t.step("a password that is wrong, replaced, or taken back, in the middle of the work", async () => {
      const anybody = locks.urls("").replaceAll("holdfast:@", "");
      await locks.expect({ ...CA, REDIS_URLS: anybody }, REFUSED, /^it refuses the log-in: NOAUTH/);
      const dir = await Deno.makeTempDir();
      const REDIS_URLS_FILE = `${dir}/nodes`;
      const write = (password: string) => Deno.writeTextFile(REDIS_URLS_FILE, `${locks.urls(password)}\n`);
      await write(PASSWORDS[1]!);
      const lock = locks.open({ ...CA, REDIS_URLS_FILE });
      await stands(lock, REFUSED, /^it refuses the log-in: WRONGPASS/);
      const refusal = await lock.ping().catch((error) => error);
      assert(refusal.message.includes("it refuses the log-in: WRONGPASS"), refusal.message);

      await write(PASSWORDS[0]!);
      await stands(lock, UP);

      // First on the nodes, then in the file.
      await setUser("resetpass", `>${PASSWORDS[2]}`);
      await Promise.all(nodes.map((node) => node.cut()));
      await stands(lock, REFUSED, /WRONGPASS/);
      await Deno.writeTextFile(REDIS_URLS_FILE, locks.urls(PASSWORDS[2]!).replace("127.0.0.1", "127.0.0.2"));
      await eventually(() => locks.lines.includes("more has changed than users and passwords"), "it is said");
      await write(PASSWORDS[2]!);
      await stands(lock, UP);
      await (await acquired(lock, [1], 5000)).release();

      await setUser("off");
      await Promise.all(nodes.map((node) => node.cut()));
      await stands(lock, REFUSED, /WRONGPASS/);
      await setUser("on");
      await stands(lock, UP);
      assertEquals(locks.lines.split("was read anew and is another one").length - 1, 3);
      for (const secret of PASSWORDS) assert(!locks.lines.includes(secret), "a password was logged");
      assert(locks.lines.includes("it refuses the log-in: WRONGPASS"), locks.lines);
      await lock.close();
      await Deno.remove(dir, { recursive: true });
    });
  },
});
