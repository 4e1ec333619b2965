/** Where a process shows its metrics and its health. */

/** The address of an admin port. */
export interface AdminAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Somebody has set the port: a process that can't have it does not start. */
  readonly isGiven: boolean;
}

/** The address of one of several workers, counted from 1: the one that sums them up is the first of the ports. */
export function workerAdmin(admin: AdminAddress | undefined, worker: number): AdminAddress | undefined {
  if (admin === undefined || admin.port === 0) return admin;
  return { ...admin, port: admin.port + worker };
}
