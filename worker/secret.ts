/** Creating and comparing secrets. */
import { hex } from "../core/hex.ts";

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** 256 random bits in hexadecimal, for secrets that travel in headers. */
export function newSecret(): string {
  return hex(crypto.getRandomValues(new Uint8Array(32)));
}

/** 256 random bits as Cloudflare takes the secret of a tunnel. */
export function newTunnelSecret(): string {
  return base64(crypto.getRandomValues(new Uint8Array(32)));
}

const NAMED_TOKEN_PREFIX = "linkup_";

/** A named worker token. The prefix lets secret scanners find a leaked one. */
export function newNamedToken(): string {
  return NAMED_TOKEN_PREFIX + newSecret();
}

export function isNamedToken(text: string): boolean {
  return text.startsWith(NAMED_TOKEN_PREFIX);
}

/** Constant-time comparison, also for texts of different lengths: it compares their hashes. */
export async function sameSecret(given: string, expected: string): Promise<boolean> {
  const [a, b] = await Promise.all([sha256(given), sha256(expected)]);
  return crypto.subtle.timingSafeEqual(a, b);
}

export async function sha256(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}

export async function sha256Hex(text: string): Promise<string> {
  return hex(new Uint8Array(await sha256(text)));
}
