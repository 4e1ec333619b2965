/** The entry of the worker that all tabs share. */
export {};
