/** `linkup cloudflared` */

import { install as installIt, proposeDownload } from "../../manager/components/tunnel/install.ts";
import { stateHome } from "../../node/home.ts";
import { confirmed } from "../confirm.ts";
import { UsageError } from "../exit-codes.ts";
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
    throw new UsageError("Give --release and --sha256 together.");
  const { platform, arch, env } = process;
  const download = proposeDownload({ home: stateHome(env), env, platform, arch, version, sha256 });
  const { url, path } = download;
  process.stderr.write(
    `cloudflared ${download.version} of Cloudflare, for the tunnels of sessions:\n  from ${url}\n  with SHA-256 ${download.sha256}\n  to ${path}\n`,
  );
  if (!options.yes && !(await confirmed("Download it?"))) return;
  await spin("Downloading", installIt(download));
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ installed: path, version: download.version })}\n`
      : `Installed ${path}\n`,
  );
}
