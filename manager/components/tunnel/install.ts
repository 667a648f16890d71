/** Downloads cloudflared at the user's request, and checks it before anything is written or run. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Text, text } from "../../../core/text.ts";
import { writeAtomically } from "../../../node/atomic-file.ts";
import { makeFolder } from "../../../node/folder.ts";
import { networkReason } from "../../model/network-reason.ts";
import { LinkupError } from "../../model/problem.ts";
import { assetFor, downloadPath, PINNED, RELEASES } from "./releases.ts";
import { fileInTar } from "./tar.ts";

/** Upper bound, far above any release asset. */
const MAX_BYTES = 256 * 1024 * 1024;
/** Idle timeout of the download. */
const IDLE_TIMEOUT_MS = 30_000;

/** What is downloaded, from where and to where, for the user to confirm. */
export interface Download {
  version: string;
  url: string;
  /** SHA-256 of the asset, in hexadecimal. */
  sha256: string;
  path: string;
}

export interface DownloadRequest {
  home: string;
  env: NodeJS.ProcessEnv;
  platform: NodeJS.Platform;
  arch: string;
  /** A release other than the pinned one: both or neither. */
  version?: string | undefined;
  sha256?: string | undefined;
}

/** Throws a LinkupError without a checksum to verify against. */
export function proposeDownload({ home, env, platform, arch, version, sha256 }: DownloadRequest): Download {
  const asset = assetFor(platform, arch);
  if (!asset) throw refused(text("Cloudflare does not release cloudflared for {0} on {1}.", platform, arch));
  const pinned = PINNED?.sha256[asset];
  const release =
    version && sha256
      ? { version, sha256 }
      : pinned
        ? { version: PINNED!.version, sha256: pinned }
        : undefined;
  if (!release) {
    throw refused(
      text(
        "This build of Linkup pins no release of cloudflared for {0} on {1}, and does not download what it cannot verify. Install cloudflared by other means, or give --release and --sha256: the checksum of {2}, from the release's page.",
        platform,
        arch,
        asset,
      ),
    );
  }
  if (!/^[\w.-]+$/.test(release.version)) throw refused(text('"{0}" is not a version.', release.version));
  if (!/^[0-9a-f]{64}$/i.test(release.sha256))
    throw refused(text("A SHA-256 checksum has 64 hexadecimal digits."));
  const from = (env.LINKUP_CLOUDFLARED_RELEASES || RELEASES).replace(/\/+$/, "");
  return {
    version: release.version,
    url: `${from}/${release.version}/${asset}`,
    sha256: release.sha256.toLowerCase(),
    path: downloadPath(home, platform),
  };
}

/** Downloads, verifies, unpacks, and only then writes the program. Rejects with a LinkupError and leaves the disk unchanged. */
export async function installRelease({ url, sha256, path }: Download): Promise<void> {
  const content = await download(url);
  const found = createHash("sha256").update(content).digest("hex");
  if (found !== sha256)
    throw refused(
      text(
        "The checksum of {0} does not match: SHA-256 is {1}, expected {2}. The download was discarded.",
        url,
        found,
        sha256,
      ),
    );
  const program = url.endsWith(".tgz") ? unpack(content, url) : content;
  try {
    makeFolder(join(path, ".."));
    await writeAtomically(path, program, { mode: 0o755 });
  } catch (cause) {
    throw refused(text("{0} could not be written: {1}", path, (cause as Error).message), cause);
  }
}

async function download(url: string): Promise<Buffer> {
  const stopped = new AbortController();
  let idleTimer = setTimeout(() => stopped.abort(), IDLE_TIMEOUT_MS);
  try {
    const response = await fetch(url, { signal: stopped.signal });
    if (!response.ok || !response.body) throw new Error(`it answered ${response.status}`);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      clearTimeout(idleTimer);
      idleTimer = setTimeout(() => stopped.abort(), IDLE_TIMEOUT_MS);
      size += chunk.length;
      if (size > MAX_BYTES) throw new Error("it is too large");
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    // `fetch` wraps the reason in "fetch failed".
    const { cause } = error as Error;
    const reason = networkReason(cause instanceof Error ? cause : (error as Error));
    throw refused(text("{0} could not be downloaded: {1}.", url, reason), error);
  } finally {
    clearTimeout(idleTimer);
    stopped.abort();
  }
}

function unpack(content: Buffer, url: string): Buffer {
  let program: Buffer | undefined;
  try {
    program = fileInTar(gunzipSync(content), "cloudflared");
  } catch (cause) {
    throw refused(text("{0} cannot be unpacked: {1}", url, (cause as Error).message), cause);
  }
  if (!program) throw refused(text("There is no cloudflared in {0}.", url));
  return program;
}

function refused(message: Text, cause?: unknown): LinkupError {
  return new LinkupError("cloudflared-not-installed", message, [], { cause });
}
