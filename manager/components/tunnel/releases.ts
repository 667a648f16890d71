import { join } from "node:path";

/** The release of cloudflared that Linkup offers to download. `node scripts/pin-cloudflared.mjs VERSION` writes it. */
export interface Release {
  /** As Cloudflare names it: `2026.8.2`. */
  version: string;
  /** SHA-256 of each downloadable asset in hexadecimal, by asset name. */
  sha256: Readonly<Record<string, string>>;
}

/** Null in a build that pins no release; then a download needs --release and --sha256. */
export const PINNED: Release | null = null;

/** Base URL of the releases; assets are below the version. */
export const RELEASES = "https://github.com/cloudflare/cloudflared/releases/download";

/** Path of the downloaded cloudflared. */
export function downloadPath(home: string, platform: NodeJS.Platform): string {
  return join(home, "bin", platform === "win32" ? "cloudflared.exe" : "cloudflared");
}

/** The asset for this platform; undefined where Cloudflare releases none. */
export function assetFor(platform: NodeJS.Platform, arch: string): string | undefined {
  return ASSETS[`${platform}-${arch}`];
}

/** Windows on ARM runs programs for x64. */
export const ASSETS: Readonly<Record<string, string>> = {
  "linux-x64": "cloudflared-linux-amd64",
  "linux-arm64": "cloudflared-linux-arm64",
  "linux-arm": "cloudflared-linux-armhf",
  "linux-ia32": "cloudflared-linux-386",
  "darwin-x64": "cloudflared-darwin-amd64.tgz",
  "darwin-arm64": "cloudflared-darwin-arm64.tgz",
  "win32-x64": "cloudflared-windows-amd64.exe",
  "win32-arm64": "cloudflared-windows-amd64.exe",
  "win32-ia32": "cloudflared-windows-386.exe",
};

/** Our own install: it downloads the pinned release and checks it. */
export const CHECKED_INSTALL = "linkup cloudflared install";

/** The command that installs cloudflared here; undefined where it takes more than one. */
export function installCommand(platform: NodeJS.Platform, arch: string): string | undefined {
  const asset = assetFor(platform, arch);
  if (asset && PINNED?.sha256[asset]) return CHECKED_INSTALL;
  if (platform === "darwin") return "brew install cloudflared";
  if (platform === "win32") return "winget install --id Cloudflare.cloudflared";
  return undefined;
}
