/** How an action talks to its runner: inputs, outputs and workflow commands. */
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { parseDuration } from "../core/session/duration.ts";

export interface Inputs {
  /** By name. */
  locations: Record<string, string>;
  workerUrl: string;
  /** Empty without the input `worker-token`. */
  workerToken: string;
  githubToken: string;
  config: string;
  name: string;
  /** Seconds. */
  expires: number;
  comments: boolean;
}

/** Reads the inputs and takes the secrets out of the environment, which child processes and reports would show. Throws an Error. */
export function takeInputs(env: NodeJS.ProcessEnv): Inputs {
  const take = (name: string): string => {
    const key = `INPUT_${name.toUpperCase()}`;
    const value = env[key]?.trim() ?? "";
    delete env[key];
    return value;
  };
  const workerToken = take("worker-token");
  const githubToken = take("github-token");
  for (const secret of [workerToken, githubToken]) if (secret) command("add-mask", secret);
  return {
    locations: readServices(take("services")),
    workerUrl: readWorkerUrl(take("worker-url")),
    workerToken,
    githubToken,
    config: take("config"),
    name: take("name"),
    expires: readExpiry(take("expires") || "7d"),
    comments: take("comment") !== "false",
  };
}

function readServices(text: string): Record<string, string> {
  const pairs = text.split(/\s+/).filter(Boolean);
  if (pairs.length === 0)
    throw new Error("The input services is empty: give pairs such as web=https://web-pr-12.example.com");
  const locations = new Map<string, string>();
  for (const pair of pairs) {
    const equals = pair.indexOf("=");
    const name = pair.slice(0, equals);
    if (equals < 1)
      throw new Error(`services: "${pair}" is no pair such as web=https://web-pr-12.example.com`);
    if (locations.has(name)) throw new Error(`services: ${name} is given twice`);
    locations.set(name, pair.slice(equals + 1));
  }
  return Object.fromEntries(locations);
}

/** The token goes there, so it must not travel in clear text. A Worker on this machine is for tests. */
function readWorkerUrl(text: string): string {
  const url = URL.parse(text);
  const isLocal = url?.hostname === "127.0.0.1" || url?.hostname === "localhost";
  if (url && (url.protocol === "https:" || (url.protocol === "http:" && isLocal))) return url.origin;
  throw new Error(`worker-url: must be an https URL, not "${text}"`);
}

function readExpiry(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new Error(`expires: must be a time such as 12h, 7d or 2w, not "${text}"`);
  return seconds;
}

/** Values may have line breaks: a delimiter that nobody can guess ends them. */
export function setOutput(name: string, value: string): void {
  const file = process.env.GITHUB_OUTPUT;
  if (!file) return;
  const end = `end-${randomUUID()}`;
  appendFileSync(file, `${name}<<${end}\n${value}\n${end}\n`);
}

export function notice(message: string): void {
  command("notice", message);
}

export function warn(message: string): void {
  command("warning", message);
}

/** The step fails. */
export function fail(message: string): void {
  command("error", message);
  process.exitCode = 1;
}

/** All output is a command with its text escaped: a line of somebody else's text cannot become a command. */
function command(name: string, text: string): void {
  const escaped = text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  process.stdout.write(`::${name}::${escaped}\n`);
}
