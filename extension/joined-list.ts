/**
 * The invites to colleagues' sessions: each is a secret of its own, and a file says which there are. The secret storage can
 * neither list its keys nor change a value in a transaction, and windows join at the same moment.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type * as vscode from "vscode";
import type { InvitedSession } from "../manager/operations/route-elsewhere.ts";
import { readSecret } from "./read-secret.ts";

/** A session of a Worker, without the invite. */
export type JoinedName = Pick<InvitedSession, "workerUrl" | "session">;

const PREFIX = "joined-session ";

export class JoinedList {
  readonly #secrets: vscode.SecretStorage;
  readonly #path: string;

  /** `folder`: of this editor, created when it is first needed. */
  constructor(secrets: vscode.SecretStorage, folder: string) {
    this.#secrets = secrets;
    this.#path = join(folder, "joined-sessions.json");
  }

  /** Calls the listener when this window or another has joined or left. */
  onDidChange(listener: () => void): vscode.Disposable {
    return this.#secrets.onDidChange(({ key }) => key.startsWith(PREFIX) && listener());
  }

  async read(): Promise<InvitedSession[]> {
    const found = await Promise.all(
      (await this.#names()).map(async ({ workerUrl, session }) => {
        const invite = await readSecret(this.#secrets, keyOf({ workerUrl, session }));
        return invite === undefined ? [] : [{ workerUrl, session, invite }];
      }),
    );
    return found.flat();
  }

  /** Keeps the invite instead of an earlier one. Rejects when it cannot be kept. */
  async add(invited: InvitedSession): Promise<void> {
    const { workerUrl, session, invite } = invited;
    await this.#change((names) => [
      ...names.filter((name) => !isSameSession(name, invited)),
      { workerUrl, session },
    ]);
    await this.#secrets.store(keyOf(invited), invite);
  }

  async remove(joined: JoinedName): Promise<void> {
    await this.#change((names) => names.filter((name) => !isSameSession(name, joined)));
    await this.#secrets.delete(keyOf(joined));
  }

  async #change(change: (names: JoinedName[]) => JoinedName[]): Promise<void> {
    const { replaceFile } = await import("./replace-file.ts");
    await replaceFile(this.#path, async () => `${JSON.stringify(change(await this.#names()), null, 2)}\n`);
  }

  /** An invalid list counts as empty. */
  async #names(): Promise<JoinedName[]> {
    try {
      const found: unknown = JSON.parse(await readFile(this.#path, "utf8"));
      return Array.isArray(found) ? found.filter(isName) : [];
    } catch {
      return [];
    }
  }
}

export function isSameSession(a: JoinedName, b: JoinedName): boolean {
  return keyOf(a) === keyOf(b);
}

function keyOf({ workerUrl, session }: JoinedName): string {
  return `${PREFIX}${session} ${workerUrl}`;
}

function isName(value: unknown): value is JoinedName {
  const { workerUrl, session } = (value ?? {}) as Partial<Record<keyof JoinedName, unknown>>;
  return typeof workerUrl === "string" && typeof session === "string";
}
