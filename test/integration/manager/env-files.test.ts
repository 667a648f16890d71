import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MARKER } from "../../../manager/components/env-files/block.ts";
import { EnvFiles } from "../../../manager/components/env-files/env-files.ts";
import type { Snapshot } from "../../../manager/model/snapshot.ts";
import { temporaryFolder, until, World } from "./world.ts";

let home: string;
let directory: string;
let files: EnvFiles;
beforeEach(() => {
  home = temporaryFolder("linkup-env-home-");
  directory = temporaryFolder("linkup-env-");
  files = new EnvFiles(home);
});

const at = (name: string) => join(directory, name);
const write = (name: string, content: string) => writeFileSync(at(name), content);
const read = (name: string) => readFileSync(at(name), "utf8");
const apply = () => files.apply("session", [directory], directory);
const restore = () => files.restore(() => true);

describe("byte for byte as it was", () => {
  test.each([
    ["ordinary", "A=1\nB=2\n"],
    ["without its last newline", "A=1\nB=2"],
    ["of Windows", "A=1\r\nB=2\r\n"],
    ["empty", ""],
    ["with a byte order mark", "\ufeffA=1\n"],
  ])("a file %s", async (_, before) => {
    write(".env.development", before);
    chmodSync(at(".env.development"), 0o640);
    write(".env.development.linkup", "API=http://api.example.com");
    expect(await apply()).toEqual([]);
    expect(read(".env.development")).toContain("API=http://api.example.com");
    expect(read(".env.development").split(MARKER)).toHaveLength(3);
    expect(await restore()).toEqual([]);
    expect(read(".env.development")).toBe(before);
    expect(statSync(at(".env.development")).mode & 0o777).toBe(0o640);
  });

  test("bytes that are no text", async () => {
    const before = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a, 0xc3]);
    writeFileSync(at(".env.local"), before);
    write(".env.local.linkup", "A=1\n");
    await apply();
    await restore();
    expect(readFileSync(at(".env.local"))).toEqual(before);
  });
});

test("a file that was not there goes again, unless something else was written into it", async () => {
  write(".env.a.linkup", "A=1\n");
  write(".env.b.linkup", "B=1\n");
  await apply();
  expect(read(".env.a")).toBe(`${MARKER}\nA=1\n${MARKER}\n`);
  writeFileSync(at(".env.b"), `${read(".env.b")}MINE=1\n`);
  await restore();
  expect(existsSync(at(".env.a"))).toBe(false);
  expect(read(".env.b")).toBe("MINE=1\n");
  expect(existsSync(join(home, "env-files.json"))).toBe(false);
});

test("is appended once, and follows its source at the next start", async () => {
  write(".env.local", "A=1\n");
  write(".env.local.linkup", "B=1\n");
  await apply();
  write(".env.local.linkup", "B=2\n");
  await apply();
  expect(read(".env.local")).toBe(`A=1\n${MARKER}\nB=2\n${MARKER}\n`);
  expect(await files.apply("another session", [directory], directory)).toEqual([]);
  expect(read(".env.local").split(MARKER)).toHaveLength(3);
  await restore();
  expect(read(".env.local")).toBe("A=1\n");
});

describe("two config files that name the same directory", () => {
  const other = "another session";
  beforeEach(async () => {
    write(".env.local", "A=1\n");
    write(".env.local.linkup", "B=1\n");
    await apply();
    await files.apply(other, [directory], directory);
  });
  const block = (content: string) => `A=1\n${MARKER}\n${content}${MARKER}\n`;

  test("share one block, which stays until the last of them has ended", async () => {
    expect(read(".env.local")).toBe(block("B=1\n"));
    await files.restore((session) => session === "session");
    expect(read(".env.local")).toBe(block("B=1\n"));
    await files.restore((session) => session === other);
    expect(read(".env.local")).toBe("A=1\n");
    expect(existsSync(join(home, "env-files.json"))).toBe(false);
  });

  test("it follows its source with whichever starts", async () => {
    write(".env.local.linkup", "B=2\n");
    await files.apply(other, [directory], directory);
    expect(read(".env.local")).toBe(block("B=2\n"));
    await files.restore((session) => session === other);
    expect(read(".env.local")).toBe(block("B=2\n"));
    await restore();
    expect(read(".env.local")).toBe("A=1\n");
  });

  test("a file that was not there goes with the last of them", async () => {
    write(".env.new.linkup", "C=1\n");
    await apply();
    await files.apply(other, [directory], directory);
    await files.restore((session) => session === "session");
    expect(read(".env.new")).toContain("C=1");
    await restore();
    expect(existsSync(at(".env.new"))).toBe(false);
  });
});

test("a block of someone else stays", async () => {
  const theirs = `A=1\n${MARKER}\nB=1\n${MARKER}\n`;
  write(".env.local", theirs);
  write(".env.local.linkup", "B=2\n");
  await apply();
  await restore();
  expect(read(".env.local")).toBe(theirs);
});

test("what the user wrote meanwhile stays, inside the block too", async () => {
  write(".env.local", "A=1");
  write(".env.local.linkup", "B=1\nC=1\n");
  await apply();
  write(".env.local", `${read(".env.local").replace("A=1", "A=2").replace("C=1", "C=1\nMINE=1")}LAST=1\n`);
  await restore();
  expect(read(".env.local")).toBe("A=2\nMINE=1\nLAST=1\n");
});

test("a link to a link whose file does not exist yet: both stay, and the file goes again", async () => {
  symlinkSync("link", at(".env.local"));
  symlinkSync("new", at("link"));
  write(".env.local.linkup", "B=1\n");
  expect(await apply()).toEqual([]);
  expect(read("new")).toContain("B=1");
  expect(await restore()).toEqual([]);
  expect([readlinkSync(at(".env.local")), readlinkSync(at("link")), existsSync(at("new"))]).toEqual([
    "link",
    "new",
    false,
  ]);
});

test("a folder that is a link: what a link in it says counts from where the folder is", async () => {
  mkdirSync(at("deep/real"), { recursive: true });
  symlinkSync("deep/real", at("linked"));
  symlinkSync("../new", at("deep/real/.env.local"));
  write("deep/real/.env.local.linkup", "B=1\n");
  write("deep/real/.env.test.linkup", "C=1\n");
  expect(await files.apply("one", [at("linked")], directory)).toEqual([]);
  expect(await files.apply("two", [at("deep/real")], directory)).toEqual([]);
  expect([existsSync(at("new")), read("deep/new").split("B=1")]).toEqual([
    false,
    expect.objectContaining({ length: 2 }),
  ]);
  await files.restore((session) => session === "one");
  expect(read("deep/real/.env.test")).toContain("C=1");
  await restore();
  expect(readdirSync(at("deep"))).toEqual(["real"]);
  expect(readdirSync(at("deep/real"))).not.toContain(".env.test");
});

test("a symbolic link stays one, and its file is the one that changes", async () => {
  write("shared", "A=1\n");
  symlinkSync("shared", at(".env.local"));
  symlinkSync("new", at(".env.test"));
  write(".env.local.linkup", "B=1\n");
  write(".env.test.linkup", "B=1\n");
  await apply();
  expect(read("shared")).toContain("B=1");
  expect(read("new")).toContain("B=1");
  await restore();
  expect(readlinkSync(at(".env.local"))).toBe("shared");
  expect(read("shared")).toBe("A=1\n");
  expect(readlinkSync(at(".env.test"))).toBe("new");
  expect(existsSync(at("new"))).toBe(false);
});

test("a directory in a file's place is told, and left alone", async () => {
  mkdirSync(at(".env.local"));
  write(".env.local.linkup", "B=1\n");
  expect(await apply()).toMatchObject([
    { code: "env-file-refused", message: expect.stringContaining(".env.local.linkup") },
  ]);
  expect(statSync(at(".env.local")).isDirectory()).toBe(true);
});

describe("a crash is undone by the next process", () => {
  test("after the file was changed", async () => {
    write(".env.local", "A=1\n");
    write(".env.local.linkup", "B=1\n");
    await apply();
    await new EnvFiles(home).restore(() => true);
    expect(read(".env.local")).toBe("A=1\n");
  });

  test("before the file was changed", async () => {
    write(".env.local", "A=1\n");
    write(".env.local.linkup", "B=1\n");
    await apply();
    write(".env.local", "A=1\n");
    expect(await new EnvFiles(home).restore(() => true)).toEqual([]);
    expect(read(".env.local")).toBe("A=1\n");
  });

  test("after the file was moved away", async () => {
    write(".env.local", "A=1\n");
    write(".env.local.linkup", "B=1\n");
    await apply();
    unlinkSync(at(".env.local"));
    expect(await restore()).toEqual([]);
    expect(existsSync(at(".env.local"))).toBe(false);
  });
});

describe.skipIf(process.getuid?.() !== 0)("with a user who may not write all of them", () => {
  let world: World;
  let service: string;
  beforeEach(async () => {
    world = await World.create();
    service = join(world.folder, "web");
    mkdirSync(service);
    const config = readFileSync(world.configPath, "utf8");
    writeFileSync(
      world.configPath,
      config.replace("  - name: web\n", "  - name: web\n    directory: ./web\n"),
    );
    world.becomeNobody();
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const own = (...names: string[]) => {
    for (const name of names) chownSync(join(service, name), world.user!.uid, world.user!.gid);
  };
  const put = (name: string, content: string, mode = 0o644) => {
    writeFileSync(join(service, name), content);
    chmodSync(join(service, name), mode);
  };
  const content = (name: string) => readFileSync(join(service, name), "utf8");
  const problems = async () =>
    (await world.json<Snapshot>("status")).problems.map(({ code, message }) => `${code} ${message}`);

  test("a file of another user is left alone and reported, and the session starts", async () => {
    for (const name of [".env.a", ".env.b", ".env.c"]) put(`${name}.linkup`, "B=1\n");
    put(".env.a", "A=1\n", 0o444);
    put(".env.b", "A=1\n");
    put(".env.c", "A=1\n");
    own(".", ".env.c");
    const { code, stderr } = await world.linkup("start", "--detach");
    expect(code).toBe(0);
    expect(stderr.match(/^Note: .*\.env\.[ab]\.linkup could not be put in place/gm)).toHaveLength(2);
    const told = await problems();
    expect(told).toHaveLength(2);
    for (const [at, name] of [".env.a", ".env.b"].entries()) {
      expect(told[at]).toContain(`${join(service, name)}.linkup could not be put in place: EACCES`);
      expect(content(name)).toBe("A=1\n");
      expect(statSync(join(service, name)).uid).toBe(0);
    }
    expect(content(".env.c")).toContain("B=1");
    expect(statSync(join(service, ".env.c")).uid).toBe(world.user!.uid);
    await world.linkup("stop");
    for (const name of [".env.a", ".env.b", ".env.c"]) expect(content(name)).toBe("A=1\n");
    expect(readdirSync(service).sort()).toEqual(
      [".env.a", ".env.b", ".env.c"].flatMap((name) => [name, `${name}.linkup`]),
    );
  });

  test("no file is created or removed in another user's folder", async () => {
    put(".env.a", "A=1\n");
    put(".env.a.linkup", "B=1\n");
    put(".env.new.linkup", "B=1\n");
    own(".env.a");
    await world.json("start", "--detach");
    expect(await problems()).toHaveLength(2);
    expect(content(".env.a")).toBe("A=1\n");
    await world.linkup("stop");
    expect(content(".env.a")).toBe("A=1\n");
    expect(readdirSync(service).sort()).toEqual([".env.a", ".env.a.linkup", ".env.new.linkup"]);
  });

  test("what cannot be taken out is taken out when it can", async () => {
    put(".env.a", "A=1\n");
    put(".env.a.linkup", "B=1\n");
    own(".", ".env.a");
    await world.json("start", "--detach");
    const changed = content(".env.a");
    expect(changed).toContain("B=1");
    chownSync(service, 0, 0);
    expect(await world.linkup("stop")).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`${join(service, ".env.a")} could not be written and still has`),
    });
    expect(content(".env.a")).toBe(changed);
    expect(await world.json("uninstall", "--yes")).toMatchObject({ left: ["env-files.json"] });
    expect([...world.processes().values()]).toEqual([]);
    own(".");
    expect((await world.linkup("stop", "--all")).stderr).toBe("");
    expect(content(".env.a")).toBe("A=1\n");
  });
});

describe("with a session", () => {
  let world: World;
  beforeEach(async () => {
    world = await World.create();
  });
  afterEach(() => world[Symbol.asyncDispose]());

  test("they come with its start and go with its stop, also after everything was killed", async () => {
    const service = join(world.folder, "web");
    mkdirSync(service);
    writeFileSync(join(service, ".env.local"), "A=1");
    writeFileSync(join(service, ".env.local.linkup"), "B=1");
    const config = readFileSync(world.configPath, "utf8");
    writeFileSync(
      world.configPath,
      config.replace("  - name: web\n", "  - name: web\n    directory: ./web\n"),
    );
    const content = () => readFileSync(join(service, ".env.local"), "utf8");

    await world.json("start", "--detach");
    expect(content()).toBe(`A=1\n${MARKER}\nB=1\n${MARKER}\n`);
    await world.linkup("stop");
    expect(content()).toBe("A=1");

    await world.json("start", "--detach");
    for (const pid of world.processes().keys()) process.kill(pid, "SIGKILL");
    await until("their end", () => world.processes().size === 0);
    // Nobody knows of a session any more: the journal still knows of the files.
    renameSync(join(world.home, "state.json"), join(world.home, "lost.json"));
    await world.linkup("stop", "--all");
    expect(content()).toBe("A=1");
  });
});
