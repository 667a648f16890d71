/** Who may enter a session: its access, its invites and the networks they were used from, as its object stores them. */

import { OWNER } from "../../core/access/access-cookie.ts";
import {
  type AccessDetails,
  type AccessSettings,
  DEFAULT_INVITE_S,
  type Invite,
  type InviteRequest,
  type InviteRight,
  MAX_INVITES,
} from "../../core/api/access-api.ts";
import type { SessionAccess } from "../../core/session/session-document.ts";
import { randomName } from "../../core/session/session-name.ts";
import { newSecret } from "../secret.ts";
import type { ResolvedAccess } from "./resolved-session.ts";

// Storage keys.
const ACCESS = "access";
const NETWORKS = "networks";

/** Ended invites are told apart from revoked ones for this long. */
const ENDED_MS = 7 * 24 * 60 * 60 * 1000;
const OWNER_LINK_MS = 60 * 1000;
const MAX_OWNER_LINKS = 20;
/** How long the owner's browser stays let in. */
const OWNER_COOKIE_MS = 30 * 24 * 60 * 60 * 1000;
/** How long a network counts after a proof that was given from it. */
export const NETWORK_MS = 4 * 60 * 60 * 1000;
/** Age from which a proof is worth a write. */
const NETWORK_RESOLUTION_MS = 60 * 60 * 1000;
const MAX_NETWORKS = 500;
/** Between two redirects. */
const TICKET_MS = 60 * 1000;
const MAX_TICKETS = 1000;
const ID_LENGTH = 8;

/** Undefined: as it is. */
export interface AccessChange {
  access?: SessionAccess | undefined;
  open?: string[] | undefined;
}

interface StoredInvite extends Invite {
  /** SHA-256 of its token, in hexadecimal. */
  hash: string;
}

interface OwnerLinkRecord {
  hash: string;
  expires: number;
  /** Where the browser goes. */
  to: string | null;
}

interface StoredAccess extends AccessSettings {
  /** Of the cookies' HMAC. */
  key: string;
  trace_key: string;
  invites: StoredInvite[];
  owner_links: OwnerLinkRecord[];
  /** The `session_token` of the stopped session for whose next start it stays. */
  kept_for?: string;
}

interface NetworkRecord {
  network: string;
  /** The id of the invite. */
  id: string;
  expires: number;
}

/** What a token or a ticket opens. */
export interface GrantedAccess {
  /** Of the invite, or `OWNER`. */
  id: string;
  /** When the cookie ends. */
  expires: number;
  to: string | null;
  /** Hosts that still have to set their cookie. */
  left: string[];
  key: string;
}

export type JoinRefusal = "wrong" | "expired" | "used-up";

/** A secret is made before its hash is known here: hashing is asynchronous. */
export class AccessLedger {
  readonly #kv: SyncKvStorage;
  readonly #changed: () => void;
  #stored: StoredAccess | undefined;
  #networks: NetworkRecord[];
  /** In memory: they live for seconds. */
  readonly #tickets = new Map<string, GrantedAccess & { until: number }>();

  /** `changed` is called when isolates have to hear of it. */
  constructor(kv: SyncKvStorage, changed: () => void) {
    this.#kv = kv;
    this.#changed = changed;
    this.#stored = kv.get<StoredAccess>(ACCESS);
    this.#networks = kv.get<NetworkRecord[]>(NETWORKS) ?? [];
  }

  get access(): SessionAccess {
    return this.#stored?.access ?? "public";
  }

  get details(): AccessDetails {
    const { access = "public", open = [], trace_key = null } = this.#stored ?? {};
    return { access, open, trace_key: access === "private" ? trace_key : null };
  }

  /** Null for a session that everybody may enter. */
  resolved(maker: string | null): ResolvedAccess | null {
    const stored = this.#stored;
    if (stored?.access !== "private") return null;
    const visits = stored.invites.filter(({ rights }) => rights.includes("visit"));
    return {
      open: stored.open,
      invites: Object.fromEntries(visits.map(({ id, expires }) => [id, expires])),
      tokens: Object.fromEntries(
        visits.filter(({ kind }) => kind === "token").map(({ hash, id }) => [hash, id]),
      ),
      key: stored.key,
      trace_key: stored.trace_key,
      maker,
    };
  }

  set(change: AccessChange): void {
    const { access = this.access, open = this.#stored?.open ?? [] } = change;
    // Most sessions are public, and store nothing of it.
    if (!this.#stored && access !== "private") return;
    const { kept_for: _, ...stored } = this.#orNew();
    if (this.#stored && stored.access === access && JSON.stringify(stored.open) === JSON.stringify(open))
      return;
    this.#store({ ...stored, access, open });
  }

  #orNew(): StoredAccess {
    return (
      this.#stored ?? {
        access: "public",
        open: [],
        key: newSecret(),
        trace_key: newSecret(),
        invites: [],
        owner_links: [],
      }
    );
  }

  list(): Invite[] {
    return (this.#stored?.invites ?? []).map(({ hash: _, ...invite }) => invite).toReversed();
  }

  /** Undefined when there are too many. */
  invite(request: InviteRequest, hash: string, now: number): Invite | undefined {
    const stored = this.#orNew();
    const invites = stored.invites.filter(({ expires }) => expires > now - ENDED_MS);
    if (invites.length >= MAX_INVITES) return undefined;
    const { name, kind = "link", rights = ["visit"], uses = null, expires_in = DEFAULT_INVITE_S } = request;
    const invite: Invite = {
      id: randomName(ID_LENGTH),
      name: name ?? null,
      kind,
      rights,
      created: now,
      expires: now + expires_in * 1000,
      uses: kind === "link" ? uses : null,
      used: 0,
      last_used: null,
    };
    this.#store({ ...stored, invites: [...invites, { ...invite, hash }] });
    return invite;
  }

  /** False when there is no such invite. */
  revoke(id: string): boolean {
    const stored = this.#stored;
    if (!stored?.invites.some((invite) => invite.id === id)) return false;
    this.#store({ ...stored, invites: stored.invites.filter((invite) => invite.id !== id) });
    this.#storeNetworks(this.#networks.filter((record) => record.id !== id));
    for (const [hash, ticket] of this.#tickets) if (ticket.id === id) this.#tickets.delete(hash);
    return true;
  }

  /** Returns when it expires. */
  ownerLink(hash: string, to: string | null, now: number): number {
    const stored = this.#orNew();
    const links = stored.owner_links.filter(({ expires }) => expires > now).slice(1 - MAX_OWNER_LINKS);
    const expires = now + OWNER_LINK_MS;
    this.#store({ ...stored, owner_links: [...links, { hash, expires, to }] }, "unseen");
    return expires;
  }

  /** Opens an invite or an owner's link. */
  join(hash: string, now: number): GrantedAccess | JoinRefusal {
    const stored = this.#stored;
    if (!stored) return "wrong";
    const { key, owner_links, invites } = stored;
    const link = owner_links.find((candidate) => candidate.hash === hash);
    if (link) {
      this.#store({ ...stored, owner_links: owner_links.filter((other) => other !== link) }, "unseen");
      if (link.expires <= now) return "expired";
      return { id: OWNER, expires: now + OWNER_COOKIE_MS, to: link.to, left: [], key };
    }
    const invite = invites.find(
      (candidate) =>
        candidate.hash === hash && candidate.kind === "link" && candidate.rights.includes("visit"),
    );
    if (!invite) return "wrong";
    if (invite.expires <= now) return "expired";
    if (invite.uses !== null && invite.used >= invite.uses) return "used-up";
    this.#use(stored, invite, now);
    return { id: invite.id, expires: invite.expires, to: null, left: [], key };
  }

  /** For the next redirect, which another host answers. */
  giveTicket(hash: string, joined: GrantedAccess, now: number): void {
    for (const [other, { until }] of this.#tickets) if (until <= now) this.#tickets.delete(other);
    if (this.#tickets.size < MAX_TICKETS) this.#tickets.set(hash, { ...joined, until: now + TICKET_MS });
  }

  takeTicket(hash: string, now: number): GrantedAccess | undefined {
    const ticket = this.#tickets.get(hash);
    this.#tickets.delete(hash);
    return ticket && ticket.until > now ? ticket : undefined;
  }

  /** The live invite with this right whose token has this hash. */
  inviteOf(hash: string, right: InviteRight, now: number): Invite | undefined {
    return this.#stored?.invites.find(
      (invite) => invite.hash === hash && invite.expires > now && invite.rights.includes(right),
    );
  }

  tokenUsed(id: string, now: number): void {
    const invite = this.#stored?.invites.find((candidate) => candidate.id === id);
    if (invite) this.#use(this.#stored!, invite, now);
  }

  #use(stored: StoredAccess, used: StoredInvite, now: number): void {
    const counted = { ...used, used: used.used + 1, last_used: now };
    const invites = stored.invites.map((invite) => (invite === used ? counted : invite));
    this.#store({ ...stored, invites }, "unseen");
  }

  /** A proof of this invite was given from this network. */
  admitNetwork(network: string, id: string, now: number): void {
    const known = this.#networks.find((record) => record.network === network && record.id === id);
    if (known && known.expires > now + NETWORK_MS - NETWORK_RESOLUTION_MS) return;
    const others = this.#networks.filter((record) => record !== known && record.expires > now);
    this.#storeNetworks([...others.slice(1 - MAX_NETWORKS), { network, id, expires: now + NETWORK_MS }]);
  }

  /** The proofs of this network, by the ids of their invites. */
  networkProofs(network: string, now: number): { id: string; expires: number }[] {
    return this.#networks
      .filter((record) => record.network === network && record.expires > now)
      .map(({ id, expires }) => ({ id, expires }));
  }

  /** For the next start of a session that was stopped. */
  keepFor(sessionToken: string): void {
    if (this.#stored) this.#store({ ...this.#stored, kept_for: sessionToken });
  }

  /** A new session of this name inherits only what was kept for it. */
  begin(sessionToken: string): void {
    if (this.#stored?.kept_for !== sessionToken) this.clear();
    else {
      const { kept_for: _, ...stored } = this.#stored;
      this.#store(stored);
    }
  }

  clear(): void {
    if (!this.#stored) return;
    this.#kv.delete(ACCESS);
    this.#kv.delete(NETWORKS);
    this.#stored = undefined;
    this.#networks = [];
    this.#tickets.clear();
    this.#changed();
  }

  #store(stored: StoredAccess, change: "seen" | "unseen" = "seen"): void {
    this.#kv.put(ACCESS, stored);
    this.#stored = stored;
    if (change === "seen") this.#changed();
  }

  #storeNetworks(networks: NetworkRecord[]): void {
    this.#kv.put(NETWORKS, networks);
    this.#networks = networks;
  }
}
