/** The steps that add an authority to this machine's trust stores and remove it again. Pure. */
import { join } from "node:path/posix";
import type { CertificateInfo } from "../../../core/certificates/certificate-authority.ts";
import { type Text, text } from "../../../core/text.ts";
import type { Machine } from "../system/machine.ts";
import { asAdministrator, asUser, only, type SystemStep } from "../system/step.ts";

/** `file`: the authority's certificate as PEM. */
export function planTrust(machine: Machine, file: string, { sha1, sha256 }: CertificateInfo): SystemStep[] {
  const steps: SystemStep[] = [];
  if (machine.platform === "darwin") steps.push(keychain(machine, file, sha1));
  if (machine.platform === "win32") steps.push(windowsStore(file, sha1));
  for (const { program, directory, extension } of machine.trust) {
    const target = join(directory, `linkup-${sha256.slice(0, 16)}.${extension}`);
    steps.push({
      title: `Let the programs of this system trust the certificates of your sessions (${program}).`,
      commands: [asAdministrator("install", "-m", "644", file, target), asAdministrator(program)],
      undo: [asAdministrator("rm", "-f", target), asAdministrator(program, ...fresh(program))],
    });
  }
  if (machine.certutil) for (const database of machine.nss) steps.push(nssStore(database, file, sha256));
  if (machine.certutil && machine.newNss) steps.push(newNssStore(machine.newNss, file, sha256));
  return steps;
}

/** Debian's update-ca-certificates removes links to deleted files only with --fresh. */
function fresh(program: string): string[] {
  return program === "update-ca-certificates" ? ["--fresh"] : [];
}

/** Trust stores that cannot be changed on this machine, with the command that helps. */
export function trustGaps(machine: Machine): Text[] {
  const gaps: Text[] = [];
  if (machine.wsl) gaps.push(WSL);
  if ((machine.nss.length > 0 || machine.newNss) && !machine.certutil)
    gaps.push(
      text(
        "Firefox and Chromium keep their own list of authorities, which needs certutil: sudo apt install libnss3-tools",
      ),
    );
  if (machine.platform === "linux" && machine.trust.length === 0)
    gaps.push(
      text(
        "Linkup knows no folder for local authorities on this system: programs other than browsers will not trust the certificates.",
      ),
    );
  return gaps;
}

const WSL = text(
  'This is WSL: a browser on Windows knows neither the names nor the certificates of this Linux. For the certificates, run here: certutil.exe -user -addstore Root "$(wslpath -w ~/.linkup/certificates/authority.crt.pem)". For each session\'s host, add a line "127.0.0.1 SESSION.DOMAIN" to C:\\Windows\\System32\\drivers\\etc\\hosts, as administrator: powershell.exe -Command "Start-Process notepad C:\\Windows\\System32\\drivers\\etc\\hosts -Verb RunAs". Names under localhost need neither. A browser that runs in WSL needs nothing of this.',
);

/** The user's login keychain, which needs no administrator. */
function keychain(machine: Machine, file: string, sha1: string): SystemStep {
  const login = join(machine.home, "Library/Keychains/login.keychain-db");
  return {
    title: "Let macOS trust the certificates of your sessions, for you alone.",
    commands: [asUser("security", "add-trusted-cert", "-r", "trustRoot", "-k", login, file)],
    undo: [
      {
        ...only(
          ["security", "find-certificate", "-a", "-Z", login],
          asUser("security", "delete-certificate", "-Z", sha1, "-t", login),
        ),
        whenPrints: sha1,
      },
    ],
  };
}

function windowsStore(file: string, sha1: string): SystemStep {
  return {
    title: "Let Windows trust the certificates of your sessions, for you alone.",
    commands: [asUser("certutil", "-user", "-addstore", "Root", file)],
    undo: [
      only(
        ["certutil", "-user", "-verifystore", "Root", sha1],
        asUser("certutil", "-user", "-delstore", "Root", sha1),
      ),
    ],
  };
}

function nssStore(database: string, file: string, sha256: string): SystemStep {
  const name = nssName(sha256);
  return {
    title: `Let the browser with the profile ${database} trust the certificates of your sessions.`,
    commands: [asUser("certutil", "-A", "-d", `sql:${database}`, "-t", "C,,", "-n", name, "-i", file)],
    undo: [
      only(
        ["certutil", "-L", "-d", `sql:${database}`, "-n", name],
        asUser("certutil", "-D", "-d", `sql:${database}`, "-n", name),
      ),
    ],
  };
}

/**
 * Chromium takes the database that it finds; certutil makes a missing one, and keeps one that Chromium has made
 * meanwhile. It is left behind, as it might be Chromium's own by then.
 */
function newNssStore(database: string, file: string, sha256: string): SystemStep {
  const { commands, undo } = nssStore(database, file, sha256);
  return {
    title:
      "Let Chromium trust the certificates of your sessions, before it has been used for the first time.",
    commands: [asUser("mkdir", "-p", "-m", "700", database), ...commands],
    undo,
  };
}

/** Names the certificate by its fingerprint, so that exactly this one is removed later. */
export function nssName(sha256: string): string {
  return `Linkup local development ${sha256}`;
}
