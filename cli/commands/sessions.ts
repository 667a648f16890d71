/** `linkup sessions` */
import type { SessionView } from "../../manager/model/snapshot.ts";
import { findConfig, needConfig, newManager } from "../context.ts";
import { UsageError } from "../exit-codes.ts";
import { spin } from "../print/spinner.ts";
import { sessionText } from "../print/status.ts";
import { table } from "../print/table.ts";

export async function list(options: { json?: boolean }): Promise<void> {
  const { sessions } = await newManager({ keep: false }).look();
  if (options.json) {
    process.stdout.write(`${JSON.stringify(sessions)}\n`);
    return;
  }
  const rows = sessions.map(({ name, kind, state, urls, configPath }) => [
    name ?? "(no name yet)",
    kind,
    state,
    urls[0] ?? "",
    configPath ?? "",
  ]);
  process.stdout.write(
    rows.length > 0 ? table(["SESSION", "KIND", "STATE", "URL", "CONFIG"], rows) : "No session is running.\n",
  );
}

interface CreateOptions {
  config?: string;
  name?: string;
  json?: boolean;
  printRequest?: boolean;
}

/** `[NAME] [SERVICE=URL…]`: a preview, on the Worker only. */
export async function createPreview(words: string[], options: CreateOptions): Promise<void> {
  const { name = options.name, locations } = parseWords(words);
  const request = {
    configPath: needConfig(options.config),
    locations,
    ...(name === undefined ? {} : { name }),
  };
  const manager = newManager({ keep: true });
  if (options.printRequest) {
    process.stdout.write(`${JSON.stringify(await manager.previewRequest(request), null, 2)}\n`);
    return;
  }
  print(await spin("Creating", manager.create({ ...request, kind: "preview" })), options);
}

/** `NAME [SERVICE=URL…]`: on this machine only, beside the file's own session. */
export async function createIsolated(words: string[], options: CreateOptions): Promise<void> {
  const { name, locations } = parseWords(words);
  if (name === undefined) throw new UsageError("Name the session: linkup sessions create-isolated NAME");
  const request = { configPath: needConfig(options.config), kind: "isolated" as const, name, locations };
  print(await spin("Creating", newManager({ keep: true }).create(request)), options);
}

export async function remove(name: string, options: { config?: string; json?: boolean }): Promise<void> {
  const deleted = await spin(
    "Deleting",
    newManager({ keep: false }).remove(name, findConfig(options.config)),
  );
  process.stdout.write(
    options.json ? `${JSON.stringify({ deleted })}\n` : deleted.map((name) => `Deleted ${name}\n`).join(""),
  );
}

function print(session: SessionView, { json }: CreateOptions): void {
  process.stdout.write(json ? `${JSON.stringify(session)}\n` : sessionText(session));
}

/** A first word without `=` is the name; every other one is a service with its location. */
function parseWords(words: string[]): { name: string | undefined; locations: Record<string, string> } {
  const named = words[0] !== undefined && !words[0].includes("=");
  const locations: Record<string, string> = {};
  for (const word of named ? words.slice(1) : words) {
    const equals = word.indexOf("=");
    if (equals < 1)
      throw new UsageError(
        `A service is given with its location, as web=https://web.example.com, not "${word}".`,
      );
    locations[word.slice(0, equals)] = word.slice(equals + 1);
  }
  return { name: named ? words[0] : undefined, locations };
}
