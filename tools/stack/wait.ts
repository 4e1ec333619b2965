/** Bounded waiting for what can only be looked at, such as a process or a file of another program. */

const LOOK_EVERY_MS = 20;

/**
 * Looks until `condition` holds.
 *
 * @returns true as soon as it holds, false when it did not within `msMax` milliseconds
 */
export async function until(condition: () => boolean | Promise<boolean>, msMax: number): Promise<boolean> {
  const deadline = performance.now() + msMax;
  while (!await condition()) {
    if (performance.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return true;
}

/**
 * Waits for `promise` at most `msMax` milliseconds.
 *
 * @returns true when it settled in time, whether it resolved or rejected
 */
export async function settled(promise: Promise<unknown>, msMax: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), msMax));
  try {
    return await Promise.race([promise.then(() => true, () => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
