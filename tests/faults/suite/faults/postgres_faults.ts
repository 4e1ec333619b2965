/** PostgreSQL, the links to it, and foreign sessions that block it. */
import postgres from "postgres";
import { setTimeout as delay } from "node:timers/promises";
import { migrate } from "../../../../src/migrate/main.ts";
import { stallCommits } from "../../../support/stalled_commits.ts";
import { type Fleet, HOT_GOODS } from "../fleet.ts";
import type { Link } from "../link.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { type Fault, fault, type Heal, membersOf, pickMember } from "./fault.ts";
import { parsePostgresAddress } from "../../../../src/config/postgres_address.ts";
import { SILENT } from "../../../support/silent_log.ts";

/** The kind of a write of sales alone, as the text of four bytes that such a parameter is. */
export const SALES_WRITE = "\0\0\0\x04sell";
/**
 * What only a statement that writes has among its parameters, which go over as text: the kinds of its movements. The
 * statement itself goes over once a connection, and in the mode `row` COMMIT comes right behind it.
 */
const WRITES = [SALES_WRITE, '{"sell"', '{"rollback"', '{"set"', '{"give_back"'];
/** From below what the program waits for a statement to well above it, in ms. */
const LATE_MS: readonly [number, number] = [1200, 4000];
/** Bytes of a connection that vanishes: of its greeting alone to several of its writes. */
const VANISHING_BYTES: readonly [number, number] = [100, 12_000];
/** More than the server takes. */
const CONNECTIONS_TRIED = 260;
const SESSION_S_MAX = 30;
/** Of these one is given back while a stranger has it locked. */
const RECENT_CALLS_MAX = 200;

function onServer(name: string, harm: (stage: Stage) => Promise<Heal>, more: Partial<Fault> = {}): Fault {
  return fault(name, "postgres", harm, { holdMs: [50, 600], ...more });
}

/** Something done to the link of one process. */
function onLink(name: string, harm: (link: Link, random: Random) => void): Fault {
  return fault(name, "postgres", (stage, random) => {
    const link = pickMember(stage, random)?.postgres;
    if (link === undefined) return Promise.resolve(undefined);
    harm(link, random);
    return Promise.resolve(() => Promise.resolve(link.heal()));
  });
}

/** A session of the owner's on a fleet's database. */
function session({ ownerUrl }: Fleet): postgres.Sql {
  return postgres(ownerUrl, {
    max: 1,
    connect_timeout: 3,
    onnotice: () => {},
    connection: { idle_in_transaction_session_timeout: SESSION_S_MAX * 1000, lock_timeout: 1000 },
  });
}

/** Locks rows in the wrong order, so that whoever locks them in the right one meets it in the middle. */
const deadlocks = fault("foreign session locks rows in the wrong order", "postgres", (stage, random) => {
  const fleet = random.pick(stage.fleets);
  const sql = session(fleet);
  let over = false;
  const locking = (async () => {
    while (!over) {
      await sql.begin(async (block) => {
        for (const goodsId of [6, 4, 2, 1].map((place) => fleet.firstGoods + place)) {
          await block`select 1 from levels where goods_id = ${goodsId} for update`;
          await delay(30);
        }
      }).catch(() => {});
      await delay(30);
    }
  })();
  return Promise.resolve(async () => {
    over = true;
    await locking;
    await sql.end({ timeout: 1 });
  });
});

const lockedRows = fault("foreign session locks hot rows", "postgres", async (stage, random) => {
  const fleet = random.pick(stage.fleets);
  const sql = session(fleet);
  const stranger = await sql.reserve();
  await stranger`begin`;
  await stranger`
    select 1 from levels where goods_id between ${fleet.firstGoods} and ${fleet.firstGoods + HOT_GOODS - 1} for update`;
  return async () => {
    await stranger`rollback`.catch(() => {});
    stranger.release();
    await sql.end({ timeout: 1 });
  };
});

/**
 * Somebody has forgotten a session in which he looked at an order: who gives that order back waits, and nobody else.
 */
const lockedOrder = fault("foreign session locks one order", "postgres", async (stage, random) => {
  const fleet = random.pick(stage.fleets);
  const sold = fleet.calls.slice(-RECENT_CALLS_MAX).flatMap(({ request, answer }) =>
    request.kind === "sell" && answer.outcome === "ok" ? [request] : []
  );
  if (sold.length === 0) return undefined;
  const { orderId, lines } = random.pick(sold);
  const sql = session(fleet);
  const stranger = await sql.reserve();
  await stranger`begin`;
  await stranger`select 1 from orders where order_id = ${orderId} for update`;
  fleet.lockedOrder = { orderId, lines };
  return async () => {
    fleet.lockedOrder = undefined;
    await stranger`rollback`.catch(() => {});
    stranger.release();
    await sql.end({ timeout: 1 });
  };
});

/** As a backup or a report keeps it: what it may still see can't be cleared away. */
const keptSnapshot = fault("foreign session keeps a snapshot", "postgres", async (stage, random) => {
  const sql = session(random.pick(stage.fleets));
  const stranger = await sql.reserve();
  await stranger`begin isolation level repeatable read`;
  await stranger`select count(*) from levels`;
  return async () => {
    await stranger`rollback`.catch(() => {});
    stranger.release();
    await sql.end({ timeout: 1 });
  };
});

/** Commits are made and not answered, for longer than the program waits: as long as the standby is away. */
const noStandby = fault("commits wait for a standby that does not answer", "postgres", async (stage) => {
  const { heal } = await stallCommits(stage.postgres.ownerUrl("postgres"));
  return heal;
}, { holdMs: [2000, 4000] });

/** On each link one packet with a write comes late; everything else goes on. */
const latePackets = fault("a packet with a write comes seconds late", "postgres", (stage, random) => {
  const links = membersOf(stage).map(({ postgres }) => postgres);
  for (const link of links) {
    const lateMs = random.integer(...LATE_MS);
    link.delayOne({ at: WRITES, comesAfter: () => delay(lateMs) });
  }
  return Promise.resolve(() => Promise.resolve(links.forEach((link) => link.heal())));
}, { holdMs: [500, 2500] });

/** A process' connections vanish without a word; `fresh`: when they have just been made. */
function vanishing(name: string, fresh: boolean): Fault {
  return fault(name, "postgres", async (stage, random) => {
    const member = pickMember(stage, random);
    if (member === undefined) return undefined;
    const link = member.postgres;
    const [least, most] = VANISHING_BYTES;
    link.vanishAfter(Math.round(least * (most / least) ** random.next()));
    // Of its own database alone: what others have left behind is to be found by those that need it.
    if (fresh) await terminate(stage, stage.fleets.find(({ members }) => members.includes(member))?.name);
    return () => Promise.resolve(link.heal());
  });
}

/** Ends all connections of the service, or those to one database. */
async function terminate({ postgres: server }: Stage, database?: string): Promise<void> {
  const sql = postgres(server.ownerUrl("postgres"), { max: 1, onnotice: () => {} });
  try {
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'holdfast' and datname = coalesce(${database ?? null}, datname)`;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Every transaction of the server's role is serializable for a while: conflicts end with 40001 instead of waiting. */
const serializable = fault("serialization errors", "postgres", async (stage) => {
  const sql = postgres(stage.postgres.ownerUrl("postgres"), { max: 1, onnotice: () => {} });
  const again = async () =>
    void await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'holdfast'`;
  await sql`alter role holdfast_server set default_transaction_isolation = 'serializable'`;
  await again();
  return async () => {
    await sql`alter role holdfast_server reset default_transaction_isolation`;
    await again();
    await sql.end({ timeout: 1 });
  };
});

/** The server takes nobody any more, and ends those that it has, so that they must come again. */
const allTaken = fault("all connections taken", "postgres", async (stage) => {
  const owner = postgres(stage.postgres.ownerUrl("postgres"), { max: 1, onnotice: () => {} });
  await owner`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'holdfast'`;
  const taken = Array.from({ length: CONNECTIONS_TRIED }, () => {
    return postgres(stage.postgres.serverUrl("postgres"), { max: 1, connect_timeout: 3, onnotice: () => {} });
  });
  await Promise.allSettled(taken.map((sql) => sql`select 1`));
  return async () => {
    await Promise.allSettled([owner, ...taken].map((sql) => sql.end({ timeout: 1 })));
  };
}, { weight: 0.5 });

const terminated = fault("all connections terminated", "postgres", async (stage) => {
  await terminate(stage);
  return () => Promise.resolve();
}, { holdMs: [50, 200] });

/** Until it is emptied again nothing can be added to the tables. */
const diskFull = fault("disk of the tables full", "postgres", async ({ disk }) => {
  if (disk === undefined) return undefined;
  await disk.fill();
  return () => disk.empty();
});

/** The project's own migrations, and a column as a newer version brings it, added and taken away while all serve. */
const migration = fault(
  "migration beside serving processes",
  "postgres",
  async ({ fleets, postgres: server }, random) => {
    const { name, ownerUrl } = random.pick(fleets);
    await migrate({
      owner: parsePostgresAddress(ownerUrl),
      server: parsePostgresAddress(server.serverUrl(name)),
      direction: "up",
      log: SILENT,
    });
    const sql = postgres(ownerUrl, { max: 1, onnotice: () => {}, connection: { lock_timeout: 1000 } });
    await sql`alter table orders add column if not exists later text`.catch(() => {});
    return async () => {
      await sql`alter table orders drop column if exists later`.catch(() => {});
      await sql.end({ timeout: 1 });
    };
  },
);

export const POSTGRES_FAULTS: readonly Fault[] = [
  onServer("postgres restarted", async ({ postgres }) => {
    await postgres.stop("fast");
    return () => postgres.start();
  }),
  onServer("postgres killed and recovered", async ({ postgres }) => {
    await postgres.kill();
    return () => postgres.start();
  }, { weight: 1.5 }),
  ...(["before", "after"] as const).map((when) =>
    onLink(`postgres link cut ${when} the commit was sent`, (link, random) => {
      link.cutAt({ at: random.pick(WRITES), when });
    })
  ),
  onLink("postgres answers dropped", (link) => link.dropAnswers()),
  onLink("postgres link cut", (link) => link.sever()),
  onLink("postgres link half-closed", (link) => link.halfClose()),
  onLink("postgres link stalled", (link) => link.stall()),
  onLink("postgres link slow", (link) => link.slow(60)),
  noStandby,
  latePackets,
  vanishing("postgres connections vanish without a word", false),
  vanishing("connections terminated, fresh ones vanish without a word", true),
  deadlocks,
  lockedRows,
  lockedOrder,
  keptSnapshot,
  serializable,
  allTaken,
  terminated,
  diskFull,
  migration,
];
