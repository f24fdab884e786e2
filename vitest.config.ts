import { defineConfig } from "vitest/config";

const conditions = ["@run-playbook/source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    setupFiles: ["test/support/own-run-dir.ts"],
    // Most tests wait for processes of their own most of the time. Lab files go one by one all the same.
    maxWorkers: 3,
    coverage: {
      provider: "v8",
      include: ["engine/**/*.ts", "modules/**/*.ts"],
      reporter: ["text-summary", "json-summary"],
    },
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          globalSetup: ["test/support/built.ts"],
          setupFiles: ["test/support/own-state.ts"],
          // A hang is an error, a busy machine is not: no test here asserts on time.
          testTimeout: 60_000,
          typecheck: { enabled: true, checker: "tsc", include: ["test/types/**/*.test-d.ts"] },
        },
      },
      {
        // The package as npm would publish it, in folders that know nothing of this repository.
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/support/built.ts"],
          setupFiles: ["test/support/own-state.ts"],
          testTimeout: 300_000,
        },
      },
      {
        // Real hosts: one lab at a time, long waits that have deadlines of their own.
        test: {
          name: "lab",
          include: ["test/{lab,field}/**/*.test.ts"],
          globalSetup: ["test/support/built.ts"],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
