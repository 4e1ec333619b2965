/** The migrations that this version comes with. */
import { fileURLToPath } from "node:url";

/** Where they are. */
export function migrationsDirectory(): string {
  return fileURLToPath(new URL("../../migrations", import.meta.url));
}

/** Their numbers, as schema_migrations has them, ascending. */
export function knownMigrations(): string[] {
  const names = [...Deno.readDirSync(migrationsDirectory())].map(({ name }) => name);
  return names.filter((name) => name.endsWith(".sql")).map((name) => name.split("_")[0]!).sort();
}
