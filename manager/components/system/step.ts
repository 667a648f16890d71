/** Changes to the system, as the commands that make and unmake them: shown first, written down, undone by the same book. */

export interface Command {
  argv: string[];
  /** Has to be run as administrator. */
  admin: boolean;
  /** Run only when this succeeds: to undo what was never done would fail. */
  when?: string[];
}

export interface Step {
  /** What it is for, in a sentence: `Let systemd-resolved ask Linkup for example.com.` */
  title: string;
  commands: Command[];
  /** What takes it back, whether all, some or none of the commands were run. */
  undo: Undo[];
}

/** A command, or taking our block out of the hosts file as it is then: others write there too. */
export type Undo = Command | { hostsFile: string };

export function admin(...argv: string[]): Command {
  return { argv, admin: true };
}

export function user(...argv: string[]): Command {
  return { argv, admin: false };
}

export function only(when: string[], command: Command): Command {
  return { ...command, when };
}

/** As it would be typed. */
export function asText(
  { argv, admin }: Command,
  { platform, root }: { platform: NodeJS.Platform; root: boolean },
): string {
  const words = argv.map((word) =>
    /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`,
  );
  return `${admin && !root && platform !== "win32" ? "sudo " : ""}${words.join(" ")}`;
}
