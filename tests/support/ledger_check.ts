export function checkLedger(_u: string): Promise<string[]> { return Promise.resolve([]); }
