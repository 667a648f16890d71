import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The order in which the files of a run begin: these first, longest first, so that no long one is left for the end,
 * when only one worker has something to do. Without what a run before has kept, vitest goes by the size of files.
 */
export function longestFirst(...names: string[]): typeof BaseSequencer {
  const place = ({ moduleId }: TestSpecification) => {
    const index = names.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
    return index < 0 ? names.length : index;
  };
  return class extends BaseSequencer {
    override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
      return (await super.sort(files)).sort((one, other) => place(one) - place(other));
    }
  };
}
