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

/** A candidate, before names are made unique. */
export interface ServiceProposal {
  name: string;
  port: number;
  /** Relative to the workspace's folder, with `/`; "" for that folder itself. Undefined when unknown. */
  directory: string | undefined;
  foundIn: string;
}
