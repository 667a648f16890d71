import { expect, test } from "vitest";
import { commandScripts } from "./command-scripts.ts";

test("sh takes the paths as they are", () => {
  const { sh } = commandScripts("/opt/$HOME `id`/node", "/home/o'hara/cli.js");
  expect(sh).toBe(
    `#!/bin/sh\nELECTRON_RUN_AS_NODE=1 exec '/opt/$HOME \`id\`/node' '/home/o'\\''hara/cli.js' "$@"\n`,
  );
});

test("a batch file has no path that its code page may lack, and leaves the terminal's variables alone", () => {
  const { cmd, variables } = commandScripts("C:\\Users\\Jörg\\Code.exe", "C:\\Users\\Jörg\\cli.js");
  expect(cmd).toMatch(/^[\x20-\x7e\r\n]+$/);
  expect(cmd.split("\r\n")[0]).toBe("@setlocal");
  for (const [name, value] of Object.entries(variables)) {
    expect(cmd).toContain(`"%${name}%"`);
    expect(value).toContain("Jörg");
  }
});
