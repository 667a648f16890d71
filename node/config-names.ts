/** The names of a configuration file, in the order in which a folder is searched for one. */
export const CONFIG_NAMES: readonly string[] = ["linkup.yaml", "linkup.yml"];
