import { expect, test } from "vitest";
import { clusterDnsObjects } from "#modules/index.ts";

test.each([
  ["v1.33.9", ["Deployment", "PodDisruptionBudget"]],
  ["v1.34.0", ["Deployment", "PodDisruptionBudget", "Service"]],
])("an API server of %s is asked only for what it knows", (version, kinds) => {
  expect(clusterDnsObjects({ replicas: 3, version }).map(({ kind }) => kind)).toEqual(kinds);
});
