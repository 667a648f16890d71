/** The worker's token in VS Code's secret storage, one per Worker. */
import type * as vscode from "vscode";
import { readSecret } from "./read-secret.ts";

const key = (workerUrl: string) => `worker-token:${new URL(workerUrl).origin}`;

export async function storedToken(
  secrets: vscode.SecretStorage,
  workerUrl: string,
): Promise<string | undefined> {
  if (!URL.canParse(workerUrl)) return undefined;
  return (await readSecret(secrets, key(workerUrl))) || undefined;
}

/** An empty token removes the stored one. */
export async function storeToken(
  secrets: vscode.SecretStorage,
  workerUrl: string,
  token: string,
): Promise<void> {
  if (token) await secrets.store(key(workerUrl), token);
  else await secrets.delete(key(workerUrl));
}
