/** What a newcomer's linkup.yaml can start with: a service that a workspace seems to have. */
export interface FoundService {
  /** Unique among those that were found; lower-case letters, digits, `-` and `_`. */
  name: string;
  /** Where it answers on this machine: `http://localhost:3000`. */
  local: string;
  /** Its folder as linkup.yaml names it: `./apps/web`; undefined for the workspace's own folder, or when nothing tells. */
  directory: string | undefined;
  /** The file that tells of it, relative to the workspace's folder: `apps/web/package.json`. */
  foundIn: string;
}

/** The same before it has an unambiguous name. */
export interface Proposal {
  name: string;
  port: number;
  /** Relative to the workspace's folder, with `/`; "" for that folder itself. Undefined when nothing tells. */
  directory: string | undefined;
  foundIn: string;
}
