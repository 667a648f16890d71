import { describe, expect, test } from "vitest";
import { isOurProcess, listProcesses, parseProcesses } from "./list.ts";

test("ps, as Linux and macOS print it", () => {
  const text = `    1 /sbin/init splash
  812 /usr/libexec/logd
 4711 /opt/node/bin/node /x/dist/local-server.js --home /home/ada/.linkup
`;
  expect(parseProcesses(text)).toEqual([
    { pid: 1, command: "/sbin/init splash" },
    { pid: 812, command: "/usr/libexec/logd" },
    { pid: 4711, command: "/opt/node/bin/node /x/dist/local-server.js --home /home/ada/.linkup" },
  ]);
});

test("PowerShell's list, with processes that may not be looked at", () => {
  const text =
    '0 \r\n4 \r\n912 "C:\\Code\\Code.exe" C:\\x\\dist\\cli.js keep --home C:\\Users\\ada\\.linkup\r\n';
  expect(parseProcesses(text)).toEqual([
    { pid: 912, command: '"C:\\Code\\Code.exe" C:\\x\\dist\\cli.js keep --home C:\\Users\\ada\\.linkup' },
  ]);
});

test("this machine's list has this process", async () => {
  expect((await listProcesses()).map(({ pid }) => pid)).toContain(process.pid);
});

describe("whose processes they are", () => {
  const home = "/home/ada/.linkup";
  test.each([
    ["node /x/dist/local-server.js --home /home/ada/.linkup", true],
    ["node /x/dist/cli.js keep --home /home/ada/.linkup", true],
    ["cloudflared tunnel --config /home/ada/.linkup/tunnels/slim-gecko.yml run", true],
    ["node /x/dist/local-server.js --home /home/ada/.linkup-2", false],
    ["node /x/dist/local-server.js --home /home/bob/.linkup", false],
    ["cloudflared tunnel --config /home/ada/.cloudflared/config.yml run", false],
    ["vim /home/ada/.linkup/state.json", false],
  ])("%s: %s", (command, ours) => expect(isOurProcess({ pid: 1, command }, home)).toBe(ours));

  test("on Windows", () => {
    const windows = "C:\\Users\\ada\\.linkup";
    expect(
      isOurProcess({ pid: 1, command: `node.exe C:\\x\\local-server.js --home "${windows}"` }, windows),
    ).toBe(true);
    expect(
      isOurProcess(
        { pid: 1, command: `cloudflared.exe tunnel --config ${windows}\\tunnels\\a.yml run` },
        windows,
      ),
    ).toBe(true);
  });
});
