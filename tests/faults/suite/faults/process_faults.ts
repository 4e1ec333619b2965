/** Processes that stop or end, at random and at the points where it hurts. */
import { LOCK_TTL_MS, type Member } from "../fleet.ts";
import { type Point, POINTS } from "../protections/points.ts";
import { type Fault, fault, type Heal, pickMember } from "./fault.ts";

/** An operation comes by well within this. */
const POINT_MS_MAX = 1500;

/** Brings a process that ended back. */
function restart(member: Member): Heal {
  return async () => {
    await member.kill();
    await member.start();
  };
}

function killed(): Fault {
  return fault("process killed", "process", async (stage, random) => {
    const member = pickMember(stage, random, ({ isWitness }) => !isWitness);
    await member?.kill();
    return member && restart(member);
  }, { holdMs: [100, 800], weight: 2 });
}

function killedAt(point: Point): Fault {
  return fault(`process killed ${point.replace("_", " ")}`, "process", async (stage, random) => {
    const member = pickMember(stage, random, ({ isWitness, redis }) => {
      return !isWitness && (point !== "after_lease" || redis.length > 0);
    });
    if (member?.server === undefined || !await stands(member, point)) return undefined;
    await member.kill();
    return restart(member);
  }, { holdMs: [100, 800] });
}

/** Stopped as a whole, for longer than its lease lives, in the middle of an operation where a point is given. */
function frozen(point: Point | undefined): Fault {
  const where = point === undefined ? "" : ` ${point.replace("_", " ")}`;
  return fault(`process paused beyond the TTL${where}`, "process", async (stage, random) => {
    const member = pickMember(stage, random, ({ redis }) => point !== "after_lease" || redis.length > 0);
    const server = member?.server;
    if (server === undefined || (point !== undefined && !await stands(member!, point))) return undefined;
    server.signal("SIGSTOP");
    return async () => {
      server.signal("SIGCONT");
      await server.go();
    };
  }, { holdMs: [LOCK_TTL_MS + 100, LOCK_TTL_MS + 400], weight: 0.25 });
}

/** Whether an operation of the process stands at the point now. */
async function stands({ server }: Member, point: Point): Promise<boolean> {
  if (server === undefined) return false;
  const came = server.stopAt(point, POINT_MS_MAX).then(() => server.at(point, POINT_MS_MAX));
  if (await came.then(() => true, () => false)) return true;
  await server.forget();
  await server.go();
  return false;
}

export const PROCESS_FAULTS: readonly Fault[] = [
  killed(),
  ...POINTS.map(killedAt),
  frozen(undefined),
  ...POINTS.map(frozen),
  fault("process paused for a moment", "process", (stage, random) => {
    const server = pickMember(stage, random)?.server;
    server?.signal("SIGSTOP");
    return Promise.resolve(server && (() => Promise.resolve(server.signal("SIGCONT"))));
    // Up to what a loop that stands still in the middle of its own work costs: nothing is read, and every timer is
    // late.
  }, { holdMs: [300, 3000] }),
];
