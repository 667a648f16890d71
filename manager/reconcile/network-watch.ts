/** Detects network changes and sleep, after which connections may be dead. */
import { networkInterfaces } from "node:os";

export interface NetworkSample {
  /** Of the wall clock, which goes on while the machine sleeps. Milliseconds. */
  wall: number;
  /** Of a clock that never goes back, and that stands still meanwhile on most systems. Milliseconds. */
  steady: number;
  /** The addresses of this machine, comparable. */
  addresses: string;
}

/** A larger difference means that a clock was set or stood still. */
const JUMP_MS = 5_000;
/** A longer gap between samples means that the process stood still. */
const PAUSE_MS = 15_000;

export class NetworkWatch {
  #last: NetworkSample;

  constructor(first: NetworkSample) {
    this.#last = first;
  }

  /** True when something changed since the previous sample. */
  hasChanged(now: NetworkSample): boolean {
    const last = this.#last;
    this.#last = now;
    const [wall, steady] = [now.wall - last.wall, now.steady - last.steady];
    return now.addresses !== last.addresses || Math.abs(wall - steady) > JUMP_MS || steady > PAUSE_MS;
  }
}

export function sampleNetwork(): NetworkSample {
  return { wall: Date.now(), steady: performance.now(), addresses: addressesOf(networkInterfaces()) };
}

/** Routable addresses only: containers add and remove link-local ones. */
export function addressesOf(interfaces: ReturnType<typeof networkInterfaces>): string {
  const all = Object.entries(interfaces).flatMap(([name, addresses]) =>
    (addresses ?? []).filter(leadsOut).map(({ cidr, address }) => `${name} ${cidr ?? address}`),
  );
  return all.sort().join(", ");
}

function leadsOut({ internal, address }: { internal: boolean; address: string }): boolean {
  return !internal && !/^(fe80:|169\.254\.)/i.test(address);
}
