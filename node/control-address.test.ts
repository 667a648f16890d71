import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { controlAddress, type SocketPlaces, untrustedSocket } from "./control-address.ts";

const places = (
  platform: NodeJS.Platform,
  temporaryFolder: string,
  runtimeFolders: string[] = [],
): SocketPlaces => ({ platform, temporaryFolder, runtimeFolders });

test("the control socket is in the home", () => {
  expect(controlAddress("/home/ada/.linkup", places("linux", "/tmp"))).toBe(
    "/home/ada/.linkup/local-server.sock",
  );
  expect(controlAddress("/home/ada/.linkup/", places("linux", "/tmp"))).toBe(
    "/home/ada/.linkup/local-server.sock",
  );
});

test("a path that no system would take becomes a short one, another for each home", () => {
  const home = `/home/${"ä".repeat(50)}`;
  const address = controlAddress(home, places("darwin", "/var/folders/zz/abcdefghijklmnopqrstuvwxyz/T/"));
  expect(address).toMatch(
    /^\/var\/folders\/zz\/abcdefghijklmnopqrstuvwxyz\/T\/linkup-[0-9a-f]{16}\/local-server\.sock$/,
  );
  expect(controlAddress(`${home}2`, places("darwin", "/tmp"))).not.toBe(
    controlAddress(home, places("darwin", "/tmp")),
  );
});

test("Windows has named pipes, whose names know no case", () => {
  const address = controlAddress("C:\\Users\\Ada\\.linkup", places("win32", "C:\\Temp"));
  expect(address).toMatch(/^\\\\\.\\pipe\\linkup-[0-9a-f]{16}$/);
  expect(controlAddress("c:\\users\\ada\\.linkup", places("win32", "C:\\Temp"))).toBe(address);
});

describe.skipIf(process.platform === "win32")("a short path", () => {
  const home = `/home/${"a".repeat(100)}`;
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "linkup-a-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("is in the user's runtime folder, unless others get there", () => {
    const address = controlAddress(home, places("linux", "/tmp", [folder]));
    expect(address.startsWith(`${folder}/linkup-`)).toBe(true);
    chmodSync(folder, 0o755);
    expect(controlAddress(home, places("linux", "/tmp", [folder]))).toMatch(/^\/tmp\/linkup-/);
  });

  test("is not trusted where others may write, or what is there is no socket", () => {
    const place = join(folder, "linkup-1");
    const address = join(place, "local-server.sock");
    expect(untrustedSocket(address)).toBeUndefined();
    mkdirSync(place, { mode: 0o700 });
    expect(untrustedSocket(address)).toBeUndefined();
    writeFileSync(address, "");
    expect(untrustedSocket(address)).toContain("is not a socket");
    chmodSync(place, 0o777);
    expect(untrustedSocket(address)).toContain("others may write");
  });
});
