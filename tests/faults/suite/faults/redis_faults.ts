/** The nodes of the lock, and the links to them. */
import { Redis } from "ioredis";
import { setTimeout as delay } from "node:timers/promises";
import type { PrivateRedis } from "../../../../tools/stack/redis.ts";
import { LOCK_NODE_TIMEOUT_MS, LOCK_TTL_MS, LOCK_WAIT_MS_MAX, type Member } from "../fleet.ts";
import type { Link } from "../link.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { type Fault, fault, type LockLoss, membersOf, pickMember } from "./fault.ts";

const NODES = 5;
const KEYS = "holdfast:goods:*";
/** Long enough for some dozens of calls to be measured. */
const MEASURED_MS = [800, 1500] as const;

function lossOf(count: number): LockLoss {
  return count > NODES / 2 ? "quorum" : "minority";
}

/** Without a quorum callers wait for as long as they may before they are answered, and that is to be seen. */
function holdOf(lockLoss: LockLoss): Partial<Fault> {
  if (lockLoss !== "quorum") return { holdMs: MEASURED_MS };
  return { holdMs: [LOCK_WAIT_MS_MAX + 200, LOCK_WAIT_MS_MAX + 900], weight: 0.5 };
}

/** Redis that is killed, and comes back without a key when it is healed, within the TTL of what it gave away. */
function down(count: number): Fault {
  return fault(`redis down x${count}`, "redis", async ({ redis }, random) => {
    const nodes = random.sample(redis, count);
    await Promise.all(nodes.map((node) => node.kill()));
    return async () => void await Promise.all(nodes.map((node) => node.start()));
  }, { lockLoss: lossOf(count), lockOnly: true, ...holdOf(lossOf(count)) });
}

function paused(count: number): Fault {
  return fault(`redis paused x${count}`, "redis", ({ redis }, random) => {
    const nodes = random.sample(redis, count);
    for (const node of nodes) node.pause();
    return Promise.resolve(() => Promise.resolve(nodes.forEach((node) => node.resume())));
  }, { lockLoss: lossOf(count), lockOnly: true, ...holdOf(lossOf(count)) });
}

function slow(name: string, count: number, delayMs: number, lockLoss: LockLoss): Fault {
  return onLinks(`redis ${name} x${count}`, count, (link) => link.slow(delayMs), { lockLoss });
}

/** Something done to the links of all processes to the same nodes. */
function onLinks(name: string, count: number, harm: (link: Link) => void, more: Partial<Fault>): Fault {
  return fault(name, "redis", (stage, random) => {
    const numbers = random.sample([...Array(NODES).keys()], count);
    const links = membersOf(stage).flatMap(({ redis }) => numbers.flatMap((number) => redis[number] ?? []));
    for (const link of links) harm(link);
    return Promise.resolve(() => Promise.resolve(links.forEach((link) => link.heal())));
  }, { lockLoss: lossOf(count), lockOnly: true, ...holdOf(more.lockLoss ?? lossOf(count)), ...more });
}

/** Something done to the links of one process only. */
function fromOne(name: string, count: number, harm: (link: Link) => void): Fault {
  return fault(name, "redis", (stage, random) => {
    const member = pickMember(stage, random, ({ redis }: Member) => redis.length > 0);
    if (member === undefined) return Promise.resolve(undefined);
    const links = random.sample(member.redis, count);
    for (const link of links) harm(link);
    return Promise.resolve(() => Promise.resolve(links.forEach((link) => link.heal())));
  }, { lockLoss: lossOf(count), lockOnly: true, ...holdOf(lossOf(count)) });
}

/** Restarted empty; with `afterTtl` only once every lease that it gave away is over. */
function restarted(count: number, afterTtl: boolean): Fault {
  const when = afterTtl ? "after" : "within";
  return fault(`redis restarted empty ${when} the TTL x${count}`, "redis", async ({ redis }, random) => {
    const nodes = random.sample(redis, count);
    const restart = async (node: PrivateRedis) => {
      await node.kill();
      if (!afterTtl) await node.start();
    };
    await Promise.all(nodes.map(restart));
    return async () => {
      if (afterTtl) await Promise.all(nodes.map((node) => node.start()));
    };
  }, {
    lockLoss: lossOf(count),
    lockOnly: true,
    ...holdOf(lossOf(count)),
    ...(afterTtl ? { holdMs: [LOCK_TTL_MS, LOCK_TTL_MS + 200] as const, weight: 0.25 } : {}),
  });
}

/** Keys that go before their time, as where a clock was set forward: one process thinks it has what another can get. */
function expired(name: string, expire: (node: Redis, key: string) => Promise<unknown>): Fault {
  return fault(name, "redis", ({ redis }: Stage, random: Random) => {
    const nodes = random.sample(redis, 3).map((node) => new Redis(node.url, { retryStrategy: () => null }));
    for (const node of nodes) node.on("error", () => {});
    let over = false;
    const expiring = (async () => {
      while (!over) {
        await Promise.allSettled(nodes.map(async (node) => {
          for (const key of await node.keys(KEYS)) await expire(node, key);
        }));
        await delay(20);
      }
    })();
    return Promise.resolve(async () => {
      over = true;
      await expiring;
      for (const node of nodes) node.disconnect();
    });
  }, { lockOnly: true });
}

/** What the others are compared with. */
export const CALM: Fault = fault("nothing at all", "redis", () => Promise.resolve(() => Promise.resolve()), {
  lockOnly: true,
  weight: 1.5,
  holdMs: MEASURED_MS,
});

export const REDIS_FAULTS: readonly Fault[] = [
  CALM,
  down(1),
  down(2),
  down(3),
  down(5),
  paused(1),
  paused(2),
  paused(3),
  slow("slower than the node limit", 2, LOCK_NODE_TIMEOUT_MS, "minority"),
  slow("slower than the node limit", 3, LOCK_NODE_TIMEOUT_MS, "quorum"),
  slow("just below the node limit", 2, Math.floor(LOCK_NODE_TIMEOUT_MS * 0.35), "minority"),
  slow("just below the node limit", 5, Math.floor(LOCK_NODE_TIMEOUT_MS * 0.35), "none"),
  restarted(2, false),
  restarted(3, false),
  restarted(2, true),
  restarted(3, true),
  expired("redis keys expired early", (node, key) => node.pexpire(key, 1)),
  expired("redis keys deleted", (node, key) => node.del(key)),
  fromOne("redis link of one process cut x2", 2, (link) => link.sever()),
  fromOne("redis link of one process cut x3", 3, (link) => link.sever()),
  fromOne("redis link of one process stalled x2", 2, (link) => link.stall()),
  onLinks("redis answers dropped x2", 2, (link) => link.dropAnswers(), {}),
  onLinks("redis answers dropped x3", 3, (link) => link.dropAnswers(), {}),
  onLinks("redis links half-closed x2", 2, (link) => link.halfClose(), {}),
];
