/** Decides each request and carries it out. */
import { createHash, timingSafeEqual } from "node:crypto";
import { firstKnownSession } from "../../core/routing/identify-session.ts";
import { ORIGIN_SECRET_HEADER } from "../../core/routing/proxy-headers.ts";
import { decideRequest, type Listener, type RequestDecision } from "../../core/routing/request-decision.ts";
import type { Routed } from "../../core/routing/route-request.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { TARGET_SESSION_HEADER } from "../../core/routing/session-target.ts";
import { tracestateSessions } from "../../core/routing/trace-context.ts";
import type { LocalCopies } from "../auto/local-copies.ts";
import type { Client, ServeClient } from "../downstream/client.ts";
import type { SplicedPair } from "../downstream/splice.ts";
import type { LocalFailure } from "../http/local-failures.ts";
import type { Served, Sessions } from "../served-sessions.ts";
import type { Pool } from "../upstream/pool.ts";
import { trustedHead } from "./destination-proof.ts";
import type { ExchangeLog, ExchangeRecorder } from "./exchange-recorder.ts";
import { forward, forwardToOrigin, refuse } from "./forward.ts";
import { leave, performOverride } from "./perform-override.ts";
import { probeProof } from "./probe-proof.ts";

export interface ProxyParts {
  sessions: Sessions;
  /** Connections to services. */
  pool: Pool;
  /** Connections to public origins, on this port. */
  publicPool: Pool;
  publicPort: number;
  /** The ports at which pages of sessions are served here. */
  pagePorts: readonly number[];
  /** The open tunnels, for the end of the process. */
  tunnels: Set<SplicedPair>;
  /** Undefined: nothing is recorded. */
  log: ExchangeLog | undefined;
  /** Is asked for local copies that may have begun to listen, and told of those that have ended. */
  localCopies: Pick<LocalCopies, "lookAgain" | "refused">;
}

/** Serves the requests that come in by this listener. */
export function proxy(listener: Listener, parts: ProxyParts): ServeClient {
  const { sessions, pool, publicPool, publicPort, pagePorts, tunnels, log, localCopies } = parts;
  const arrival = { listener, pagePorts };
  const trusted = (head: RequestHead) => {
    if (!head.header("linkup-destination")) return head;
    const served = firstKnownSession(head, (name) => sessions.get(name));
    return trustedHead(listener, served, head);
  };
  const serve: ServeClient = (client, refusal) => {
    const recorder = log?.begin(client, listener);
    const decision = refusal ? { failure: refusal } : decide(client);
    recorder?.decided(decision);
    const looking = lookForCopy(decision);
    if (!looking) {
      carryOut(client, recorder, decision);
      return;
    }
    let gone = false;
    client.onGone = () => {
      gone = true;
      leave(recorder);
    };
    const goOn = () => {
      const decision = decide(client);
      recorder?.decided(decision);
      carryOut(client, recorder, decision);
    };
    void looking.then(() => {
      if (!gone) guarded(client, goOn);
    });
  };
  const decide = (client: Client) => decideRequest(sessions, listener, trusted(client), hasOriginSecret);
  /** Whether the service's local copy has begun to listen; undefined where that is known already. */
  const lookForCopy = (decision: Decision): Promise<void> | undefined => {
    if (!("decision" in decision) || "failure" in decision) return undefined;
    const { served, decision: routed } = decision;
    if (routed.service.auto !== "remote") return undefined;
    const location = sessions.autoLocation(served.name, routed.service.name);
    return location === undefined ? undefined : localCopies.lookAgain(location);
  };
  const carryOut = (client: Client, recorder: ExchangeRecorder | undefined, decision: Decision): void => {
    if ("failure" in decision) {
      const isProbe = listener === "tunnel" && decision.failure.code === "loop";
      refuse(client, recorder, decision.failure, isProbe ? { extra: probeProof(sessions, client) } : {});
    } else if ("publicHost" in decision)
      forwardToOrigin(client, recorder, decision.publicHost, publicPort, { pool: publicPool, tunnels });
    else {
      const { decision: routed } = decision;
      const served = onBehalf(decision.served, listener, client);
      const send = (routed: Routed) =>
        forward(client, recorder, served, routed, arrival, { pool, tunnels, localCopies });
      const action = routed.does && served.overrideActions.get(routed.override!);
      if (action) performOverride(action, { client, recorder, served, decision: routed, arrival }, send);
      else send(routed);
    }
  };
  return (client, refusal) => guarded(client, () => serve(client, refusal));
}

type Decision = RequestDecision<Served> | { failure: LocalFailure };

/** A fault of ours is logged as any uncaught error, and the client does not wait for an answer that never comes. */
function guarded(client: Client, act: () => void): void {
  try {
    act();
  } catch (error) {
    client.break();
    throw error;
  }
}

/** True where the session has no secret: the Worker of the original mints none. Hashed, so that the comparison's time is constant. */
function hasOriginSecret({ originSecret }: Served, head: RequestHead): boolean {
  if (originSecret === null) return true;
  return timingSafeEqual(sha256(head.header(ORIGIN_SECRET_HEADER) ?? ""), sha256(originSecret));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** A request that the Worker sends here for another session is that session's, whatever the service is. */
function onBehalf(served: Served, listener: Listener, head: RequestHead): Served {
  if (listener !== "tunnel" || !head.header(TARGET_SESSION_HEADER)) return served;
  const [name = served.name] = tracestateSessions(head.header("tracestate"));
  return name === served.name ? served : { ...served, name };
}
