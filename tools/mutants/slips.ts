/** All slips, folder by folder. */
import type { Slip } from "./plant.ts";
import { ADMIN_SLIPS } from "./slips/admin.ts";
import { CONSOLE_SLIPS } from "./slips/console.ts";
import { CREDENTIAL_SLIPS } from "./slips/credentials.ts";
import { CALLER_SLIPS } from "./slips/callers.ts";
import { HOLD_SLIPS } from "./slips/holds.ts";
import { INVENTORY_SLIPS } from "./slips/inventory.ts";
import { RETENTION_SLIPS } from "./slips/retention.ts";
import { KEPT_LEVEL_SLIPS } from "./slips/kept_levels.ts";
import { LANES_SLIPS } from "./slips/lanes.ts";
import { LIMITS_SLIPS } from "./slips/limits.ts";
import { LEAVING_SLIPS } from "./slips/leaving.ts";
import { LOCK_SLIPS } from "./slips/lock.ts";
import { MIGRATION_SLIPS } from "./slips/migrations.ts";
import { LIST_SLIPS } from "./slips/lists.ts";
import { GOODS_SLIPS } from "./slips/goods.ts";
import { RPC_SLIPS } from "./slips/rpc.ts";
import { STORE_SLIPS } from "./slips/store.ts";
import { TELEMETRY_SLIPS } from "./slips/telemetry.ts";
import { WATCH_SLIPS } from "./slips/watch.ts";
import { WORKERS_SLIPS } from "./slips/workers.ts";

/** What `deno task mutants` plants. */
export const SLIPS: readonly Slip[] = [
  ...ADMIN_SLIPS,
  ...CREDENTIAL_SLIPS,
  ...HOLD_SLIPS,
  ...INVENTORY_SLIPS,
  ...RETENTION_SLIPS,
  ...LANES_SLIPS,
  ...KEPT_LEVEL_SLIPS,
  ...LIMITS_SLIPS,
  ...LEAVING_SLIPS,
  ...LOCK_SLIPS,
  ...STORE_SLIPS,
  ...LIST_SLIPS,
  ...GOODS_SLIPS,
  ...RPC_SLIPS,
  ...CALLER_SLIPS,
  ...TELEMETRY_SLIPS,
  ...WORKERS_SLIPS,
  ...MIGRATION_SLIPS,
  ...WATCH_SLIPS,
  ...CONSOLE_SLIPS,
];
