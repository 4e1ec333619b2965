/** Counts by their reason, added up. Pure. */
export function together(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const [reason, count] of counts.flatMap((each) => Object.entries(each))) {
    all[reason] = (all[reason] ?? 0) + count;
  }
  return all;
}
