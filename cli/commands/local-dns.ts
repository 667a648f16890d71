/** `linkup local-dns` */
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
  const { commands, gaps } = proposal;
  if (options.json)
    process.stdout.write(`${JSON.stringify({ domains: proposal.domains, commands, gaps })}\n`);
  else
    process.stdout.write(
      `For ${proposal.domains.join(", ")} these commands change this machine:\n\n${listed(commands)}\n${listed(gaps)}`,
    );
  if (options.dryRun || !(options.yes || (await confirmed("Run them?")))) return;
  await installLocalDns(proposal, { home });
  await newManager({ keep: false }).restart("local-dns");
  if (!options.json) process.stdout.write("Installed. `linkup local-dns uninstall` takes everything back.\n");
}

export async function uninstall(options: Options): Promise<void> {
  const home = stateHome(process.env);
  const commands = await proposeUninstall({ home });
  if (options.json) process.stdout.write(`${JSON.stringify({ commands })}\n`);
  else if (commands.length === 0) process.stdout.write("Local DNS is not installed.\n");
  else process.stdout.write(`These commands take it back:\n\n${listed(commands)}\n`);
  if (options.dryRun || commands.length === 0 || !(options.yes || (await confirmed("Run them?")))) return;
  await uninstallLocalDns({ home });
  await newManager({ keep: false }).restart("local-dns");
  if (!options.json) process.stdout.write("Everything is as it was.\n");
}

export async function status(options: Options): Promise<void> {
  const found = await localDnsStatus({ home: stateHome(process.env) });
  if (options.json) {
    process.stdout.write(`${JSON.stringify(found)}\n`);
    return;
  }
  const { installed, domains, method, authorityEnds, gaps } = found;
  process.stdout.write(
    installed
      ? `Installed for ${domains.join(", ")} by ${method}.\n`
      : `Not installed. On this machine it would be done by ${method}.\n`,
  );
  if (authorityEnds !== null)
    process.stdout.write(`Certificates until ${new Date(authorityEnds).toISOString().slice(0, 10)}.\n`);
  process.stdout.write(listed(gaps));
}

function listed(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}\n`).join("");
}
