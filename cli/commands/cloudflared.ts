/** `linkup cloudflared` */

import { installRelease, proposeDownload } from "../../manager/components/tunnel/install.ts";
import { stateHome } from "../../node/home.ts";
import { confirmed } from "../confirm.ts";
import { UsageError } from "../exit-codes.ts";
import { print, printNote } from "../print/output.ts";
import { spin } from "../print/spinner.ts";

interface Options {
  release?: string;
  sha256?: string;
  yes?: boolean;
  json?: boolean;
}

export async function install(options: Options): Promise<void> {
  const { release: version, sha256 } = options;
  if ((version === undefined) !== (sha256 === undefined))
    throw new UsageError("Use --release and --sha256 together.");
  const { platform, arch, env } = process;
  const download = proposeDownload({ home: stateHome(env), env, platform, arch, version, sha256 });
  const { url, path } = download;
  printNote(
    `Cloudflare's cloudflared ${download.version}, which tunneled sessions need:\n  from ${url}\n  with SHA-256 ${download.sha256}\n  to ${path}\n`,
  );
  if (!options.yes && !(await confirmed("Download it?"))) return;
  await spin("Downloading", installRelease(download));
  print(
    options.json
      ? `${JSON.stringify({ installed: path, version: download.version })}\n`
      : `Installed ${path}\n`,
  );
}
