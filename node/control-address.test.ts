import { expect, test } from "vitest";
import { controlAddress } from "./control-address.ts";

test("the control socket is in the home", () => {
  expect(controlAddress("/home/ada/.linkup", "linux", "/tmp")).toBe("/home/ada/.linkup/local-server.sock");
  expect(controlAddress("/home/ada/.linkup/", "linux", "/tmp")).toBe("/home/ada/.linkup/local-server.sock");
});

test("a path that no system would take becomes a short one, another for each home", () => {
  const home = `/home/${"ä".repeat(50)}`;
  const address = controlAddress(home, "darwin", "/var/folders/zz/abcdefghijklmnopqrstuvwxyz/T/");
  expect(address).toMatch(
    /^\/var\/folders\/zz\/abcdefghijklmnopqrstuvwxyz\/T\/linkup-[0-9a-f]{16}\/local-server\.sock$/,
  );
  expect(controlAddress(`${home}2`, "darwin", "/tmp")).not.toBe(controlAddress(home, "darwin", "/tmp"));
});

test("Windows has named pipes, whose names know no case", () => {
  const address = controlAddress("C:\\Users\\Ada\\.linkup", "win32", "C:\\Temp");
  expect(address).toMatch(/^\\\\\.\\pipe\\linkup-[0-9a-f]{16}$/);
  expect(controlAddress("c:\\users\\ada\\.linkup", "win32", "C:\\Temp")).toBe(address);
});
