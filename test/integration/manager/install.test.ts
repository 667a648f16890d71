import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type DownloadRequest,
  installRelease,
  proposeDownload,
} from "../../../manager/components/tunnel/install.ts";
import { ASSETS, assetFor } from "../../../manager/components/tunnel/releases.ts";
import { temporaryFolder, World } from "./world.ts";

const PROGRAM = Buffer.from("#!/bin/sh\necho cloudflared version 2026.8.2\n");
const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex");

let releases: Server;
let base: string;
let home: string;
/** What the release server answers, by path. */
let answers: Record<string, (response: ServerResponse) => void>;
beforeEach(async () => {
  home = join(temporaryFolder("linkup-install-"), "home");
  answers = {};
  releases = createServer((request, response) => {
    const answer = answers[request.url!];
    if (answer) answer(response);
    else response.writeHead(404).end("Not Found");
  });
  releases.listen(0, "127.0.0.1");
  await once(releases, "listening");
  base = `http://127.0.0.1:${(releases.address() as AddressInfo).port}`;
});
afterEach(() => {
  releases.closeAllConnections();
  releases.close();
});

const asked = (more: Partial<DownloadRequest> = {}): DownloadRequest => ({
  home,
  env: { LINKUP_CLOUDFLARED_RELEASES: `${base}/` },
  platform: "linux",
  arch: "x64",
  version: "2026.8.2",
  sha256: sha256(PROGRAM),
  ...more,
});
const serve = (asset: string, content: Buffer) => {
  answers[`/2026.8.2/${asset}`] = (response) => response.end(content);
};
const path = () => join(home, "bin", "cloudflared");
/** All that lies in the home, at any depth. */
const left = () => (existsSync(home) ? (readdirSync(home, { recursive: true }) as string[]).sort() : []);

test("what has the expected checksum can be run, and only that is there", async () => {
  serve("cloudflared-linux-amd64", PROGRAM);
  await installRelease(proposeDownload(asked()));
  expect(readFileSync(path())).toEqual(PROGRAM);
  expect(statSync(path()).mode & 0o777).toBe(0o755);
  expect(left()).toEqual(["bin", "bin/cloudflared"]);
});

test("redirects are followed, as the releases have them", async () => {
  answers["/2026.8.2/cloudflared-linux-amd64"] = (response) =>
    response.writeHead(302, { location: `${base}/elsewhere` }).end();
  answers["/elsewhere"] = (response) => response.end(PROGRAM);
  await installRelease(proposeDownload(asked()));
  expect(readFileSync(path())).toEqual(PROGRAM);
});

describe("an archive, as macOS has it", () => {
  const header = (name: string, size: number, type = "0") => {
    const block = Buffer.alloc(512);
    block.write(name, 0);
    block.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
    block.write(type, 156);
    return block;
  };
  const entry = (name: string, content: Buffer) => {
    const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
    return Buffer.concat([header(name, content.length), content, padding]);
  };
  const archive = (...entries: Buffer[]) => gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)]));
  const mac = (content: Buffer) => {
    serve("cloudflared-darwin-arm64.tgz", content);
    return installRelease(
      proposeDownload(asked({ platform: "darwin", arch: "arm64", sha256: sha256(content) })),
    );
  };

  test("gives the program in it", async () => {
    await mac(
      archive(header("./", 0, "5"), entry("README", Buffer.from("x")), entry("./cloudflared", PROGRAM)),
    );
    expect(readFileSync(path())).toEqual(PROGRAM);
    expect(statSync(path()).mode & 0o777).toBe(0o755);
  });

  test.each([
    ["has no such file", archive(entry("other", PROGRAM)), "There is no cloudflared in"],
    ["is not compressed", PROGRAM, "cannot be unpacked"],
    ["is cut", gzipSync(header("cloudflared", 5000)), "it is not a tar archive"],
    ["is not an archive", gzipSync(Buffer.alloc(2000, "x")), "it is not a tar archive"],
  ])("that %s is refused", async (_, content, said) => {
    await expect(mac(content)).rejects.toThrow(said);
    expect(left()).toEqual([]);
  });
});

describe("nothing is changed", () => {
  const before = Buffer.from("an older one");
  beforeEach(async () => {
    serve("cloudflared-linux-amd64", before);
    await installRelease(proposeDownload(asked({ sha256: sha256(before) })));
  });
  afterEach(() => {
    expect(readFileSync(path())).toEqual(before);
    expect(left()).toEqual(["bin", "bin/cloudflared"]);
  });
  const installing = () => installRelease(proposeDownload(asked()));

  test("by another checksum", async () => {
    serve("cloudflared-linux-amd64", Buffer.concat([PROGRAM, Buffer.from("evil")]));
    await expect(installing()).rejects.toThrow(/does not match: SHA-256 is [0-9a-f]{64}, expected/);
  });

  test("by a file that is cut, whole as far as the server says", async () => {
    serve("cloudflared-linux-amd64", PROGRAM.subarray(0, 10));
    await expect(installing()).rejects.toThrow("does not match");
  });

  test("by a connection that breaks", async () => {
    answers["/2026.8.2/cloudflared-linux-amd64"] = (response) => {
      response.writeHead(200, { "content-length": PROGRAM.length });
      response.write(PROGRAM.subarray(0, 10), () => response.destroy());
    };
    await expect(installing()).rejects.toThrow("could not be downloaded");
  });

  test("by a release that is not there", async () => {
    delete answers["/2026.8.2/cloudflared-linux-amd64"];
    await expect(installing()).rejects.toThrow("it answered 404");
  });

  test("by a server that is not there", async () => {
    const download = proposeDownload(asked());
    releases.closeAllConnections();
    releases.close();
    await once(releases, "close");
    await expect(installRelease(download)).rejects.toThrow("could not be downloaded");
  });
});

describe("what is proposed", () => {
  test("has an asset of Cloudflare's for each kind of machine", () => {
    expect(
      Object.values(ASSETS).every((asset) => /^cloudflared-(linux|darwin|windows)-\w+/.test(asset)),
    ).toBe(true);
    expect(assetFor("freebsd", "x64")).toBeUndefined();
    expect(proposeDownload(asked({ platform: "win32" }))).toMatchObject({
      url: `${base}/2026.8.2/cloudflared-windows-amd64.exe`,
      path: `${path()}.exe`,
    });
    expect(proposeDownload(asked({ env: {} })).url).toBe(
      "https://github.com/cloudflare/cloudflared/releases/download/2026.8.2/cloudflared-linux-amd64",
    );
  });

  test.each<[string, Partial<DownloadRequest>, string]>([
    [
      "a machine that Cloudflare makes none for",
      { platform: "freebsd" },
      "not release cloudflared for freebsd on x64",
    ],
    ["a version that is a path", { version: "../../evil" }, "is not a version"],
    ["an invalid checksum", { sha256: "abc" }, "64 hexadecimal digits"],
  ])("not for %s", (_, more, said) => expect(() => proposeDownload(asked(more))).toThrow(said));
});

describe("linkup cloudflared install", () => {
  let world: World;
  beforeEach(async () => {
    world = await World.create("cloudflare");
    world.env.LINKUP_CLOUDFLARED_RELEASES = base;
  });
  afterEach(() => world[Symbol.asyncDispose]());

  test("asks first, installs cloudflared for sessions, and uninstall removes it", async () => {
    const asset = assetFor(process.platform, process.arch)!;
    const standIn = join(world.folder, "bin", "cloudflared");
    const program = readFileSync(standIn);
    serve(asset, program);
    const release = ["--release", "2026.8.2", "--sha256", sha256(program)];
    const refused = await world.linkup("cloudflared", "install", ...release);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("use --yes") });
    expect(refused.stderr).toContain(`from ${base}/2026.8.2/${asset}\n  with SHA-256 ${sha256(program)}`);
    expect(existsSync(join(world.home, "bin"))).toBe(false);

    expect(await world.json("cloudflared", "install", "--yes", ...release)).toEqual({
      installed: join(world.home, "bin", "cloudflared"),
      version: "2026.8.2",
    });
    world.env.PATH = "/usr/bin:/bin";
    const { session_name: name } = await world.json<{ session_name: string }>("start", "--detach");
    await world.linkup("route", "local", "web");
    expect(await world.served(name)).toBe("local web");
    await world.json("uninstall", "--yes");
    expect(existsSync(world.home)).toBe(false);
  });

  test("downloads nothing that it cannot verify", async () => {
    const { code, stderr } = await world.linkup("cloudflared", "install", "--yes");
    expect(code).toBe(1);
    expect(stderr).toContain("does not download what it cannot verify");
    expect((await world.linkup("cloudflared", "install", "--yes", "--release", "1")).code).toBe(2);
  });
});

describe("pinning a release", () => {
  const script = join(import.meta.dirname, "../../../scripts/pin-cloudflared.mjs");
  const source = join(import.meta.dirname, "../../../manager/components/tunnel/releases.ts");
  const pin = async (out: string) => {
    const args = [script, "2026.8.2", "--releases", base, "--api", `${base}/api`, "--out", out];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const [code] = await once(child, "close");
    return { code, stderr };
  };
  const content = (asset: string) => Buffer.from(`content of ${asset}`);
  let out: string;
  beforeEach(() => {
    const assets = [...new Set(Object.values(ASSETS))];
    for (const asset of assets) serve(asset, content(asset));
    answers["/api/2026.8.2"] = (response) =>
      response.end(
        JSON.stringify({
          assets: assets.map((name) => ({ name, digest: `sha256:${sha256(content(name))}` })),
        }),
      );
    out = join(temporaryFolder("linkup-pin-"), "releases.ts");
    copyFileSync(source, out);
  });

  test("writes every asset's checksum into the table, again and again", async () => {
    for (const _ of [1, 2]) expect(await pin(out)).toMatchObject({ code: 0 });
    const { PINNED } = await import(out);
    const sums = Object.values(ASSETS).map((asset) => [asset, sha256(content(asset))]);
    expect(PINNED).toEqual({ version: "2026.8.2", sha256: Object.fromEntries(sums) });
  });

  test("writes nothing when an asset differs from its release", async () => {
    serve("cloudflared-linux-arm64", Buffer.from("another content"));
    const before = readFileSync(out, "utf8");
    expect(await pin(out)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("cloudflared-linux-arm64 has"),
    });
    expect(readFileSync(out, "utf8")).toBe(before);
  });
});
