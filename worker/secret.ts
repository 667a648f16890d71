/** Making and comparing secrets. */
import { hex } from "../core/hex.ts";

export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** 256 random bits as hexadecimal, for secrets that travel in headers. */
export function newSecret(): string {
  return hex(crypto.getRandomValues(new Uint8Array(32)));
}

const NAMED_TOKEN = "linkup_";

/** A named worker token: its prefix lets secret scanners find one that leaked. */
export function newNamedToken(): string {
  return NAMED_TOKEN + newSecret();
}

export function isNamedToken(text: string): boolean {
  return text.startsWith(NAMED_TOKEN);
}

/** Compares in a time that tells nothing of where they differ: by their hashes, which are of one length. */
export async function sameSecret(given: string, expected: string): Promise<boolean> {
  const [a, b] = await Promise.all([sha256(given), sha256(expected)]);
  return crypto.subtle.timingSafeEqual(a, b);
}

export async function sha256(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
