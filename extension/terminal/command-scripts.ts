/** What runs the bundled command in terminals. */

export interface CommandScripts {
  sh: string;
  /** A batch file, for Windows, where the terminal needs the variables. */
  cmd: string;
  variables: Readonly<Record<string, string>>;
}

/** `node`: the program that runs the file `cli`, if it is told to. */
export function commandScripts(node: string, cli: string): CommandScripts {
  return {
    sh: `#!/bin/sh\nELECTRON_RUN_AS_NODE=1 exec ${quoted(node)} ${quoted(cli)} "$@"\n`,
    // cmd.exe reads the file in the system's old code page: a user's name may not be in it, but is in variables. They are set
    // for the batch file alone: it runs in the process of the terminal, whose other programs would run as Node too.
    cmd: `@setlocal\r\n@set ELECTRON_RUN_AS_NODE=1\r\n@"%LINKUP_TERMINAL_NODE%" "%LINKUP_TERMINAL_CLI%" %*\r\n`,
    variables: { LINKUP_TERMINAL_NODE: node, LINKUP_TERMINAL_CLI: cli },
  };
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}
