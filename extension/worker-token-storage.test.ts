import { expect, test } from "vitest";
import type * as vscode from "vscode";
import { storedToken, storeToken } from "./worker-token-storage.ts";

test("a token is found by its Worker, however its URL is written, and by no other", async () => {
  const kept = new Map<string, string>();
  const secrets = {
    get: async (key: string) => kept.get(key),
    store: async (key: string, value: string) => void kept.set(key, value),
    delete: async (key: string) => void kept.delete(key),
  } as unknown as vscode.SecretStorage;
  await storeToken(secrets, "https://LINKUP.example.com:443/", "secret");
  expect(await storedToken(secrets, "https://linkup.example.com")).toBe("secret");
  for (const other of ["http://linkup.example.com", "https://linkup.example.com:8443", "linkup.example.com"])
    expect(await storedToken(secrets, other)).toBeUndefined();
  await storeToken(secrets, "https://linkup.example.com/path", "");
  expect(kept.size).toBe(0);
});

test("a storage that cannot be read has no token: the environment or the file may have one", async () => {
  const secrets = {
    get: async () => {
      throw new Error("The name org.freedesktop.secrets was not provided by any .service files");
    },
  } as unknown as vscode.SecretStorage;
  expect(await storedToken(secrets, "https://linkup.example.com")).toBeUndefined();
});
