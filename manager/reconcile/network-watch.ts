/** Notices that the machine is on another network, or slept: then what is connected may only seem so. */
import { networkInterfaces } from "node:os";

export interface Moment {
  /** Of the wall clock, which goes on while the machine sleeps. Milliseconds. */
  wall: number;
  /** Of a clock that never goes back, and that stands still meanwhile on most systems. Milliseconds. */
  steady: number;
  /** The addresses of this machine, comparable. */
  addresses: string;
}

/** The clocks differ by more than that only when one was changed, or stood still. */
const JUMP_MS = 5_000;
/** Nobody looked for so long: the process stood still. */
const PAUSE_MS = 15_000;

export class NetworkWatch {
  #last: Moment;

  constructor(first: Moment) {
    this.#last = first;
  }

  /** True when something happened since the look before. */
  hasChanged(now: Moment): boolean {
    const last = this.#last;
    this.#last = now;
    const [wall, steady] = [now.wall - last.wall, now.steady - last.steady];
    return now.addresses !== last.addresses || Math.abs(wall - steady) > JUMP_MS || steady > PAUSE_MS;
  }
}

export function thisMoment(): Moment {
  return { wall: Date.now(), steady: performance.now(), addresses: addressesOf(networkInterfaces()) };
}

/** Those that lead somewhere: containers come and go with link-local ones of their own. */
export function addressesOf(interfaces: ReturnType<typeof networkInterfaces>): string {
  const all = Object.entries(interfaces).flatMap(([name, addresses]) =>
    (addresses ?? []).filter(leadsOut).map(({ cidr, address }) => `${name} ${cidr ?? address}`),
  );
  return all.sort().join(", ");
}

function leadsOut({ internal, address }: { internal: boolean; address: string }): boolean {
  return !internal && !/^(fe80:|169\.254\.)/i.test(address);
}
