/** Changes of the routing that invited people ask for, until the owner's machine has answered. In memory: they live for a minute. */
import {
  MAX_ROUTING_REQUESTS,
  ROUTING_REQUEST_MS,
  type RoutingAnswer,
  type RoutingChange,
  type RoutingRequest,
} from "../../core/api/routing-requests-api.ts";
import { randomName } from "../../core/session/session-name.ts";

const ID_LENGTH = 16;

interface Asked extends RoutingRequest {
  answer: RoutingAnswer;
  /** The id of the invite. */
  invite: string;
}

export class RoutingRequests {
  #asked: Asked[] = [];

  /** Undefined when too many wait. */
  ask(change: RoutingChange, invite: { id: string; name: string | null }, now: number): string | undefined {
    this.#forget(now);
    if (this.#asked.length >= MAX_ROUTING_REQUESTS) return undefined;
    const id = randomName(ID_LENGTH);
    const { services } = change;
    const by = invite.name ?? invite.id;
    this.#asked.push({ id, services, by, at: now, invite: invite.id, answer: { state: "waiting" } });
    return id;
  }

  /** Oldest first. */
  waiting(now: number): RoutingRequest[] {
    this.#forget(now);
    return this.#asked
      .filter(({ answer }) => answer.state === "waiting")
      .map(({ answer: _, invite: __, ...request }) => request);
  }

  /** False when there is none. `error`: why it failed. */
  answer(id: string, error: string | null, now: number): boolean {
    this.#forget(now);
    const asked = this.#asked.find((each) => each.id === id);
    if (!asked) return false;
    asked.answer = error === null ? { state: "done" } : { state: "failed", error };
    return true;
  }

  /** Undefined when this invite asked nothing like it. */
  answerOf(id: string, invite: string, now: number): RoutingAnswer | undefined {
    this.#forget(now);
    return this.#asked.find((each) => each.id === id && each.invite === invite)?.answer;
  }

  /** Drops what waits of this invite, which has ended; without one, of all: the session has ended. */
  drop(invite?: string): void {
    this.#asked = invite === undefined ? [] : this.#asked.filter((each) => each.invite !== invite);
  }

  #forget(now: number): void {
    this.#asked = this.#asked.filter(({ at }) => at > now - ROUTING_REQUEST_MS);
  }
}
