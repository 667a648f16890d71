/** `linkup local-dns` */

import { formatText } from "../../core/text.ts";
import {
  installLocalDns,
  localDnsStatus,
  proposeLocalDns,
  proposeUninstall,
  uninstallLocalDns,
} from "../../manager/components/local-dns/local-dns.ts";
import { readConfig } from "../../manager/files/config-file.ts";
import { stateHome } from "../../node/home.ts";
import { confirmed } from "../confirm.ts";
import { needConfig, newManager } from "../context.ts";
import { print, printJson } from "../print/output.ts";

interface Options {
  config?: string;
  yes?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

export async function install(options: Options): Promise<void> {
  const home = stateHome(process.env);
  const { domains } = await readConfig(needConfig(options.config));
  const { sessions } = await newManager({ keep: false }).look();
  const hosts = sessions.flatMap(({ urls }) => urls.map((url) => new URL(url).hostname));
  const proposal = await proposeLocalDns(
    domains.map(({ domain }) => domain),
    hosts,
    { home },
  );
  const { commands } = proposal;
  const gaps = proposal.gaps.map((gap) => formatText(gap));
  if (options.json) printJson({ domains: proposal.domains, commands, gaps });
  else
    print(
      `For ${proposal.domains.join(", ")}, these commands change this machine:\n\n${listed(commands)}\n${listed(gaps)}`,
    );
  if (options.dryRun || !(options.yes || (await confirmed("Run them?")))) return;
  await installLocalDns(proposal, { home });
  await newManager({ keep: false }).restart("local-dns");
  if (!options.json) print("Installed. `linkup local-dns uninstall` undoes all changes.\n");
}

export async function uninstall(options: Options): Promise<void> {
  const home = stateHome(process.env);
  const commands = await proposeUninstall({ home });
  if (options.json) printJson({ commands });
  else if (commands.length === 0) print("Local DNS is not installed.\n");
  else print(`These commands undo all changes:\n\n${listed(commands)}\n`);
  if (options.dryRun || commands.length === 0 || !(options.yes || (await confirmed("Run them?")))) return;
  await uninstallLocalDns({ home });
  await newManager({ keep: false }).restart("local-dns");
  if (!options.json) print("All changes are undone.\n");
}

export async function status(options: Options): Promise<void> {
  const found = await localDnsStatus({ home: stateHome(process.env) });
  if (options.json) {
    printJson(found);
    return;
  }
  const { installed, domains, method, authorityEnds, gaps } = found;
  print(
    installed
      ? `Installed for ${domains.join(", ")}, using ${method}.\n`
      : `Not installed. On this machine it would use ${method}.\n`,
  );
  if (authorityEnds !== null)
    print(`Certificates are valid until ${new Date(authorityEnds).toISOString().slice(0, 10)}.\n`);
  print(listed(gaps.map((gap) => formatText(gap))));
}

function listed(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}\n`).join("");
}
