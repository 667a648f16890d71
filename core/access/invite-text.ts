/** Parses an invite as users paste it: a link or a token. */
import { isSessionName } from "../session/session-name.ts";

export interface GivenInvite {
  token: string;
  /** Of a link: the session and its domain. */
  session?: string;
  domain?: string;
}

/** A token is 64 hexadecimal digits; others may come. */
const TOKEN = /^[\w-]{16,256}$/;
const JOIN_PATH = "/linkup/join";

/** `https://slim-gecko.example.com/linkup/join#TOKEN` or `TOKEN`; undefined for anything else. */
export function parseInvite(text: string): GivenInvite | undefined {
  const trimmed = text.trim();
  if (TOKEN.test(trimmed)) return { token: trimmed };
  const url = URL.parse(trimmed);
  if (!url || url.pathname !== JOIN_PATH || !/^https?:$/.test(url.protocol)) return undefined;
  const token = url.hash.slice(1);
  const [session = "", ...domain] = url.hostname.split(".");
  if (!TOKEN.test(token) || !isSessionName(session) || domain.length === 0) return undefined;
  return { token, session, domain: domain.join(".") };
}
