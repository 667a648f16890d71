/** Writes another process's output to its log, without secrets and with rotation. */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";
import type { Readable } from "node:stream";
import { MAX_LOG_BYTES } from "./log-files.ts";

/** Longer lines are written in pieces. */
const LONGEST_LINE = 64 * 1024;

export function redacted(text: string, secrets: readonly string[]): string {
  return secrets.reduce((text, secret) => text.replaceAll(secret, "*".repeat(secret.length)), text);
}

/** Resolves when the input has ended and all of it is written. */
export async function writeLog(
  input: Readable,
  path: string,
  secrets: readonly string[],
  maxBytes = MAX_LOG_BYTES,
): Promise<void> {
  const file = new LogFile(path, maxBytes);
  const redactor = new Redactor(secrets);
  try {
    for await (const chunk of input) file.append(redactor.push((chunk as Buffer).toString("latin1")));
  } finally {
    file.append(redactor.end());
    file.close();
  }
}

/** Redacts a stream of text and returns whole lines. Bytes as latin1. */
export class Redactor {
  readonly #secrets: readonly string[];
  readonly #longest: number;
  #pending = "";

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
    this.#longest = Math.max(1, ...secrets.map(({ length }) => length));
  }

  push(text: string): string {
    this.#pending = redacted(this.#pending + text, this.#secrets);
    const lines = this.#pending.lastIndexOf("\n") + 1;
    // Of an overlong line, everything that cannot be the start of a secret.
    const long = this.#pending.length - lines > LONGEST_LINE ? this.#pending.length - this.#longest + 1 : 0;
    const ready = Math.max(lines, long);
    const whole = this.#pending.slice(0, ready);
    this.#pending = this.#pending.slice(ready);
    return whole;
  }

  end(): string {
    const rest = this.#pending;
    this.#pending = "";
    return rest;
  }
}

/** A log file with rotation; the previous one is kept as `.1`. */
class LogFile {
  readonly #path: string;
  readonly #maxBytes: number;
  #file: number | undefined;
  #size = 0;
  /** Bytes that could not be written. */
  #lostBytes = 0;

  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  /** On a full disk lines are dropped and counted; the writing process is not affected. */
  append(text: string): void {
    if (text === "") return;
    try {
      this.#file ??= this.#open();
      if (this.#lostBytes > 0) this.#write(`(${this.#lostBytes} bytes could not be written here.)\n`);
      this.#lostBytes = 0;
      this.#write(text);
      if (this.#size > this.#maxBytes) this.#turn();
    } catch {
      this.#lostBytes += text.length;
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(): number {
    const file = openSync(this.#path, "a", 0o600);
    this.#size = fstatSync(file).size;
    return file;
  }

  #write(text: string): void {
    const bytes = Buffer.from(text, "latin1");
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file!, bytes, at);
    this.#size += bytes.length;
  }

  #turn(): void {
    this.close();
    renameSync(this.#path, `${this.#path}.1`);
  }
}
