/** The part of the Worker's HTTP API that lets people into private sessions, below `/linkup/v2/sessions/:name`. */
import type { SessionAccess } from "../session/session-document.ts";

/** Of Workers that keep sessions private; others would serve a private session to everybody. */
export const ACCESS_CAPABILITY = "access";

/** The token of an invite of the kind `token`, for programs. Services never see it. */
export const ACCESS_HEADER = "linkup-access";

/** `PUT …/access`'s body and answer. Only the owner may change it. */
export interface AccessSettings {
  access: SessionAccess;
  /** Regular expressions: paths (without query) that everybody may request. */
  open: string[];
}

/** `GET …/access`'s answer: what the local server needs beside the settings. Only the owner may read it. */
export interface AccessDetails extends AccessSettings {
  /** Of a private session: the key of the proofs in `tracestate` and `baggage`, see `traceProof`. */
  trace_key: string | null;
}

/** What an invite allows. `visit`: to see the session. `route`: also to change its routing. */
export type InviteRight = (typeof INVITE_RIGHTS)[number];
export const INVITE_RIGHTS = ["visit", "route"] as const;

/** `link`: opened in a browser, which keeps a cookie. `token`: sent by programs in the header `linkup-access`. */
export type InviteKind = "link" | "token";

/** `POST …/invites`'s body. */
export interface InviteRequest {
  /** For whom, as the list shows it: 1 to 100 characters. */
  name?: string | undefined;
  /** Seconds; default 2 days, at most 366 days. What was let in by it ends with it. */
  expires_in?: number | undefined;
  /** How often a link may be opened; null (the default) for any number. Does not apply to tokens. */
  uses?: number | null | undefined;
  /** Default: `link`. */
  kind?: InviteKind | undefined;
  /** Default: `["visit"]`. */
  rights?: InviteRight[] | undefined;
}

export const DEFAULT_INVITE_S = 2 * 24 * 60 * 60;
export const MAX_INVITE_NAME = 100;
/** Invites of one session at a time. */
export const MAX_INVITES = 200;

/** An invite in a list. Times are milliseconds since the epoch. */
export interface Invite {
  id: string;
  /** Null when it was given none. */
  name: string | null;
  kind: InviteKind;
  rights: InviteRight[];
  created: number;
  expires: number;
  /** Null: any number. */
  uses: number | null;
  /** How often it was opened; of a token: 0 or more, to within an hour. */
  used: number;
  last_used: number | null;
}

/** `GET …/invites`'s answer, newest first. `DELETE …/invites/:id` answers 204. */
export interface InviteList {
  invites: Invite[];
}

/** `POST …/invites`'s answer: the only one with the secret. */
export interface NewInvite extends Invite {
  /** Of a link: `https://slim-gecko.example.com/linkup/join#TOKEN`. */
  url?: string | undefined;
  /** Of a token: the value of `linkup-access`. */
  token?: string | undefined;
}

/** `POST …/owner-link`'s answer: lets the owner's browser in, once, within a minute. */
export interface OwnerLink {
  url: string;
  /** Milliseconds since the epoch. */
  expires: number;
}
