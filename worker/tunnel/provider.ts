/** How requests reach a laptop. */
import type { TunnelData } from "../../core/api/control-api.ts";
import { type Env, isDirect } from "../env.ts";
import { cloudflareTunnels } from "./cloudflare.ts";
import { directTunnels } from "./direct.ts";

/** A tunnel, and when it was last seen to be there (milliseconds since the epoch). */
export interface OpenTunnel {
  data: TunnelData;
  verified: number;
}

/** A tunnel that has to go, with or without all that belongs to it. */
export interface DoomedTunnel {
  session: string;
  /** Null when it may have been made, or not. */
  id: string | null;
}

/**
 * Makes and deletes the tunnels of sessions. All calls can be repeated without harm, and throw `TunnelError`.
 * `url` is where the local server of the session listens, as its client says; only for `direct`.
 */
export interface TunnelProvider {
  /** What is wrong with this session's name for a tunnel; undefined when nothing is. */
  nameProblem(session: string): string | undefined;
  /** Starts with what the session has already; undefined when it is no longer there. */
  keep(existing: OpenTunnel, url: string | null): Promise<OpenTunnel | undefined>;
  /** Makes a tunnel. After a failure parts of it may be left: `close` with the id null deletes them. */
  open(session: string, url: string | null): Promise<OpenTunnel>;
  /** Deletes it and all that belongs to it; nothing when there is nothing. */
  close(doomed: DoomedTunnel): Promise<void>;
  /**
   * Deletes what carries our names and belongs to no session. `isOwned` tells whether a session has this tunnel.
   * Returns what it deleted, in words.
   */
  sweep(isOwned: (session: string, tunnelId: string) => Promise<boolean>): Promise<string[]>;
}

/** What failed, in words for the person who wanted the session. */
export class TunnelError extends Error {}

export function tunnelProvider(env: Env): TunnelProvider {
  return isDirect(env) ? directTunnels(env) : cloudflareTunnels(env);
}
