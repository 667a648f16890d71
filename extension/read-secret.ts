/** Reads VS Code's secret storage. */
import type * as vscode from "vscode";

/**
 * Undefined also where the storage cannot be read, as on a Linux without a keyring: what is asked for may be elsewhere, and
 * who stores it is told why it cannot be kept.
 */
export async function readSecret(secrets: vscode.SecretStorage, key: string): Promise<string | undefined> {
  try {
    return await secrets.get(key);
  } catch {
    return undefined;
  }
}
