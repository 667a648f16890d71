/** The wanted port when it is free on both loopback addresses, else any free one. */
export function freePort(wanted: number): Promise<number>;
