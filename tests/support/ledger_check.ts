/** Whether the database of a test is a whole ledger. */
import postgres from "postgres";
import { ledgerViolations } from "../../src/store/statements/doctor/ledger_violations.ts";

export { ledgerViolations };

/** All violations of a database, a sentence each. */
export async function checkLedger(ownerUrl: string): Promise<string[]> {
  // To compile a statement of that size takes longer than to run it.
  const sql = postgres(ownerUrl, { max: 1, onnotice: () => {}, connection: { jit: "off" } });
  try {
    return await ledgerViolations(sql);
  } finally {
    await sql.end();
  }
}
