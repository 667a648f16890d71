/** When sessions and their tunnels expire. Times are milliseconds since the epoch. */
import type { Env } from "../env.ts";

const DAY_S = 24 * 60 * 60;

/** Idle times, in milliseconds. */
export interface Lifetimes {
  session: number;
  tunnel: number;
}

export function lifetimes(env: Env): Lifetimes {
  return {
    session: positiveSeconds(env.LINKUP_SESSION_UNUSED_S, 30 * DAY_S) * 1000,
    tunnel: positiveSeconds(env.LINKUP_TUNNEL_UNUSED_S, 7 * DAY_S) * 1000,
  };
}

function positiveSeconds(variable: string | undefined, fallback: number): number {
  const value = Number(variable);
  return variable && value > 0 ? value : fallback;
}

export interface SessionTimes {
  updated: number;
  used: number;
  /** Seconds from the last update, as its client asked; null: as long as it is used. */
  expires_in: number | null;
}

export function sessionExpires(times: SessionTimes, lifetimes: Lifetimes): number {
  return times.expires_in === null ? times.used + lifetimes.session : times.updated + times.expires_in * 1000;
}

/** A tunnel is in use when its session is started, or looked up by a request. */
export function tunnelExpires(lastStarted: number, used: number, lifetimes: Lifetimes): number {
  return Math.max(lastStarted, used) + lifetimes.tunnel;
}
