/** A door at which a test stops what goes through it. */

/** A door that what goes through it waits at, once it is shut. */
export function door() {
  let shut = Promise.withResolvers<void>();
  shut.resolve();
  let arrived = Promise.withResolvers<void>();
  return {
    shut() {
      shut = Promise.withResolvers<void>();
      arrived = Promise.withResolvers<void>();
    },
    open: () => shut.resolve(),
    /** Resolves when somebody waits at it. */
    arrived: () => arrived.promise,
    async pass() {
      arrived.resolve();
      await shut.promise;
    },
  };
}
