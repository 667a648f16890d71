/** A service that a workspace seems to have, for a first linkup.yaml. */
export interface FoundService {
  /** Unique in the result; lower-case letters, digits, `-` and `_`. */
  name: string;
  /** Its URL on this machine: `http://localhost:3000`. */
  local: string;
  /** Its folder as in linkup.yaml: `./apps/web`; undefined for the workspace's own folder, or when unknown. */
  directory: string | undefined;
  /** The file that it was found in, relative to the workspace: `apps/web/package.json`. */
  foundIn: string;
}

/** How a port is known, weakest first: a tool's default, configuration that the program reads, or its command itself. */
export const CERTAINTY = { default: 0, configured: 1, stated: 2 } as const;

export interface FoundPort {
  port: number;
  certainty: (typeof CERTAINTY)[keyof typeof CERTAINTY];
}

/** A candidate, before those of several files are combined. */
export interface ServiceProposal extends FoundPort {
  name: string;
  /** Relative to the workspace's folder, with `/`; "" for that folder itself. Undefined when unknown. */
  directory: string | undefined;
}
