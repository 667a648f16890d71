/** Changes to the system, as the commands that make and unmake them: shown first, written down, undone by the same book. */

export interface SystemCommand {
  argv: string[];
  /** Has to be run as administrator. */
  admin: boolean;
  /** Run only when this succeeds: to undo what was never done would fail. */
  when?: string[];
  /** And only when its output contains this text. */
  whenPrints?: string;
}

export interface SystemStep {
  /** What it is for, in a sentence: `Let systemd-resolved ask Linkup for example.com.` */
  title: string;
  commands: SystemCommand[];
  /** What takes it back, whether all, some or none of the commands were run. */
  undo: UndoStep[];
}

/** A command, or taking our block out of the hosts file as it is then: others write there too. */
export type UndoStep = SystemCommand | { hostsFile: string };

export function asAdministrator(...argv: string[]): SystemCommand {
  return { argv, admin: true };
}

export function asUser(...argv: string[]): SystemCommand {
  return { argv, admin: false };
}

export function only(when: string[], command: SystemCommand): SystemCommand {
  return { ...command, when };
}

/** As it would be typed, in a POSIX shell or in PowerShell: no part of a word means anything to them. */
export function asText(
  { argv, admin }: SystemCommand,
  { platform, root }: { platform: NodeJS.Platform; root: boolean },
): string {
  const [plain, quote] = platform === "win32" ? [/^[\w=:./\\-]+$/, "''"] : [/^[\w@%+=:,./-]+$/, "'\\''"];
  const words = argv.map((word) => (plain.test(word) ? word : `'${word.replaceAll("'", quote)}'`));
  return `${admin && !root && platform !== "win32" ? "sudo " : ""}${words.join(" ")}`;
}
